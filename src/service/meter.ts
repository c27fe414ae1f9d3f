import { SECOND_MS } from "../lifecycle/model/time.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import { pickShard, shardNumbered } from "./address.ts";

/**
 * Counts of the whole service, which no single instance knows. An isolate gathers them in memory and hands them to the
 * service now and then, so that counting costs a busy service next to nothing. What an isolate has not handed over
 * when it ends is lost.
 */

/** By how much each counter grew, by its name with its labels. */
export type Counts = Readonly<Record<string, number>>;

const FLUSH_AFTER_MS = 15 * SECOND_MS;

/** Nobody waits for the answer, but what waits for it keeps an object awake. */
const FLUSH_LIMIT_MS = 5 * SECOND_MS;

let gathered: Record<string, number> = {};
let flushedAt = 0;

/** Picked by this isolate at random, and anew once it fails: isolates spread over all, and each wakes one. */
let shard: number | null = null;

/** The labels of each counter. They have few values, whatever users do. */
interface CounterLabels {
  heartbeats: { outcome: "accepted" | "refused"; reason: string };
  actions: { kind: string; outcome: string };
  /** Looks at machines that count as hibernated after a restore or an import. */
  looks: { outcome: "running" | "stopped" | "gone" | "unknown" };
  alerts: { channel: string; outcome: "delivered" | "failed" };
  /** Messages that a channel did not take until the last try, or refused. */
  alerts_given_up: { channel: string };
  /** Alerts and messages that a sweep found to wait for longer than they should. */
  alerts_late: Record<never, string>;
  chunks: Record<never, string>;
  outbox_failures: Record<never, string>;
  /**
   * Chunks that wait for the history, each counted once for every minute that it waits: with each failed try for the minutes
   * until the next one.
   */
  waiting_chunks: Record<never, string>;
  /** Effects that failed ten times while others of their target passed, and now wait in rows of their own. */
  deliveries_parked: Record<never, string>;
  /** What a reconciliation found apart, and mended. */
  differences: { difference: string };
  /** Effects that an instance could not deliver within a week, or had too many of, by who did not take them. */
  deliveries_given_up: { target: "history" | "fleet" | "order" };
  /** Decisions that broke an invariant of the lifecycle, and were not carried out. Without labels, so that it begins at 0. */
  invariant_breaches: Record<never, string>;
  /** What happened to instances, as their histories keep it. */
  events: { kind: string };
  /** Orders whose end nobody told before their deadline. */
  orders_overdue: Record<never, string>;
  /** Alarms of instances that fired far too late: the service, or the platform, was away. */
  alarms_late: Record<never, string>;
  /** Calls to providers that had their turn, and how many seconds they had waited for it. */
  turns: { provider: string };
  turn_seconds: { provider: string };
  /** Calls whose turn did not come within an hour. */
  turns_given_up: { provider: string };
  /** Calls that a provider found too much in spite of their turn. */
  limits: { provider: string };
  /** Requests that ended with an error which is the service's own fault. */
  request_failures: Record<never, string>;
}

export type CounterName = keyof CounterLabels;

/** Adds to a counter. Never fails, and never keeps its caller waiting. */
export function count<N extends CounterName>(
  env: Pick<Env, "SERVICE">,
  context: Pick<ExecutionContext, "waitUntil">,
  name: N,
  labels: CounterLabels[N],
  by = 1,
): void {
  const key = counterKey(name, labels);
  gathered[key] = (gathered[key] ?? 0) + by;
  const now = Date.now();
  // A clock that was set back must not hold the counts back forever.
  if (Math.abs(now - flushedAt) < FLUSH_AFTER_MS) return;
  flushedAt = now;
  context.waitUntil(flush(env));
}

/** As in an isolate that has just started. For tests, which share one. */
export function resetMeter(): void {
  gathered = {};
  flushedAt = 0;
  shard = null;
}

async function flush(env: Pick<Env, "SERVICE">): Promise<void> {
  const counts = gathered;
  gathered = {};
  shard ??= pickShard();
  try {
    await within(FLUSH_LIMIT_MS, shardNumbered(env, shard).add(counts));
  } catch (error) {
    shard = null;
    for (const [key, by] of Object.entries(counts)) gathered[key] = (gathered[key] ?? 0) + by;
    logWarning("counts not handed over, will be tried again", {}, error);
  }
}

/** A counter and its labels as one text: `actions{"kind":"wake","outcome":"failed"}`. */
function counterKey(name: CounterName, labels: object): string {
  return `${name}${JSON.stringify(labels)}`;
}

export function parseCounterKey(key: string): { name: string; labels: Record<string, string> } {
  const brace = key.indexOf("{");
  return { name: key.slice(0, brace), labels: JSON.parse(key.slice(brace)) };
}
