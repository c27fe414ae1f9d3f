import { decide, nextWakeAt } from "../src/lifecycle/decide.ts";
import type { PendingEffect } from "../src/lifecycle/model/effects.ts";
import { isAlert } from "../src/lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../src/lifecycle/model/instance-event.ts";
import { withoutEffects } from "../src/lifecycle/model/outbox.ts";
import { compilePolicy } from "../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../src/lifecycle/model/policy-settings.ts";
import { type InstanceState, newState } from "../src/lifecycle/model/state.ts";

/**
 * A day of many instances through the real core, event by event, and what each is asked of the platform. Instances are
 * independent of each other but for the guard. A region with a fifth of the fleet is cut off for twenty minutes in the
 * afternoon.
 */

export const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const START = Date.UTC(2030, 0, 7);
const OUTAGE = { from: START + 15 * HOUR, to: START + 15 * HOUR + 20 * MINUTE, share: 0.2 };
/** Peaks are those of the busiest ten seconds. */
const BUCKET_MS = 10 * SECOND;

export const KINDS = [
  "workerRequests",
  /** Requests of instances: heartbeats, alarms, and what workflows ask. */
  "actorRequests",
  "alarms",
  "actorRows",
  "historyBatches",
  "d1Rows",
  /** Reports to fleets, those of them that change a status, and the rows that they write there. */
  "reports",
  "moves",
  "fleetRows",
  "alerts",
  /** Orders are workflows; their steps, and how often they ask the fleet for the credentials of their provider. */
  "orders",
  "orderSteps",
  "credentialReads",
  /** Calls to providers ask the fleet for their turns, each of which is a row there. */
  "turns",
] as const;

export type Kind = (typeof KINDS)[number];

/**
 * Steps of an order that is stopped at the second look: look, ask, try, note, look, wait, look, tell. Each look reads the
 * provider's credentials from the fleet, and when they were set; the try reads them once more. Each of its calls to
 * the provider asks the fleet for its turn.
 */
const STEPS_AN_ORDER = 8;
const CREDENTIAL_READS_AN_ORDER = 7;
const TURNS_AN_ORDER = 4;

/**
 * Rows that a report writes in its fleet, by the tables and indexes of `src/fleet/tables/schema.ts`: the instance and its index,
 * the state and the alarm, what the instance costs and its day; for a move two counts of silences; for an event its row, its key, an index and its count. An alert has
 * two more indexes, and is marked as told: its row and an index once more.
 */
const FLEET_ROWS = { report: 6, move: 4, event: 4, alert: 8 } as const;

/** How often each was asked for: in all, and by bucket. */
export class Demand {
  readonly total: Record<Kind, number> = { ...ZERO };
  readonly #buckets = new Map<number, Record<Kind, number>>();
  chunks = 0;
  events = 0;

  add(kind: Kind, at: number, by = 1): void {
    this.total[kind] += by;
    const bucket = Math.floor((at - START) / BUCKET_MS);
    let counts = this.#buckets.get(bucket);
    if (counts === undefined) {
      counts = { ...ZERO };
      this.#buckets.set(bucket, counts);
    }
    counts[kind] += by;
  }

  /**
   * The busiest ten seconds of the day, but for its first two hours, in which the whole fleet is new. Of what no outage brings
   * about together, the busiest quarter of an hour: in ten seconds of a sample a few that meet by chance would be a peak.
   */
  peakPerSecond(kind: Kind): number {
    const buckets = BY_CHANCE.has(kind) ? (15 * MINUTE) / BUCKET_MS : 1;
    const sums = new Map<number, number>();
    for (const [bucket, counts] of this.#buckets) {
      if (bucket * BUCKET_MS < 2 * HOUR) continue;
      const window = Math.floor(bucket / buckets);
      sums.set(window, (sums.get(window) ?? 0) + counts[kind]);
    }
    return Math.max(...sums.values()) / ((buckets * BUCKET_MS) / SECOND);
  }
}

const BY_CHANCE: ReadonlySet<Kind> = new Set<Kind>(["orders", "orderSteps", "credentialReads", "turns"]);

const ZERO: Record<Kind, number> = {
  workerRequests: 0,
  actorRequests: 0,
  alarms: 0,
  actorRows: 0,
  historyBatches: 0,
  d1Rows: 0,
  reports: 0,
  moves: 0,
  fleetRows: 0,
  alerts: 0,
  orders: 0,
  orderSteps: 0,
  credentialReads: 0,
  turns: 0,
};

const policy = compilePolicy(DEFAULT_POLICY, 1);

/** Rows of D1 that an effect writes, its indexes counted. */
function d1RowsOf({ effect }: PendingEffect): number {
  switch (effect.type) {
    case "chunk":
      return 1;
    case "event":
      return 3;
    case "projection":
    case "guard":
    case "action":
    case "forget":
      return 0;
  }
}

/** One instance of the sample: its state, its alarm, and how it behaves. */
class Instance {
  state: InstanceState;
  alarmAt: number | null = null;
  readonly #index: number;
  readonly #demand: Demand;
  readonly #queue: { at: number; event: InstanceEvent }[] = [];
  nextBeatAt: number;
  #silentUntil = 0;
  #busy = true;
  #changesAt: number;
  /** Its status as its fleet knows it. */
  #reported = "";

  constructor(index: number, demand: Demand) {
    this.#index = index;
    this.#demand = demand;
    const profile = { name: `i-${index}`, providerRef: null, hourlyCost: 1, hibernatedHourlyCost: 0 };
    this.state = newState({ ...profile, provider: "webhook", registeredAt: START });
    this.nextBeatAt = START + random() * HOUR;
    this.#changesAt = START + random() * HOUR;
  }

  get nextAt(): number {
    return Math.min(
      this.nextBeatAt,
      this.alarmAt ?? Number.POSITIVE_INFINITY,
      this.#queue[0]?.at ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Lives on to the next moment at which anything happens to it. */
  live(): void {
    const at = this.nextAt;
    const queued = this.#queue[0];
    if (queued !== undefined && queued.at === at) {
      this.#queue.shift();
      this.#demand.add("actorRequests", at);
      this.#decide(queued.event, at);
    } else if (this.alarmAt === at) {
      this.alarmAt = null;
      this.#demand.add("alarms", at);
      this.#demand.add("actorRequests", at);
      this.#decide({ type: "alarm", dueAt: at }, at);
    } else {
      this.nextBeatAt = at + MINUTE;
      this.#behave(at);
      if (this.#isHeard(at)) this.#beat(at);
    }
  }

  /** Busy by day, idle by night; a few in a hundred die or flap each day. */
  #behave(at: number): void {
    if (at >= this.#changesAt) {
      const hour = ((at - START) / HOUR + (this.#index % 24)) % 24;
      this.#busy = random() < (hour > 8 && hour < 20 ? 0.97 : 0.85);
      this.#changesAt = at + (this.#busy ? 1 + random() * 6 : 0.1 + random() * 0.5) * HOUR;
    }
    if (random() < 0.02 / 1440) this.#silentUntil = at + DAY;
    if (this.#index % 100 === 0 && random() < 0.05) this.#silentUntil = at + 7 * MINUTE;
  }

  #isHeard(at: number): boolean {
    const inRegion = this.#index % (1 / OUTAGE.share) === 0;
    if (inRegion && at >= OUTAGE.from && at < OUTAGE.to) return false;
    return at >= this.#silentUntil && !["hibernated", "deleted"].includes(this.state.phase.status);
  }

  #beat(at: number): void {
    this.#demand.add("workerRequests", at);
    this.#demand.add("actorRequests", at);
    const report = {
      gpu_utilization: this.#busy ? 87 : 1,
      vram_used_gb: 18.4,
      cpu_utilization: 45,
      ram_used_gb: 12,
      disk_used_gb: 45.2,
      cost_accumulated: (at - START) / HOUR,
      uptime_seconds: (at - START) / SECOND,
      status: "running",
    };
    this.#decide({ type: "heartbeat", report }, at);
  }

  #decide(event: InstanceEvent, at: number): void {
    const decision = decide(this.state, event, policy, at);
    if (decision.state !== this.state) this.#demand.add("actorRows", at);
    this.state = decision.state;
    if (this.state.outbox.length > 0) this.#deliver(at);
    const wakeAt = nextWakeAt(this.state, policy, at);
    // The alarm is lazy: only an earlier moment arms it anew.
    if (wakeAt !== null && (this.alarmAt === null || wakeAt < this.alarmAt)) {
      this.alarmAt = Math.max(wakeAt, at + 1);
      this.#demand.add("actorRows", at);
    }
  }

  #deliver(at: number): void {
    const { outbox } = this.state;
    const goesToHistory = outbox.some(({ effect }) => effect.type === "chunk" || effect.type === "event");
    if (goesToHistory) this.#demand.add("historyBatches", at);
    if (outbox.some(({ effect }) => effect.type !== "chunk" && effect.type !== "action")) this.#report(at);
    for (const pending of outbox) {
      this.#demand.add("d1Rows", at, d1RowsOf(pending));
      if (pending.effect.type === "chunk") this.#demand.chunks += 1;
      if (pending.effect.type === "event") this.#demand.events += 1;
      if (pending.effect.type === "guard") {
        const held =
          at >= OUTAGE.from && at < OUTAGE.to + 5 * MINUTE && this.#index % (1 / OUTAGE.share) === 0;
        this.#queue.push({
          at: at + SECOND,
          event: held
            ? { type: "guard.deferred", step: pending.effect.step }
            : { type: "guard.permitted", step: pending.effect.step, openedAt: null },
        });
      }
      if (pending.effect.type === "action") this.#order(pending.effect.order.actionId, at);
    }
    this.state = withoutEffects(this.state, new Set(outbox.map(({ id }) => id)));
    this.#demand.add("actorRows", at);
    this.#queue.sort((a, b) => a.at - b.at);
  }

  #report(at: number): void {
    this.#demand.add("reports", at);
    const { status } = this.state.phase;
    const hasMoved = status !== this.#reported;
    this.#reported = status;
    if (hasMoved) this.#demand.add("moves", at);
    this.#demand.add("fleetRows", at, FLEET_ROWS.report + (hasMoved ? FLEET_ROWS.move : 0));
    for (const { effect } of this.state.outbox) {
      if (effect.type !== "event") continue;
      if (isAlert(effect.event)) this.#demand.add("alerts", at);
      this.#demand.add("fleetRows", at, isAlert(effect.event) ? FLEET_ROWS.alert : FLEET_ROWS.event);
    }
  }

  #order(actionId: string, at: number): void {
    this.#demand.add("orders", at);
    this.#demand.add("orderSteps", at, STEPS_AN_ORDER);
    this.#demand.add("credentialReads", at, CREDENTIAL_READS_AN_ORDER);
    this.#demand.add("turns", at, TURNS_AN_ORDER);
    this.#queue.push({ at: at + 1 * SECOND, event: { type: "action.checked", actionId, sighted: null } });
    this.#queue.push({ at: at + 2 * SECOND, event: { type: "action.tried", actionId } });
    this.#queue.push({ at: at + 2 * SECOND, event: { type: "action.accepted", actionId } });
    const succeeded = {
      type: "action.succeeded",
      actionId,
      confirmedBy: "capacity",
      snapshotId: null,
    } as const;
    this.#queue.push({ at: at + 30 * SECOND, event: succeeded });
    // Its owner misses it some hours later.
    this.#queue.push({ at: at + (2 + random() * 6) * HOUR, event: { type: "wake.requested" } });
  }
}

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 4_294_967_296;
}

/** The demand of a day of so many instances. */
export function liveADay(count: number): Demand {
  const demand = new Demand();
  const instances = Array.from({ length: count }, (_, index) => new Instance(index, demand));
  for (const instance of instances) while (instance.nextAt < START + DAY) instance.live();
  return demand;
}
