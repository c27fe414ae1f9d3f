import type { Machine } from "./machine.ts";
import { COARSE } from "./moments.ts";
import { byLength, type Interruption, type Outcome } from "./outcome.ts";
import type { Past } from "./past.ts";
import { sayWork } from "./work.ts";

/** So many of a story are kept, the longest first. */
const KEPT = 50;

/** Work lasts until the next reading, but not for longer than so many intervals: then nobody knows. */
const LONGEST_READING_INTERVALS = 3;

type Sums = Pick<Outcome, "interruptions" | "delayedMs" | "workCutMs">;

interface Open {
  readonly hibernatedAt: number;
  readonly at: number;
  readonly evidence: string;
  /** When it is back; null while nobody wakes it. */
  backAt: number | null;
  workCutMs: number;
}

/** Work that came while the machine was off: counted all, and the longest kept. */
export class Interruptions {
  readonly #past: Past;
  #open: Open | null = null;
  #kept: Interruption[] = [];
  #sums: Sums = { interruptions: 0, delayedMs: 0, workCutMs: 0 };

  constructor(past: Past) {
    this.#past = past;
  }

  /** The reading at `index` shows work, and it is off. */
  work(index: number, { offSince, backAt }: Pick<Machine, "offSince" | "backAt">): void {
    const { at, readings, kinds, endsAt, intervalMs, story } = this.#past;
    const [now, reading] = [at[index], readings[index]];
    if (now === undefined || reading === undefined) return;
    this.#open ??= {
      hibernatedAt: offSince,
      at: now,
      evidence: kinds[index] === COARSE ? "an hour with work" : sayWork(reading, story.hasGpu),
      backAt,
      workCutMs: 0,
    };
    const next = Math.min(at[index + 1] ?? endsAt, now + LONGEST_READING_INTERVALS * intervalMs);
    this.#open.workCutMs += Math.max(0, Math.min(next, backAt ?? endsAt, endsAt) - now);
  }

  /** It is on again, or not yet. */
  endIfOn({ isOff, now }: Pick<Machine, "isOff" | "now">): void {
    if (this.#open !== null && !isOff) this.#end(this.#open, now);
  }

  toTheEnd(): { readonly sums: Sums; readonly longest: readonly Interruption[] } {
    if (this.#open !== null) this.#end(this.#open, this.#past.endsAt);
    this.#keepLongest();
    return { sums: this.#sums, longest: [...this.#kept].sort((one, other) => one.at - other.at) };
  }

  #end({ hibernatedAt, at, evidence, workCutMs }: Open, backAt: number): void {
    this.#open = null;
    const delayedMs = Math.max(0, backAt - at);
    const { interruptions, ...sums } = this.#sums;
    this.#sums = {
      interruptions: interruptions + 1,
      delayedMs: sums.delayedMs + delayedMs,
      workCutMs: sums.workCutMs + workCutMs,
    };
    this.#kept.push({ hibernatedAt, at, evidence, delayedMs, workCutMs });
    if (this.#kept.length > 2 * KEPT) this.#keepLongest();
  }

  #keepLongest(): void {
    this.#kept = this.#kept.sort(byLength).slice(0, KEPT);
  }
}
