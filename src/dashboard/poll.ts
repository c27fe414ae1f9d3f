import { useEffect, useState } from "preact/hooks";
import { poll } from "./api.ts";
import { type ApiError, asApiError } from "./api-error.ts";
import { signedIn } from "./session.ts";

/**
 * Runs `work` now, again `pauseMs()` after it has ended, and never while the tab is hidden: who does not look costs
 * nothing. Gives back how to stop it and how to run it at once.
 */
export function repeat(work: () => Promise<void>, pauseMs: () => number): { stop(): void; hurry(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let again = false;
  let stopped = false;
  const run = async () => {
    clearTimeout(timer);
    if (stopped || document.hidden) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    await work();
    running = false;
    if (stopped) return;
    if (again) {
      again = false;
      void run();
    } else timer = setTimeout(run, pauseMs());
  };
  document.addEventListener("visibilitychange", run);
  void run();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", run);
    },
    hurry: () => void run(),
  };
}

export interface Live<T> {
  readonly data: T | null;
  /** Why it could not be read the last time. */
  readonly error: ApiError | null;
  /** Reads again at once. */
  readonly refresh: () => void;
}

/** What the API says at `path`, read again and again. */
export function useLive<T>(path: string, pauseMs: number): Live<T> {
  return useRepeated(
    path,
    () => reader<T>(path),
    () => pauseMs,
  );
}

function reader<T>(path: string): () => Promise<T | null> {
  let tag: string | null = null;
  return async () => {
    const answer = await poll<T>(path, tag);
    if (answer === null) return null;
    tag = answer.tag;
    return answer.body;
  };
}

/** What `begin` reads, again and again, and anew for another `key`. What it reads as null is as it was. */
export function useRepeated<T>(
  key: string,
  begin: () => () => Promise<T | null>,
  pauseMsAfter: (data: T | null) => number,
): Live<T> {
  const [state, setState] = useState<Live<T>>({ data: null, error: null, refresh: () => {} });
  useEffect(() => {
    let isLeft = false;
    const mine = signedIn.value;
    const read = begin();
    let known: T | null = null;
    const loop = repeat(
      async () => {
        try {
          const data = await read();
          if (isLeft || mine !== signedIn.value) return;
          known = data ?? known;
          setState({ data: known, error: null, refresh: loop.hurry });
        } catch (error) {
          if (!isLeft) setState((before) => ({ ...before, error: asApiError(error) }));
        }
      },
      () => pauseMsAfter(known),
    );
    setState({ data: null, error: null, refresh: loop.hurry });
    return () => {
      isLeft = true;
      loop.stop();
    };
  }, [key]);
  return state;
}

export { asApiError };
