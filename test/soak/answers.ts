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
}

const REQUEST_LIMIT_MS = 20_000;

/** What failed may show for so long after it is over: a call that began in it has its own deadline. */
const AFTERMATH_MS = 5_000;

export class Answers {
  readonly #url: string;
  readonly #excused: { readonly from: number; until: number }[] = [];
  readonly #failures: Failure[] = [];
  readonly byStatus = new Map<number, number>();
  #slowestMs = 0;

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
      this.#note(response.status, sentAt, `${method} ${path}: ${response.status} ${text}`);
      const retryAfter = Number(response.headers.get("Retry-After") ?? Number.NaN);
      return {
        status: response.status,
        text,
        retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
      };
    } catch (error) {
      this.#note(0, sentAt, `${method} ${path}: no answer: ${String(error)}`);
      return null;
    }
  }

  #note(status: number, sentAt: number, what: string): void {
    const at = Date.now();
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    this.#slowestMs = Math.max(this.#slowestMs, at - sentAt);
    if (status === 0 || status >= 500) this.#failures.push({ sentAt, at, what });
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** Failures at a time when nothing was switched off. */
  unexcused(): string[] {
    return this.#failures
      .filter(({ sentAt, at }) => !this.#excused.some(({ from, until }) => sentAt <= until && at >= from))
      .map(({ sentAt, what }) => `${new Date(sentAt).toISOString()} ${what}`);
  }

  get failures(): number {
    return this.#failures.length;
  }
}
