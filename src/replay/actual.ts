import { hibernationOf, isAsleep } from "../lifecycle/model/phase.ts";
import { compilePolicy, type Policy } from "../lifecycle/model/policy.ts";
import { isGap } from "../lifecycle/rules/use-seen.ts";
import { isMove } from "./acts.ts";
import { ASLEEP, AWAITED, type Doing, doingOf, IDLE, SILENT, Spending, WAKING, WORKING } from "./doing.ts";
import { Interruptions } from "./interruptions.ts";
import { ASSUMED, LATE } from "./moments.ts";
import type { Replayed } from "./outcome.ts";
import { type Past, pastOf } from "./past.ts";
import type { PastEvent, Story } from "./story.ts";
import { isQuiet } from "./verdict.ts";

/** What really happened, from events, readings and prices alone: counted as a replay counts, so that both can be compared. */
export function actualOf(story: Story, speed = 1): Replayed {
  return new Actual(story, speed).toTheEnd();
}

interface InForce {
  readonly from: number;
  readonly policy: Policy;
  readonly verdicts: Uint8Array;
}

class Actual {
  readonly #past: Past;
  readonly #interruptions: Interruptions;
  readonly #policies: readonly InForce[];
  /** Null once it was deleted. */
  #doing: Doing | null;
  readonly #spending: Spending;
  #putUntil: number;
  #isOff: boolean;
  #offSince: number;
  #lastVerdict: number | undefined;
  #lastAt: number | null = null;
  #hibernations = 0;
  #deletions = 0;
  #regrets = 0;

  constructor(story: Story, speed: number) {
    const past = pastOf(story, speed);
    const { phase } = past.beginning;
    this.#past = past;
    this.#interruptions = new Interruptions(past);
    this.#policies = story.policies.map(({ from, settings, suspended }) => {
      const policy = compilePolicy(settings, speed, suspended);
      return { from, policy, verdicts: past.verdictsBy(policy.idle) };
    });
    this.#doing = doingOf(phase);
    this.#isOff = isAsleep(phase);
    this.#offSince = hibernationOf(phase)?.since ?? past.begunAt;
    this.#spending = new Spending(story.profile);
    this.#putUntil = past.begunAt;
  }

  toTheEnd(): Replayed {
    const { story, at, endsAt, begunAt, basis } = this.#past;
    const events = story.events.filter((event) => event.at > begunAt && event.at <= endsAt);
    let next = 0;
    for (let index = 0; index < at.length; index++) {
      const now = at[index] ?? endsAt;
      for (; (events[next]?.at ?? Number.POSITIVE_INFINITY) <= now; next++) this.#happen(events[next]);
      this.#read(index, now);
    }
    for (; next < events.length; next++) this.#happen(events[next]);
    this.#put(endsAt);
    const { sums, longest } = this.#interruptions.toTheEnd();
    return {
      outcome: {
        ...this.#spending.figures,
        hibernations: this.#hibernations,
        deletions: this.#deletions,
        regrets: this.#regrets,
        ...sums,
      },
      interruptions: longest,
      basis: { ...basis, assumedIdleMs: 0 },
    };
  }

  /** Puts down the time up to `now`, as it was spent so far. */
  #put(now: number): void {
    const ms = now - this.#putUntil;
    if (ms <= 0) return;
    if (this.#doing !== null) this.#spending.add(this.#doing, ms);
    this.#putUntil = now;
  }

  #do(doing: Doing | null, now: number): void {
    if (doing === this.#doing) return;
    this.#put(now);
    this.#doing = doing;
  }

  #read(index: number, now: number): void {
    const { kinds, works } = this.#past;
    if (kinds[index] === ASSUMED) return;
    if (this.#isOff) {
      if (works[index] === 1) this.#cut(index, now);
      return;
    }
    if (kinds[index] === LATE || this.#doing === null) return;
    const inForce = this.#inForce(now);
    const verdict = inForce?.verdicts[index];
    const isIdle = inForce?.policy.idle.enabled === true && isQuiet(verdict);
    if (!isIdle) this.#do(WORKING, now);
    else if (this.#doing.use !== "idle" || this.#beginsAnew(verdict, now, inForce.policy))
      this.#do(IDLE, now);
    this.#lastVerdict = verdict;
    this.#lastAt = now;
  }

  /** An idle run goes by one metric, and ends with what is missing. */
  #beginsAnew(verdict: number | undefined, now: number, policy: Policy): boolean {
    return verdict !== this.#lastVerdict || isGap(this.#lastAt, now, policy);
  }

  /** A reading shows work while it is off. What it still says while it goes off means nothing. */
  #cut(index: number, now: number): void {
    if (now - this.#offSince <= (this.#inForce(now)?.policy.settleMs ?? 0)) return;
    const backAt = this.#past.offSpans.find(({ from }) => from === this.#offSince)?.to ?? null;
    this.#interruptions.work(index, { offSince: this.#offSince, backAt });
  }

  #inForce(now: number): InForce | undefined {
    return this.#policies.findLast(({ from }) => from <= now) ?? this.#policies[0];
  }

  #happen(event: PastEvent | undefined): void {
    if (event === undefined) return;
    const { at, kind, detail } = event;
    switch (kind) {
      case "idle":
        if (this.#doing?.use === "idle") this.#do({ ...IDLE, isWasted: true }, at);
        break;
      case "busy":
      case "first_heartbeat":
      case "recovered":
      case "kept_alive":
        if (!this.#isOff && this.#doing !== null) this.#do(WORKING, at);
        break;
      case "changed":
        if (isMove(kind, detail)) this.#turnOn(at, AWAITED);
        break;
      case "orphaned":
      case "never_heard":
        if (!this.#isOff || this.#doing === WAKING) this.#turnOn(at, SILENT);
        break;
      case "found_running":
        this.#turnOn(at, SILENT);
        break;
      case "hibernated":
        this.#turnOff(at);
        break;
      case "waking":
        if (detail.rule !== "schedule") this.#countRegret(at);
        if (this.#isOff) this.#do(WAKING, at);
        break;
      case "wake_failed":
        if (this.#isOff) this.#do(ASLEEP, at);
        break;
      case "woken":
        // It came back by itself: somebody has started it.
        if (this.#doing === ASLEEP) this.#countRegret(at);
        this.#turnOn(at, WORKING);
        break;
      case "deleted":
        this.#deletions += 1;
        this.#do(null, at);
        break;
      case "gone":
        this.#do(null, at);
        break;
      default:
        break;
    }
  }

  #turnOff(at: number): void {
    this.#hibernations += 1;
    this.#isOff = true;
    this.#offSince = at;
    this.#do(ASLEEP, at);
  }

  #turnOn(at: number, doing: Doing): void {
    this.#isOff = false;
    this.#interruptions.endIfOn({ isOff: false, now: at });
    this.#do(doing, at);
  }

  #countRegret(at: number): void {
    const off = this.#past.offSpans.find(({ from }) => from === this.#offSince);
    const regretMs = this.#inForce(at)?.policy.regretMs ?? 0;
    if (off !== undefined && off.by !== "outside" && at - off.from <= regretMs) this.#regrets += 1;
  }
}
