import { useEffect, useState } from "preact/hooks";
import { ApiError, poll } from "./api.ts";
import { userToken } from "./session.ts";

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

interface Live<T> {
  readonly data: T | null;
  readonly error: ApiError | null;
  /** Reads again at once. */
  readonly refresh: () => void;
}

/** What the API says at `path`, read again and again. */
export function useLive<T>(path: string, pauseMs: number): Live<T> {
  const [state, setState] = useState<Live<T>>({ data: null, error: null, refresh: () => {} });
  useEffect(() => {
    let tag: string | null = null;
    const token = userToken.value;
    const loop = repeat(
      async () => {
        try {
          const answer = await poll<T>(path, tag);
          if (token !== userToken.value) return;
          if (answer === null) return setState((before) => ({ ...before, error: null }));
          tag = answer.tag;
          setState({ data: answer.body, error: null, refresh: loop.hurry });
        } catch (error) {
          setState((before) => ({ ...before, error: asApiError(error) }));
        }
      },
      () => pauseMs,
    );
    setState({ data: null, error: null, refresh: loop.hurry });
    return loop.stop;
  }, [path, pauseMs]);
  return state;
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, String(error));
}
