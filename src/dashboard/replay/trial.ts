import type { ApiError } from "../api-error.ts";
import type { PolicyReplay } from "./answers.ts";
import type { TrialRequest } from "./request.ts";

/**
 * Tries what is typed on the past: once it rests, one request at a time, and then until the service has replayed it all. What is
 * no longer wanted is removed again, so that the list of previews holds what somebody has looked at.
 */

export type Trying =
  /** Nothing was asked for yet, or all of it is there. */
  | { readonly is: "at_rest" }
  /** Something else is typed than what is shown. */
  | { readonly is: "waiting" }
  | { readonly is: "asked" }
  | { readonly is: "running" }
  /** Enough others are being replayed; it is asked again by itself. */
  | { readonly is: "crowded" }
  /** What is typed is no valid policy. */
  | { readonly is: "refused"; readonly error: ApiError }
  | { readonly is: "failed"; readonly error: ApiError };

export interface TrialState {
  readonly trying: Trying;
  /** What was replayed last; it may be of numbers that are no longer typed. */
  readonly shown: PolicyReplay | null;
  /** Of which numbers it is: those that are typed, others that were typed before, or what the list had. */
  readonly of: "typed" | "before" | "list";
  /** Whether it stays when something else is tried. */
  readonly isKept: boolean;
}

/** What the service answers, or why it does not. */
export type Asked<T> = { readonly answer: T } | { readonly error: ApiError };

export interface TrialPorts {
  readonly start: (request: TrialRequest) => Promise<Asked<PolicyReplay>>;
  readonly read: (id: string, signal: AbortSignal) => Promise<Asked<PolicyReplay>>;
  /** One that stays is in the list, where it can be removed by hand. */
  readonly remove: (id: string) => Promise<void>;
  readonly show: (state: TrialState) => void;
  /** Whether nobody looks: then nothing is asked. */
  readonly isHidden: () => boolean;
}

export const NOT_TRIED: TrialState = {
  trying: { is: "at_rest" },
  shown: null,
  of: "typed",
  isKept: false,
};

/** What is typed must rest so long. */
const REST_MS = 700;
const FIRST_POLL_MS = 800;
const SLOWEST_POLL_MS = 5000;
const CROWDED_MS = 5000;
/** So often in a row. */
const TRIES = 12;

export class Trial {
  readonly #ports: TrialPorts;
  #state: TrialState = NOT_TRIED;
  #wanted: TrialRequest | null = null;
  /** What is shown was asked for by this; null where it can't be returned to. */
  #shownFor: string | null = null;
  /** What is removed as soon as something else takes its place. */
  #passing: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The poll that is under way. */
  #polling = new AbortController();
  #isAsking = false;
  /** Whether something else is to be asked for after that. */
  #isNextDue = false;
  #hasEnded = false;
  #failures = 0;

  constructor(ports: TrialPorts) {
    this.#ports = ports;
  }

  /** What is typed now. It is asked for once it has rested. */
  want(request: TrialRequest): void {
    const key = keyOf(request);
    if (this.#wanted !== null && key === keyOf(this.#wanted)) return;
    this.#wanted = request;
    this.#failures = 0;
    if (key === this.#shownFor) {
      this.#show({ of: "typed" });
      this.#goOn();
      return;
    }
    this.#stopPolling();
    // Nobody waits for the rest of it, and others may.
    if (this.#isRunning()) this.#removePassing();
    this.#show({ trying: { is: "waiting" }, of: "before" });
    this.#after(REST_MS, () => this.#try());
  }

  /** What is typed is asked for at once, also if it failed before; what is being replayed is followed again. */
  tryNow(request: TrialRequest): void {
    this.#failures = 0;
    if (this.#state.trying.is === "failed" && this.#isRunning()) {
      this.#goOn();
      return;
    }
    this.#wanted = request;
    this.#show({ of: this.#shownFor === keyOf(request) ? "typed" : "before" });
    this.#after(0, () => this.#try());
  }

  /** What is shown stays when something else is tried. */
  keep(): void {
    this.#passing = null;
    this.#show({ isKept: true });
  }

  /** What is shown was removed. */
  forget(id: string): void {
    if (this.#state.shown?.id !== id) return;
    this.#leave();
    this.#show(NOT_TRIED);
  }

  /** Shows one that was kept. It is of no numbers that are typed. */
  open(preview: PolicyReplay): void {
    if (this.#passing !== preview.id) this.#removePassing();
    this.#leave();
    this.#show({ trying: { is: "at_rest" }, shown: preview, of: "list", isKept: true });
    this.#goOn();
  }

  /** The page is left: what nobody has kept would take the place of what somebody has. */
  end(): void {
    this.#hasEnded = true;
    this.#stopPolling();
    this.#removePassing();
  }

  async #try(): Promise<void> {
    const request = this.#wanted;
    if (request === null) return;
    // One at a time: what is typed while one is asked for is asked next.
    if (this.#isAsking) {
      this.#isNextDue = true;
      return;
    }
    this.#isAsking = true;
    this.#isNextDue = false;
    this.#show({ trying: { is: "asked" } });
    const asked = await this.#ports.start(request);
    this.#isAsking = false;
    const isOutdated = this.#hasEnded || this.#wanted === null || keyOf(this.#wanted) !== keyOf(request);
    if (isOutdated) {
      if ("answer" in asked) this.#remove(asked.answer.id);
      if (this.#isNextDue) this.#after(0, () => this.#try());
      return;
    }
    if ("error" in asked) {
      this.#refused(asked.error);
      return;
    }
    const { answer } = asked;
    this.#failures = 0;
    this.#removePassing();
    this.#shownFor = keyOf(request);
    this.#passing = answer.id;
    this.#show({ shown: answer, of: "typed", isKept: false });
    this.#goOn();
  }

  #refused(error: ApiError): void {
    if (error.status === 400) this.#show({ trying: { is: "refused", error } });
    else if (isCrowd(error) && this.#failures < TRIES) {
      this.#failures += 1;
      this.#show({ trying: { is: "crowded" } });
      this.#after(error.retryAfterMs ?? CROWDED_MS, () => this.#try());
    } else this.#show({ trying: { is: "failed", error } });
  }

  #isRunning(): boolean {
    return this.#state.shown?.state === "running";
  }

  /** Follows what is shown to its end. */
  #goOn(): void {
    clearTimeout(this.#timer);
    if (this.#isRunning()) {
      this.#show({ trying: { is: "running" } });
      this.#poll(FIRST_POLL_MS);
    } else this.#show({ trying: { is: "at_rest" } });
  }

  #poll(pauseMs: number): void {
    this.#after(pauseMs, async () => {
      const { shown } = this.#state;
      if (shown === null) return;
      const next = Math.min(SLOWEST_POLL_MS, Math.max(FIRST_POLL_MS, pauseMs * 1.3));
      if (this.#ports.isHidden()) {
        this.#poll(next);
        return;
      }
      this.#polling = new AbortController();
      const { signal } = this.#polling;
      const asked = await this.#ports.read(shown.id, signal);
      if (signal.aborted) return;
      if ("error" in asked) {
        this.#pollFailed(asked.error, next);
        return;
      }
      this.#failures = 0;
      this.#show({
        shown: asked.answer,
        trying: { is: asked.answer.state === "running" ? "running" : "at_rest" },
      });
      if (this.#isRunning()) this.#poll(next);
    });
  }

  #pollFailed(error: ApiError, pauseMs: number): void {
    this.#failures += 1;
    if (error.status === 404) {
      this.#shownFor = null;
      this.#passing = null;
      this.#show({ ...NOT_TRIED, trying: { is: "failed", error } });
    } else if (this.#failures >= TRIES) this.#show({ trying: { is: "failed", error } });
    else this.#poll(pauseMs);
  }

  #stopPolling(): void {
    clearTimeout(this.#timer);
    this.#polling.abort();
  }

  /** What is typed is no longer followed. */
  #leave(): void {
    this.#stopPolling();
    this.#isNextDue = false;
    this.#passing = null;
    this.#shownFor = null;
    this.#wanted = null;
  }

  #removePassing(): void {
    if (this.#passing === null) return;
    this.#remove(this.#passing);
    this.#passing = null;
    this.#shownFor = null;
  }

  #remove(id: string): void {
    void this.#ports.remove(id);
  }

  #after(ms: number, work: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = setTimeout(work, ms);
  }

  #show(change: Partial<TrialState>): void {
    this.#state = { ...this.#state, ...change };
    if (!this.#hasEnded) this.#ports.show(this.#state);
  }
}

function keyOf(request: TrialRequest): string {
  return JSON.stringify(request);
}

/** Whether it says that there is too much to do just now. */
function isCrowd({ status }: ApiError): boolean {
  return status === 429 || status === 503;
}
