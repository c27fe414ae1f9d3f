import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BATCHES_PER_STEP } from "../src/cleanup/task.ts";
import { DIGEST_WINDOW_MS } from "../src/fleet/rules/digest-window.ts";
import { TOTALS_EVERY_MS } from "../src/fleet/rules/state.ts";
import { COST_DAYS_KEPT_MS } from "../src/history/costs.ts";
import { SHARDS } from "../src/service/address.ts";
import { type CleanupDemand, cleanupDemand } from "./cleanup-demand.ts";
import { DAY, KINDS, type Kind, liveADay, SECOND } from "./day.ts";
import { benchFleet, printFleets } from "./fleet.ts";
import { historyBytes } from "./history-size.ts";

/**
 * `npm run capacity`: what services of many sizes would ask of the platform. A day of some instances is counted up, and set
 * against the limits of what all users share. Then a real FleetActor says how large a single user may be.
 */

const SERVICES = [1_000, 100_000, 1_000_000, 10_000_000] as const;
const SAMPLE = 2_000;

/** Users have so many instances: of each size as many as its square root is small. One more has the most. */
const USER_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
const LARGEST_USER = 200_000;
const CHANNELS_A_USER = 1;
const OUTAGE_SHARE = 0.2;
/** A fleet sends its messages itself. So many of them fail in a way that may pass, by assumption, and become workflows. */
const FAILING_SHARE = 0.02;
/** What a channel takes to answer, assumed rather too long; one that fails is waited for until the call ends. */
const SEND_MS = { taken: 500, failed: 15_000 } as const;
/** Orders are spread over all workflows of this class. */
const ORDER_WORKFLOWS = [
  ...readFileSync(join(import.meta.dirname, "../wrangler.toml"), "utf8").matchAll(
    /^class_name = "InstanceAction"$/gm,
  ),
].length;
/** A workflow of a message waits, and sends. */
const STEPS_A_DELIVERY = 2;

/** Alerts of a user within this time make one message a channel, and totals go to the service this often at most. */
const DIGEST_SECONDS = DIGEST_WINDOW_MS / SECOND;
const TOTALS_SECONDS = TOTALS_EVERY_MS / SECOND;
/**
 * One in so many totals brings a vote that has changed, which a shard hands over at once. Assumed rather too often: a vote
 * changes when an outage of the user's fleet begins or ends, and totals with each status of an instance.
 */
const TOTALS_A_VOTE = 30;
/** A fleet without news reports this often all the same. */
const TOTALS_AT_LEAST_SECONDS = 20 * 3600;
/** One in so many users has the page open, which asks for the rows in sight this often (`SIGHT_PAUSE_MS`). */
const USERS_A_VIEWER = 100;
const VIEWER_SECONDS = 5;

/**
 * What the platform takes, by its documentation (developers.cloudflare.com, 2026-11): an object that writes 200 to 500 requests
 * a second; D1 a thousand queries a second of a millisecond each, of which a batch that writes is taken for two, and 10 GB; a
 * workflow is created 100 times a second, and all workflows of an account 300 times.
 */
const LIMITS = {
  objectRequests: 200,
  d1Reads: 1000,
  d1Batches: 500,
  d1Bytes: 10e9,
  objectBytes: 10e9,
  workflow: 100,
  account: 300,
} as const;

/** Dollars a million, beyond what the plan of $5 includes a month. */
const PRICES = {
  workerRequests: { dollars: 0.3, included: 10e6 },
  cpuMs: { dollars: 0.02, included: 30e6 },
  objectRequests: { dollars: 0.15, included: 1e6 },
  objectRows: { dollars: 1, included: 50e6 },
  gigabyteSeconds: { dollars: 12.5, included: 400_000 },
  d1Rows: { dollars: 1, included: 50e6 },
  /** A month. */
  d1Gigabytes: { dollars: 0.75e6, included: 5 },
  workflowSteps: { dollars: 8, included: 500_000 },
} as const;
type Priced = keyof typeof PRICES;
const PLAN_DOLLARS = 5;

/**
 * CPU of a request of the Worker: `npm run bench` gives 1.2 ms a heartbeat with the load's own process in it. An object is
 * awake while it answers, and longer while it waits for D1 or its fleet; both are assumed rather too long.
 */
const CPU_MS_A_REQUEST = 1;
const AWAKE_MS = { request: 5, delivery: 50 } as const;
const OBJECT_GIGABYTES = 0.128;

/** A day of the free plan. */
const FREE = {
  workerRequests: 100_000,
  objectRequests: 100_000,
  objectRows: 100_000,
  d1Rows: 100_000,
} as const;
/** `HEARTBEAT_RETENTION_DAYS`: by default, and so long that a month can be replayed heartbeat by heartbeat. */
const RETENTION_DAYS = 7;
const LONG_RETENTION_DAYS = 30;
/** `HOURS_RETENTION_DAYS` and `EVENT_RETENTION_DAYS`. */
const HOURS_AND_EVENTS_KEPT = 400;

/**
 * A day of costs of an instance: written to the history, one in ten changed by a late report and written again, and deleted in the end.
 * Its fleet closes it, notes that the history has it, and forgets it, with the day of which that was made.
 */
const COST_DAY = { d1Rows: 1 + 0.1 + 1, fleetRows: 2 + 2 + 2 + 1 } as const;
const COST_DAYS_KEPT = COST_DAYS_KEPT_MS / DAY;

interface Users {
  readonly size: number;
  readonly count: number;
}

function usersOf(instances: number): Users[] {
  const largest = instances > LARGEST_USER ? [{ size: LARGEST_USER, count: 1 }] : [];
  const rest = instances - largest.length * LARGEST_USER;
  const sizes = USER_SIZES.filter((size) => size <= rest / 10);
  const unit = rest / sizes.reduce((sum, size) => sum + Math.sqrt(size), 0);
  return [...sizes.map((size) => ({ size, count: unit / Math.sqrt(size) })), ...largest];
}

/** How often a second something happens that a user has at most once in `seconds`, though its instances call for it more often. */
function bundled(users: readonly Users[], perInstance: number, seconds: number): number {
  const ofOne = (size: number) => (1 - Math.exp(-size * perInstance * seconds)) / seconds;
  return users.reduce((sum, { size, count }) => sum + count * ofOne(size), 0);
}

const demand = liveADay(SAMPLE);
const peak = (kind: Kind) => demand.peakPerSecond(kind) / SAMPLE;
const rowBytes = historyBytes();
const HEARTBEATS_AN_HOUR = 60;

/** What the history keeps of an instance, in bytes of its database. A chunk that is not full takes as much as one that is. */
function keptOf(retentionDays: number) {
  const hoursADay = demand.total.workerRequests / SAMPLE / HEARTBEATS_AN_HOUR;
  return {
    heartbeats: (demand.chunks / SAMPLE) * retentionDays * rowBytes.chunk,
    hours: hoursADay * (HOURS_AND_EVENTS_KEPT - retentionDays) * rowBytes.hour,
    events: (demand.events / SAMPLE) * HOURS_AND_EVENTS_KEPT * rowBytes.event,
    costs: COST_DAYS_KEPT * rowBytes.costDay,
  };
}

function bytesKept(retentionDays: number): number {
  return Object.values(keptOf(retentionDays)).reduce((sum, bytes) => sum + bytes, 0);
}

const bytesOfAnInstance = bytesKept(RETENTION_DAYS);
const mean = (kind: Kind) => demand.total[kind] / SAMPLE / (DAY / SECOND);

console.log(`A day of ${SAMPLE} instances through src/lifecycle, counted up:`);
console.table(
  Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      {
        "a heartbeat": (demand.total[kind] / demand.total.workerRequests).toFixed(4),
        ...Object.fromEntries(SERVICES.map((size) => [`peak/s of ${size}`, (peak(kind) * size).toFixed(1)])),
      },
    ]),
  ),
);

/** What all users share, as shares of the limits: on average, and in the ten seconds in which a fifth falls silent. */
function shared(instances: number) {
  const users = usersOf(instances);
  const count = users.reduce((sum, each) => sum + each.count, 0);
  const totals = (perInstance: number) =>
    bundled(users, perInstance, TOTALS_SECONDS) + count / TOTALS_AT_LEAST_SECONDS;
  const deliveries = (perInstance: number) => CHANNELS_A_USER * bundled(users, perInstance, DIGEST_SECONDS);
  const accounts = count / USERS_A_VIEWER / VIEWER_SECONDS;
  const of = (limit: number, ...[average, highest]: [number, number]) =>
    `${percent(average / limit)} / ${percent(highest / limit)}`;
  const orders = [mean("orders") * instances, peak("orders") * instances] as const;
  const failing = [
    FAILING_SHARE * deliveries(mean("alerts")),
    FAILING_SHARE * deliveries(peak("alerts")),
  ] as const;
  const shardLoad = (perInstance: number) => totals(perInstance) / SHARDS;
  // A shard hands over at most once a second, and every five seconds while its totals change.
  const coordinatorLoad = (perInstance: number) =>
    Math.min(SHARDS, SHARDS / 5 + totals(perInstance) / TOTALS_A_VOTE);
  const bytes = bytesOfAnInstance * instances;
  return {
    users: Math.round(count),
    "a shard of the service": of(LIMITS.objectRequests, shardLoad(mean("moves")), shardLoad(peak("moves"))),
    "its coordinator": of(
      LIMITS.objectRequests,
      coordinatorLoad(mean("moves")),
      coordinatorLoad(peak("moves")),
    ),
    "D1 with the accounts": of(LIMITS.d1Reads, accounts, accounts),
    "orders created, in each workflow": of(ORDER_WORKFLOWS * LIMITS.workflow, ...orders),
    "deliveries that fail at first": of(LIMITS.workflow, ...failing),
    "the last of them is late by, s": Math.round(
      (users.reduce((sum, { size, count: of }) => sum + of * (1 - (1 - OUTAGE_SHARE) ** size), 0) *
        FAILING_SHARE) /
        LIMITS.workflow,
    ),
    "the account's workflows": of(LIMITS.account, orders[0] + failing[0], orders[1] + failing[1]),
    "history databases, by size": Math.ceil(bytes / LIMITS.d1Bytes),
    "by load": Math.ceil((peak("historyBatches") * instances) / LIMITS.d1Batches),
  };
}

console.log("What all users share, in percent of its limit: a day's mean / the peak of a regional outage");
console.table(transposed(Object.fromEntries(SERVICES.map((size) => [size, shared(size)]))));

/** A day's cleanup. */
function cleanup(instances: number) {
  const users = usersOf(instances);
  const chunkCount = demand.total.historyBatches / SAMPLE;
  const bytes = bytesOfAnInstance * instances;
  return cleanupDemand({
    instances,
    users: users.reduce((sum, { count }) => sum + count, 0),
    largestUser: Math.max(...users.map(({ size }) => size)),
    databases: Math.max(1, Math.ceil(bytes / LIMITS.d1Bytes)),
    chunks: chunkCount,
    events: demand.total.alerts / SAMPLE,
  });
}

console.log("The daily cleanup:");
console.table(
  transposed(
    Object.fromEntries(
      SERVICES.map((size) => {
        const { calls, steps, workflows, d1Rows, minutes } = cleanup(size);
        return [
          size,
          {
            subrequests: Math.round(calls),
            "subrequests an instance": (calls / size).toFixed(2),
            workflows: Math.round(workflows),
            "started a second, of its limit": percent(BATCHES_PER_STEP / LIMITS.workflow),
            steps: Math.round(steps),
            "rows written in D1": Math.round(d1Rows),
            minutes: Math.ceil(minutes),
          },
        ];
      }),
    ),
  ),
);

const WITHOUT_CLEANUP = { instances: 0, d1Rows: 0, steps: 0 } as const;

/** What a month takes of each thing that has a price: what happens to the instances, and a daily cleanup that visits so many. */
function month(
  instances: number,
  cleaned: Pick<CleanupDemand, "d1Rows" | "steps"> & { readonly instances: number } = {
    instances,
    ...cleanup(instances),
  },
): Record<Priced, number> {
  const users = usersOf(instances);
  const count = (kind: Kind) => ((demand.total[kind] * instances) / SAMPLE) * 30;
  const messages = CHANNELS_A_USER * bundled(users, mean("alerts"), DIGEST_SECONDS) * (DAY / SECOND) * 30;
  const totals = bundled(users, mean("moves"), TOTALS_SECONDS) * (DAY / SECOND) * 30;
  const deliveries = count("historyBatches") + count("reports");
  const failing = FAILING_SHARE * messages;
  // A message takes two alarms of its fleet; the workflow of one that failed asks for its channel, and notes its answer.
  const requests =
    count("actorRequests") +
    count("reports") +
    count("credentialReads") +
    count("turns") +
    totals +
    2 * messages +
    2 * failing +
    30 * cleaned.instances;
  const sendingMs = (messages - failing) * SEND_MS.taken + failing * SEND_MS.failed;
  const awakeMs = requests * AWAKE_MS.request + deliveries * AWAKE_MS.delivery + sendingMs;
  return {
    workerRequests: count("workerRequests"),
    cpuMs: (count("workerRequests") + count("orderSteps") + messages + failing) * CPU_MS_A_REQUEST,
    objectRequests: requests,
    objectRows:
      count("actorRows") +
      count("fleetRows") +
      count("turns") +
      totals +
      6 * messages +
      30 * COST_DAY.fleetRows * instances,
    gigabyteSeconds: (awakeMs / SECOND) * OBJECT_GIGABYTES,
    d1Rows: count("d1Rows") + 30 * cleaned.d1Rows + 30 * COST_DAY.d1Rows * instances,
    d1Gigabytes: (bytesOfAnInstance * instances) / 1e9,
    workflowSteps: count("orderSteps") + STEPS_A_DELIVERY * failing + 30 * cleaned.steps,
  };
}

const priced = (kind: Priced, amount: number) => (amount / 1e6) * PRICES[kind].dollars;
console.log("Dollars a month, beyond what the plan includes:");
console.table(
  transposed(
    Object.fromEntries(
      SERVICES.map((size) => {
        const used = month(size);
        const parts = Object.keys(PRICES)
          .filter(isPriced)
          .map((kind) => [kind, priced(kind, Math.max(0, used[kind] - PRICES[kind].included))] as const);
        const sum = parts.reduce((total, [, dollars]) => total + dollars, PLAN_DOLLARS);
        return [
          size,
          {
            ...Object.fromEntries(parts.map(([kind, dollars]) => [kind, Math.round(dollars)])),
            "in all": Math.round(sum),
            "an instance": (sum / size).toFixed(4),
          },
        ];
      }),
    ),
  ),
);

const million = month(1_000_000);
const uncleaned = month(1_000_000, WITHOUT_CLEANUP);
const perMillion = (kind: Priced, used = million) =>
  priced(kind, used[kind]) / (million.workerRequests / 1e6);
const kinds = Object.keys(PRICES).filter(isPriced);
const sumOf = (used: Record<Priced, number>) => kinds.reduce((sum, kind) => sum + perMillion(kind, used), 0);
console.log("List price of a million heartbeats, all that they lead to counted:");
console.table({
  ...Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        "without the cleanup": perMillion(kind, uncleaned).toFixed(3),
        "with it": perMillion(kind).toFixed(3),
      },
    ]),
  ),
  "in all": { "without the cleanup": sumOf(uncleaned).toFixed(2), "with it": sumOf(million).toFixed(2) },
});
console.log("Bytes of the history, measured:");
console.table(rowBytes);
console.log("What the history keeps of an instance, by how long heartbeats are kept one by one:");
console.table(
  Object.fromEntries(
    [RETENTION_DAYS, LONG_RETENTION_DAYS].map((days) => {
      const bytes = bytesKept(days);
      return [
        `${days} days`,
        {
          ...Object.fromEntries(
            Object.entries(keptOf(days)).map(([name, of]) => [`${name}, KB`, Math.round(of / 1000)]),
          ),
          "in all, MB": (bytes / 1e6).toFixed(2),
          "instances a database": Math.floor(LIMITS.d1Bytes / bytes),
          "$ a month for 1,000 instances": ((bytes * 1000) / 1e9) * 0.75,
        },
      ];
    }),
  ),
);
const small = month(20);
const freeSize = Math.min(
  ...Object.entries(FREE).map(([kind, limit]) =>
    isPriced(kind) ? (20 * limit * 30) / small[kind] : Infinity,
  ),
);
console.log(`The free plan's largest fleet: ${Math.floor(freeSize)} instances.`);

const fleets = await benchFleet();
printFleets(fleets);
const large = fleets.at(-1);
if (large !== undefined) {
  const rates = { "measured here": large.reportsPerSecond, "at the platform's least": LIMITS.objectRequests };
  console.log("The largest user, by the reports a second that its one object takes:");
  console.table(
    Object.fromEntries(
      Object.entries(rates).map(([name, rate]) => [
        name,
        {
          "reports/s": Math.round(rate),
          "instances, a fifth falls silent at once": Math.floor(rate / peak("reports")),
          // All of them fall silent within a minute, as heartbeats come.
          [`reports of ${LARGEST_USER} late by, s`]: Math.max(
            0,
            Math.round((OUTAGE_SHARE * LARGEST_USER) / rate - 60),
          ),
          "instances on an ordinary day": Math.floor(rate / mean("reports")),
        },
      ]),
    ),
  );
  const bySize = Math.floor((LIMITS.objectBytes / (large.megabytes * 1e6)) * large.rows);
  console.log(`By the size of its rows a fleet holds ${bySize} instances.`);
}

function isPriced(kind: string): kind is Priced {
  return Object.hasOwn(PRICES, kind);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** Rows become columns. */
function transposed<T>(table: Record<string, Record<string, T>>): Record<string, Record<string, T>> {
  const rows: Record<string, Record<string, T>> = {};
  for (const [column, values] of Object.entries(table)) {
    for (const [row, value] of Object.entries(values)) rows[row] = { ...rows[row], [column]: value };
  }
  return rows;
}
