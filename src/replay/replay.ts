import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import type { Act } from "./acts.ts";
import { AwakeHours } from "./awake.ts";
import { Interruptions } from "./interruptions.ts";
import type { UnnumberedReading } from "./late.ts";
import type { Watch } from "./line.ts";
import { Machine } from "./machine.ts";
import { ASSUMED, LATE } from "./moments.ts";
import { moneyOf } from "./money.ts";
import type { Replayed } from "./outcome.ts";
import { type Past, pastOf } from "./past.ts";
import { reportOf } from "./report.ts";
import type { Story } from "./story.ts";
import { passOver, type Seen } from "./stretch.ts";
import { highestGpuPercent } from "./verdict.ts";

export interface ReplayOptions {
  /** By which every duration of the policies was divided, as of those in force. */
  readonly speed?: number;
  /** What this replay, and whatever else shares it, may take. */
  readonly turns?: Turns;
}

/** In each turn a replay decides on something that cannot be passed over. */
export interface Turns {
  left: number;
}

/** About ten seconds. A month of a real machine takes some thousands for each policy, of which some tens are tried. */
export const MOST_TURNS = 1_500_000;

/** Whoever can make up heartbeats can make up a past by which something is decided with each of them. */
export class TooManyTurns extends Error {}

/** What only tests ask for. */
export interface Witness {
  readonly see?: (event: HistoryEvent) => void;
  readonly watch?: Watch;
  /** Feeds each reading, one by one. */
  readonly feedsAll?: boolean;
}

/** What the candidate would have made of the story: it decides, and the machine obeys. */
export function replay(
  story: Story,
  candidate: Policy,
  { speed = 1, turns = { left: MOST_TURNS } }: ReplayOptions = {},
  witness: Witness = {},
): Replayed {
  const past = pastOf(story, speed);
  const policy = atInterval(candidate, past.intervalMs);
  const machine = new Machine(past, policy, witness.see ?? ignore, witness.watch);
  const seen = { past, policy, verdicts: past.verdictsBy(policy.idle), awake: new AwakeHours(policy) };
  const run = new Run(seen, machine, turns, witness.feedsAll !== true);
  return run.toTheEnd();
}

function ignore(): void {}

/** Its heartbeats came as far apart as they did. By a shorter interval, silence and idleness would be judged by what never was to come. */
function atInterval(policy: Policy, intervalMs: number): Policy {
  const laterMs = Math.max(0, 3 * intervalMs - policy.orphan.orphanAfterMs);
  return {
    ...policy,
    intervalMs,
    orphan: {
      ...policy.orphan,
      orphanAfterMs: policy.orphan.orphanAfterMs + laterMs,
      hibernateAfterMs: policy.orphan.hibernateAfterMs + laterMs,
      forceHibernateAfterMs: policy.orphan.forceHibernateAfterMs + laterMs,
    },
  };
}

class Run {
  readonly #seen: Seen;
  readonly #past: Past;
  readonly #machine: Machine;
  readonly #turns: Turns;
  readonly #passes: boolean;
  readonly #interruptions: Interruptions;
  /** The next reading, and the next act. */
  #index = 0;
  #act = 0;
  #late: { readonly at: number; readonly index: number }[] = [];
  #assumedIdleMs = 0;

  constructor(seen: Seen, machine: Machine, turns: Turns, passes: boolean) {
    this.#seen = seen;
    this.#past = seen.past;
    this.#machine = machine;
    this.#turns = turns;
    this.#passes = passes;
    this.#interruptions = new Interruptions(seen.past);
  }

  toTheEnd(): Replayed {
    const { endsAt, at, basis } = this.#past;
    for (;;) {
      const readingAt = at[this.#index] ?? Number.POSITIVE_INFINITY;
      const actAt = this.#nextActAt();
      const ownAt = this.#machine.nextAt;
      if (Math.min(readingAt, actAt, ownAt) > endsAt) break;
      this.#turns.left -= 1;
      if (this.#turns.left < 0) throw new TooManyTurns("its past takes too much to replay");
      if (actAt <= readingAt && actAt <= ownAt) this.#takeAct();
      else if (this.#isHeardBefore(ownAt, readingAt)) this.#takeReading(Math.min(actAt, ownAt));
      else this.#machine.pass(ownAt);
      this.#interruptions.endIfOn(this.#machine);
    }
    const interruptions = this.#interruptions.toTheEnd();
    const { hibernations, deletions, regrets } = this.#machine;
    return {
      outcome: {
        ...moneyOf(this.#machine.state, endsAt),
        hibernations,
        deletions,
        regrets,
        ...interruptions.sums,
      },
      interruptions: interruptions.longest,
      basis: { ...basis, assumedIdleMs: this.#assumedIdleMs },
    };
  }

  /** At the same moment, what it says comes before the alarm; one that is off is woken before it says anything. */
  #isHeardBefore(ownAt: number, readingAt: number): boolean {
    return this.#machine.isOff ? readingAt < ownAt : readingAt <= ownAt;
  }

  #nextActAt(): number {
    return this.#past.acts[this.#act]?.at ?? Number.POSITIVE_INFINITY;
  }

  #takeAct(): void {
    const act = this.#past.acts[this.#act];
    this.#act += 1;
    if (act !== undefined) perform(act, this.#machine, this.#past.wakeMs);
  }

  /** Nothing else happens before `until`. */
  #takeReading(until: number): void {
    if (this.#machine.isOff) this.#missReading(until);
    else this.#hearReading();
  }

  /** It is off: only work that comes means anything. */
  #missReading(until: number): void {
    const { at, works } = this.#past;
    for (; this.#index < at.length; this.#index++) {
      if (works[this.#index] === 1 || (at[this.#index] ?? 0) >= until) break;
    }
    const now = at[this.#index];
    if (now === undefined || now >= until) return;
    this.#machine.wake(now, now + this.#past.wakeMs);
    this.#interruptions.work(this.#index, this.#machine);
    this.#index += 1;
  }

  #hearReading(): void {
    const { at, kinds, readings } = this.#past;
    const index = this.#index;
    const [now, reading] = [at[index], readings[index]];
    this.#index += 1;
    if (now === undefined || reading === undefined) return;
    if (kinds[index] === LATE) {
      this.#late.push({ at: now, index });
      return;
    }
    this.#machine.hear(reportOf(reading), now, this.#takeLate(now));
    this.#countAssumed(index - 1, index);
    if (!this.#passes) return;
    const passed = passOver(
      this.#seen,
      this.#machine.state,
      index,
      Math.min(this.#nextActAt(), this.#past.endsAt),
    );
    if (passed === null) return;
    this.#machine.passTo(passed.state, at[passed.last] ?? now);
    this.#countAssumed(index, passed.last);
    this.#index = passed.last + 1;
  }

  /** What came late since the heartbeat before. */
  #takeLate(now: number): readonly UnnumberedReading[] {
    if (this.#late.length === 0) return NONE;
    const late = this.#late.flatMap(({ at, index }): UnnumberedReading[] => {
      const reading = this.#past.readings[index];
      return reading === undefined
        ? []
        : [[(now - at) / SECOND_MS, highestGpuPercent(reading), reading.cpuPercent]];
    });
    this.#late = [];
    return late;
  }

  #countAssumed(from: number, to: number): void {
    const { at, kinds, intervalMs } = this.#past;
    for (let index = from + 1; index <= to; index++) {
      if (kinds[index] !== ASSUMED) continue;
      this.#assumedIdleMs += Math.min(intervalMs, (at[index] ?? 0) - (at[index - 1] ?? this.#past.begunAt));
    }
  }
}

const NONE: readonly UnnumberedReading[] = [];

/** People act as they did. One that is off is woken for whoever keeps it alive. */
function perform(act: Act, machine: Machine, wakeMs: number): void {
  const { at } = act;
  switch (act.type) {
    case "keep_alive":
      machine.wake(at, at + wakeMs);
      machine.keepAlive(act.until, at);
      break;
    case "hibernate":
      if (!machine.isOff) machine.hibernate(at);
      break;
    case "wake":
      machine.wake(at, act.backAt);
      break;
    case "vanish":
      machine.vanish(at);
      break;
    case "reappear":
      machine.reappear();
      break;
    case "move":
      machine.move(at);
      break;
  }
}
