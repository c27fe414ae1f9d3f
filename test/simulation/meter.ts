/** The meter of a provider: it bills each machine by the second, for what it was and what that cost then. */

const SECOND = 1_000;
const HOUR = 3_600_000;

/** A machine that is stopped, or waits to start, costs what it keeps. */
export type Billed = "awake" | "asleep" | "nothing";

export interface Prices {
  readonly awake: number;
  readonly asleep: number;
}

/** Time in which neither changed. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly billed: Billed;
  /** Dollars an hour. */
  readonly rate: number;
}

interface Reading {
  readonly since: number;
  readonly billed: Billed;
  readonly prices: Prices;
}

export class Meter {
  readonly #open = new Map<string, Reading>();
  readonly #closed = new Map<string, Stretch[]>();
  readonly #dollars = new Map<string, number>();

  begin(ref: string, prices: Prices, at: number): void {
    this.#open.set(ref, { since: at, billed: "awake", prices });
  }

  turn(ref: string, billed: Billed, at: number): void {
    const reading = this.#open.get(ref);
    if (reading !== undefined && reading.billed !== billed) this.#close(ref, reading, { billed }, at);
  }

  price(ref: string, prices: Prices, at: number): void {
    const reading = this.#open.get(ref);
    if (reading !== undefined) this.#close(ref, reading, { prices }, at);
  }

  #close(ref: string, reading: Reading, next: Partial<Reading>, at: number): void {
    const stretch = stretchOf(reading, at);
    this.#closed.set(ref, [...(this.#closed.get(ref) ?? []), stretch]);
    this.#dollars.set(ref, (this.#dollars.get(ref) ?? 0) + billOf(stretch));
    this.#open.set(ref, { ...reading, ...next, since: at });
  }

  /** What lies between two moments, of which the second one has come. */
  between(ref: string, from: number, until: number): Stretch[] {
    const reading = this.#open.get(ref);
    if (reading === undefined) return [];
    const all = [...(this.#closed.get(ref) ?? []), stretchOf(reading, until)];
    const within: Stretch[] = [];
    for (const stretch of all.toReversed()) {
      if (stretch.until <= from) break;
      const cut = {
        ...stretch,
        from: Math.max(from, stretch.from),
        until: Math.min(until, stretch.until),
      };
      if (cut.until > cut.from) within.unshift(cut);
    }
    return within;
  }

  /** The bill: each stretch by the whole seconds that it has begun. */
  bill(ref: string, until: number): number {
    const reading = this.#open.get(ref);
    return (this.#dollars.get(ref) ?? 0) + (reading === undefined ? 0 : billOf(stretchOf(reading, until)));
  }
}

function stretchOf({ since, billed, prices }: Reading, until: number): Stretch {
  return { from: since, until, billed, rate: billed === "nothing" ? 0 : prices[billed] };
}

function billOf({ from, until, rate }: Stretch): number {
  return ((Math.ceil((until - from) / SECOND) * SECOND) / HOUR) * rate;
}

/** By the millisecond. */
export function dollarsOf({ from, until, rate }: Pick<Stretch, "from" | "until" | "rate">): number {
  return ((until - from) / HOUR) * rate;
}
