import { z } from "zod";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";
import { firesBy } from "../platform/alarm.ts";
import { logWarning } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import { sleep } from "../platform/sleep.ts";
import { within } from "../platform/within.ts";
import { coordinatorOf } from "./address.ts";
import type { ShardPart } from "./coordinator.ts";
import type { CountStore } from "./counts.ts";
import { type Change, Fleets } from "./fleets.ts";
import { Kept } from "./kept.ts";
import { ruleAtSpeed } from "./outage.ts";
import { type FleetTotals, type TotalsAnswer, TRIES_IN_ORDER } from "./totals.ts";

/** What the coordinator said of the guard is good for this long. */
const GUARD_FRESH_MS = 5 * SECOND_MS;

/** Changed totals are handed over this often. */
const HAND_OVER_EVERY_MS = 5 * SECOND_MS;

/** While the coordinator can't be reached, what it last said of the guard stands in for this long. */
const LAST_GUARD_LASTS_MS = MINUTE_MS;

/** A vote is handed over at once, but this long after the last one: votes of a mass outage travel together. */
const EXCHANGE_GAP_MS = SECOND_MS;

const COORDINATOR_LIMIT_MS = 2 * SECOND_MS;

const RETRY_MS = 30 * SECOND_MS;

/** How many of its daily alarms a shard has had, and when the next is due. */
const daySchema = z.object({ number: z.number(), endsAt: z.number() });

/**
 * A part of the users: keeps what their fleets last reported, hands the sums over to the coordinator, and answers the fleets
 * how the service-wide guard stands.
 */
export class Shard {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #kept: Kept;
  readonly #counts: CountStore;
  readonly #fleets: Fleets;
  /** What the coordinator does not have yet. After a start nobody knows, so all is handed over again. */
  #pending: Change = "totals";
  #lastGuard: { readonly guard: Guard; readonly askedAt: number } | null = null;
  #exchangedAt = 0;
  #exchange: Promise<void> = Promise.resolve();
  #nextExchange: Promise<void> | null = null;
  #armedAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env, counts: CountStore) {
    this.#ctx = ctx;
    this.#env = env;
    this.#counts = counts;
    this.#kept = new Kept(ctx.storage.sql);
    this.#fleets = new Fleets(ctx.storage.sql, ruleAtSpeed(readSettings(env).SIMULATION_SPEED).voteStepMs);
  }

  /** Takes a report before it awaits anything, so that reports count in the order in which they arrive. */
  async report(totals: FleetTotals): Promise<TotalsAnswer> {
    const taken = this.#fleets.take(totals, this.#day().number);
    if (!taken.isTaken) return taken;
    this.#note(taken.change);
    return { isTaken: true, guard: await this.#guard(taken.change) };
  }

  /** Counters have grown. */
  noteCounts(): void {
    this.#note("totals");
  }

  /** Never throws: an alarm that fails too often never comes again. */
  async wake(): Promise<void> {
    this.#armedAt = null;
    const now = Date.now();
    let nextAt = now + RETRY_MS;
    try {
      const day = this.#day();
      if (now >= day.endsAt) {
        const number = day.number + 1;
        this.#pending = stronger(this.#pending, this.#fleets.age(number));
        this.#kept.write("day", { number, endsAt: now + DAY_MS });
      }
      if (this.#pending !== "nothing") await this.#handOverPending();
      nextAt = this.#pending === "nothing" ? this.#day().endsAt : Date.now() + HAND_OVER_EVERY_MS;
    } catch (error) {
      logWarning("the shard's alarm failed, will be tried again", {}, error);
    }
    this.#arm(nextAt);
  }

  #day(): z.infer<typeof daySchema> {
    const day = this.#kept.read("day", daySchema);
    if (day !== undefined) return day;
    const first = { number: 0, endsAt: Date.now() + DAY_MS };
    this.#kept.write("day", first);
    return first;
  }

  #note(change: Change): void {
    this.#pending = stronger(this.#pending, change);
    if (this.#pending !== "nothing") this.#armAtLatest(Date.now() + HAND_OVER_EVERY_MS);
  }

  async #guard(change: Change): Promise<Guard> {
    if (change !== "vote" && this.#lastGuard !== null && ageOf(this.#lastGuard.askedAt) < GUARD_FRESH_MS) {
      return this.#lastGuard.guard;
    }
    try {
      await this.#handOverPending();
    } catch (error) {
      if (this.#lastGuard === null || ageOf(this.#lastGuard.askedAt) >= LAST_GUARD_LASTS_MS) throw error;
    }
    if (this.#lastGuard === null) throw new Error("the coordinator has never answered");
    return this.#lastGuard.guard;
  }

  /**
   * Hands over to the coordinator all that is known by now. One exchange at a time; whoever comes while one waits for its turn
   * goes with it.
   */
  #handOverPending(): Promise<void> {
    this.#nextExchange ??= this.#afterTheLast();
    return this.#nextExchange;
  }

  async #afterTheLast(): Promise<void> {
    await this.#exchange.catch(() => {});
    const waitMs = EXCHANGE_GAP_MS - ageOf(this.#exchangedAt);
    if (waitMs > 0) await sleep(waitMs);
    this.#nextExchange = null;
    this.#exchange = this.#exchangeNow();
    await this.#exchange;
  }

  async #exchangeNow(): Promise<void> {
    const handedOver = this.#pending;
    const askedAt = Date.now();
    this.#pending = "nothing";
    this.#exchangedAt = askedAt;
    try {
      this.#lastGuard = { guard: await this.#handOver(handedOver !== "nothing"), askedAt };
    } catch (error) {
      this.#pending = stronger(handedOver, this.#pending);
      this.#armAtLatest(askedAt + RETRY_MS);
      throw error;
    }
  }

  /** Hands over what there is, if it is news, and brings back how the guard stands. */
  async #handOver(isNews: boolean): Promise<Guard> {
    let newest = 0;
    for (let turn = 0; turn < TRIES_IN_ORDER; turn++) {
      const part = isNews ? this.#nextPart(newest) : null;
      const asked = coordinatorOf(this.#env).handOver(this.#ctx.id.toString(), part);
      const answer = await within(COORDINATOR_LIMIT_MS, asked);
      if (answer.isTaken) return answer.guard;
      newest = answer.newest;
    }
    throw new Error("the coordinator did not take the totals");
  }

  /** What there is, as a part that is newer than any before. */
  #nextPart(newest: number): ShardPart {
    const number = Math.max(newest, this.#kept.read("part_number", z.number()) ?? 0) + 1;
    this.#kept.write("part_number", number);
    return { number, aggregate: this.#fleets.aggregate, counts: this.#counts.read() };
  }

  #armAtLatest(moment: number): void {
    if (!firesBy(moment, this.#armedAt, Date.now())) this.#arm(moment);
  }

  #arm(moment: number): void {
    this.#armedAt = moment;
    // Nobody waits for it: the platform holds the answer back until it is stored.
    void this.#ctx.storage.setAlarm(moment);
  }
}

function stronger(a: Change, b: Change): Change {
  if (a === "vote" || b === "vote") return "vote";
  return a === "totals" ? a : b;
}

/** If the clock went back, a moment may lie in the future. Its age is unknown and counts as infinite. */
function ageOf(moment: number): number {
  const age = Date.now() - moment;
  return age < 0 ? Number.POSITIVE_INFINITY : age;
}
