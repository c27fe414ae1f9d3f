import { decide, nextWakeAt } from "../src/lifecycle/decide.ts";
import type { PendingEffect } from "../src/lifecycle/model/effects.ts";
import type { InstanceEvent } from "../src/lifecycle/model/instance-event.ts";
import { withoutEffects } from "../src/lifecycle/model/outbox.ts";
import { compilePolicy } from "../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../src/lifecycle/model/policy-settings.ts";
import { type InstanceState, newState } from "../src/lifecycle/model/state.ts";

/**
 * `npm run capacity`: a day of a fleet through the real core, event by event, and what the platform would be asked for.
 * Instances are independent of each other but for the guard, so a sample of them is lived and counted up. A region with
 * a fifth of the fleet is cut off for twenty minutes in the afternoon.
 */

const FLEETS = [1_000, 100_000, 1_000_000] as const;
const SAMPLE = 2_000;
const INSTANCES_PER_USER = 20;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2030, 0, 7);
const OUTAGE = { from: START + 15 * HOUR, to: START + 15 * HOUR + 20 * MINUTE, share: 0.2 };
/** Peaks are those of the busiest ten seconds. */
const BUCKET_MS = 10 * SECOND;

/**
 * What the platform takes, by its documentation (developers.cloudflare.com, 2026-11): D1 answers one query after the
 * other, about a thousand a second at a millisecond each, and holds 10 GB; a workflow is created 100 times a second.
 */
const LIMITS = { d1BatchesPerSecond: 500, d1Bytes: 10e9, workflowsPerSecond: 100 } as const;

/** Dollars a million, beyond what the plan of $5 includes a month. */
const PRICES = {
  workerRequests: { dollars: 0.3, included: 10e6 },
  actorRequests: { dollars: 0.15, included: 1e6 },
  actorRows: { dollars: 1, included: 50e6 },
  d1Rows: { dollars: 1, included: 50e6 },
} as const;
const PLAN_DOLLARS = 5;

/** A day of the free plan. */
const FREE = {
  workerRequests: 100_000,
  actorRequests: 100_000,
  actorRows: 100_000,
  d1Rows: 100_000,
} as const;

const RETENTION_DAYS = 7;

const KINDS = [
  "workerRequests",
  "actorRequests",
  "alarms",
  "actorRows",
  "historyBatches",
  "registryBatches",
  "d1Rows",
  "workflows",
] as const;

type Kind = (typeof KINDS)[number];

/** How often each was asked for: in all, and by bucket. */
class Demand {
  readonly total: Record<Kind, number> = { ...ZERO };
  readonly #buckets = new Map<number, Record<Kind, number>>();
  chunkBytes = 0;

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

  /** Of the day but for its first two hours, in which the whole fleet is new. */
  peakPerSecond(kind: Kind): number {
    const settled = [...this.#buckets].filter(([bucket]) => bucket * BUCKET_MS >= 2 * HOUR);
    return Math.max(...settled.map(([, counts]) => counts[kind])) / (BUCKET_MS / SECOND);
  }
}

const ZERO: Record<Kind, number> = {
  workerRequests: 0,
  actorRequests: 0,
  alarms: 0,
  actorRows: 0,
  historyBatches: 0,
  registryBatches: 0,
  d1Rows: 0,
  workflows: 0,
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
      return 3;
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
    const [chunks, others] = [outbox.some(isChunk), outbox.some((each) => !isChunk(each))];
    if (chunks) this.#demand.add("historyBatches", at);
    if (others) this.#demand.add("registryBatches", at);
    for (const pending of outbox) {
      this.#demand.add("d1Rows", at, d1RowsOf(pending));
      if (pending.effect.type === "chunk") this.#demand.chunkBytes += bytesOf(pending.effect.heartbeats);
      if (pending.effect.type === "guard") {
        this.#demand.add("registryBatches", at);
        const held =
          at >= OUTAGE.from && at < OUTAGE.to + 5 * MINUTE && this.#index % (1 / OUTAGE.share) === 0;
        this.#queue.push({
          at: at + SECOND,
          event: held
            ? { type: "guard.deferred", step: pending.effect.step }
            : { type: "guard.permitted", step: pending.effect.step, openedAt: null },
        });
      }
      if (pending.effect.type === "action") {
        this.#demand.add("workflows", at);
        const { actionId } = pending.effect.order;
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
    // Alerts of a user within half a minute make one digest.
    if (outbox.some(({ effect }) => effect.type === "event" && effect.event.severity !== "info")) {
      this.#demand.add("workflows", at, 1 / Math.max(1, INSTANCES_PER_USER * OUTAGE.share));
    }
    this.state = withoutEffects(this.state, new Set(outbox.map(({ id }) => id)));
    this.#demand.add("actorRows", at);
    this.#queue.sort((a, b) => a.at - b.at);
  }
}

function isChunk({ effect }: PendingEffect): boolean {
  return effect.type === "chunk";
}

/** As `history/append.ts` writes it, with its key. */
function bytesOf(heartbeats: readonly object[]): number {
  return JSON.stringify(heartbeats.map((each) => Object.values(each))).length + 60;
}

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 4_294_967_296;
}

const demand = new Demand();
const instances = Array.from({ length: SAMPLE }, (_, index) => new Instance(index, demand));
for (const instance of instances) while (instance.nextAt < START + DAY) instance.live();

console.log(`A day of ${SAMPLE} instances through src/lifecycle, counted up:`);
console.table(
  Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      {
        "a heartbeat": (demand.total[kind] / demand.total.workerRequests).toFixed(3),
        ...Object.fromEntries(
          FLEETS.map((fleet) => [
            `peak/s of ${fleet}`,
            ((demand.peakPerSecond(kind) * fleet) / SAMPLE).toFixed(1),
          ]),
        ),
      },
    ]),
  ),
);

const bytesPerInstance = (demand.chunkBytes / SAMPLE) * RETENTION_DAYS;
console.table(
  Object.fromEntries(
    FLEETS.map((fleet) => {
      const scale = fleet / SAMPLE;
      const historyPerSecond = demand.peakPerSecond("historyBatches") * scale;
      const registryPerSecond = demand.peakPerSecond("registryBatches") * scale;
      const gigabytes = (bytesPerInstance * fleet) / 1e9;
      const month = (kind: keyof typeof PRICES) =>
        (Math.max(0, demand.total[kind] * scale * 30 - PRICES[kind].included) / 1e6) * PRICES[kind].dollars;
      const dollars =
        PLAN_DOLLARS + Object.keys(PRICES).reduce((sum, kind) => sum + (isPriced(kind) ? month(kind) : 0), 0);
      return [
        `${fleet} instances`,
        {
          "history GB": gigabytes.toFixed(1),
          "databases by size": Math.ceil(gigabytes / (LIMITS.d1Bytes / 1e9)),
          "databases by load": Math.ceil(historyPerSecond / LIMITS.d1BatchesPerSecond),
          "registry's load": (registryPerSecond / LIMITS.d1BatchesPerSecond).toFixed(2),
          "workflows/s of 100": ((demand.peakPerSecond("workflows") * fleet) / SAMPLE).toFixed(1),
          "$ a month": Math.round(dollars),
          "$ an instance": (dollars / fleet).toFixed(4),
        },
      ];
    }),
  ),
);
const million =
  (1e6 / demand.total.workerRequests) *
  Object.keys(PRICES).reduce(
    (sum, kind) => sum + (isPriced(kind) ? (demand.total[kind] * PRICES[kind].dollars) / 1e6 : 0),
    0,
  );
console.log(`List price of a million heartbeats, all that they lead to counted: $${million.toFixed(2)}`);
console.log(
  `The first limit: one database's size, at ${Math.floor(LIMITS.d1Bytes / bytesPerInstance)} instances.`,
);
const free = Math.min(
  ...Object.entries(FREE).map(([kind, limit]) =>
    isPriced(kind) ? (limit * SAMPLE) / demand.total[kind] : Number.POSITIVE_INFINITY,
  ),
);
console.log(`The free plan's largest fleet: ${Math.floor(free)} instances.`);

function isPriced(kind: string): kind is keyof typeof PRICES {
  return Object.hasOwn(PRICES, kind);
}
