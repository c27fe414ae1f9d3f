import { type ApiError, asApiError } from "../api-error.ts";

/** Asks the same of many instances: a few at a time, and says what became of each. */

const AT_ONCE = 4;

/** The service may ask for patience so often, and for so long. */
const MOST_TRIES = 3;
const LONGEST_PAUSE_MS = 15_000;

export type Outcome =
  | { readonly end: "done" }
  | { readonly end: "refused"; readonly error: ApiError }
  /** Its turn had not come when it was stopped. */
  | { readonly end: "stopped" };

/** `onEnd` hears of each as it ends. Whoever is not signed in any more asks no further. */
export async function doToEach<T>(
  all: readonly T[],
  work: (one: T) => Promise<unknown>,
  onEnd: (one: T, outcome: Outcome) => void,
  signal: AbortSignal,
  pause: (ms: number) => Promise<void> = sleep,
): Promise<void> {
  const waiting = all.values();
  let isOver = false;
  const lane = async () => {
    for (const one of waiting) {
      const outcome: Outcome =
        isOver || signal.aborted ? { end: "stopped" } : await attempt(() => work(one), signal, pause);
      if (outcome.end === "refused" && outcome.error.status === 401) isOver = true;
      onEnd(one, outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function attempt(
  work: () => Promise<unknown>,
  signal: AbortSignal,
  pause: (ms: number) => Promise<void>,
): Promise<Outcome> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return { end: "done" };
    } catch (thrown) {
      const error = asApiError(thrown);
      if (!mayPass(error) || tries === MOST_TRIES || signal.aborted) return { end: "refused", error };
      await pause(Math.min(LONGEST_PAUSE_MS, error.retryAfterMs ?? 1000));
    }
  }
}

function mayPass({ status }: ApiError): boolean {
  return status === 429 || status === 503;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
