/** How the service answers, and whether it may answer so: it may fail while something is switched off below it. */

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | null;
}

interface Failure {
  readonly sentAt: number;
  readonly at: number;
  readonly what: string;
  /** Nobody answered in time, on a machine that may be busy with other things. */
  readonly isTimeout: boolean;
}

const REQUEST_LIMIT_MS = 20_000;

/** What failed may show for so long after it is over: a server that has just been started is asked by everybody at once. */
const AFTERMATH_MS = 15_000;

export class Answers {
  readonly #url: string;
  readonly #excused: { readonly from: number; until: number }[] = [];
  readonly #failures: Failure[] = [];
  readonly byStatus = new Map<number, number>();

  constructor(url: string) {
    this.#url = url;
  }

  /** From now until the returned function is called the service may fail. */
  excuse(): () => void {
    const window = { from: Date.now(), until: Number.POSITIVE_INFINITY };
    this.#excused.push(window);
    return () => {
      window.until = Date.now() + AFTERMATH_MS;
    };
  }

  /** One request; null when nobody answers. */
  async ask(method: string, path: string, token: string, json?: unknown): Promise<Answered | null> {
    const sentAt = Date.now();
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
      });
      const text = await response.text();
      this.#note(response.status, sentAt, `${method} ${path}: ${response.status} ${text}`, false);
      const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
      return {
        status: response.status,
        text,
        retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
      };
    } catch (error) {
      const isTimeout = error instanceof Error && error.name === "TimeoutError";
      this.#note(0, sentAt, `${method} ${path}: no answer: ${String(error)}`, isTimeout);
      return null;
    }
  }

  #note(status: number, sentAt: number, what: string, isTimeout: boolean): void {
    const at = Date.now();
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    if (status === 0 || status >= 500) this.#failures.push({ sentAt, at, what, isTimeout });
  }

  get requests(): number {
    return [...this.byStatus.values()].reduce((sum, count) => sum + count, 0);
  }

  get failures(): number {
    return this.#failures.length;
  }

  /** Failures at a time when nothing was switched off: answers of 5xx and broken connections, and what took too long. */
  unexcused(): { readonly failed: string[]; readonly timedOut: string[] } {
    const unexcused = this.#failures.filter(
      ({ sentAt, at }) => !this.#excused.some(({ from, until }) => sentAt <= until && at >= from),
    );
    const say = (isTimeout: boolean) =>
      unexcused
        .filter((failure) => failure.isTimeout === isTimeout)
        .map(({ sentAt, what }) => `${new Date(sentAt).toISOString()} ${what}`);
    return { failed: say(false), timedOut: say(true) };
  }
}
