import {
  addTo,
  type Ledger,
  lengthOf,
  NO_COSTS,
  putDown,
  type Span,
  type Spent,
  sumOfSpent,
} from "./ledger.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, startOfUtcDay } from "./time.ts";

/** The rate is learnt from about this much time: an agent rounds its costs, and a price may change. */
const LEARNT_OVER_MS = 6 * HOUR_MS;

/** What a machine says: what it has cost since it started, and for how long it has been up. */
export interface CostReport {
  readonly accumulated: number;
  readonly uptimeMs: number | null;
  readonly at: number;
}

/**
 * The growth since the last report is spread evenly over the time that it covers, and replaces the price there. The share of time in
 * which the machine counted as hibernated is added on top.
 */
export function addReport(ledger: Ledger, report: CostReport): Ledger {
  const { accumulated, uptimeMs, at } = report;
  const before = ledger.reported;
  const isAnew = hasBegunAnew(ledger, report);
  const growth = isAnew || before === null ? accumulated : accumulated - before.accumulated;
  if (!isCredible(ledger, growth, report)) return ledger;
  const covered =
    before === null || (isAnew && uptimeMs !== null)
      ? coveredAnew(ledger, uptimeMs, at)
      : coveredSince(ledger);
  const perMs = covered.ms > 0 ? growth / covered.ms : 0;
  const settled = ledger.open.reduce<Ledger>(
    (next, span) => putReported(next, span, Math.max(span.from, covered.from), perMs),
    { ...ledger, open: [], settledUnreportedMs: 0, reported: { at, accumulated } },
  );
  const beside = covered.ms > 0 ? perMs * covered.besideMs : growth;
  const counted =
    beside === 0
      ? settled
      : addTo(settled, startOfUtcDay(at), {
          ...NO_COSTS,
          working: { ms: 0, dollars: beside },
          reported: beside,
        });
  // Nobody knows what time a first report without an uptime covers: it says nothing of what an hour costs.
  const isTimed = before !== null || uptimeMs !== null;
  return isTimed && covered.ms > 0
    ? { ...counted, learnt: learn(ledger.learnt, { ms: covered.ms, dollars: growth }) }
    : counted;
}

/** Many times what an hour of the dearest rented machine costs. */
const MOST_AN_HOUR = 10_000;

/** A broken count must not spend a budget for which other machines are stopped: the report is dropped, and the price counts. */
function isCredible({ reported }: Ledger, growth: number, { uptimeMs, at }: CostReport): boolean {
  const sinceMs = reported === null ? DAY_MS : at - reported.at;
  return growth <= MOST_AN_HOUR * Math.max(1, Math.max(sinceMs, uptimeMs ?? 0) / HOUR_MS);
}

interface Covered {
  /** Open time from here on is covered. */
  readonly from: number;
  readonly ms: number;
  /** The part of `ms` that is on no open span: the machine counted as hibernated then, or the ledger began later today. */
  readonly besideMs: number;
}

function coveredSince({ open, settledUnreportedMs }: Ledger): Covered {
  const ms = open.reduce((sum, span) => sum + lengthOf(span), settledUnreportedMs);
  return { from: Number.NEGATIVE_INFINITY, ms, besideMs: 0 };
}

/** A count that began anew covers what the machine has been up for; without an uptime, a first one is all today's. */
function coveredAnew(ledger: Ledger, uptimeMs: number | null, at: number): Covered {
  const today = startOfUtcDay(at);
  const earliest = ledger.reported?.at ?? Number.NEGATIVE_INFINITY;
  const from = Math.max(earliest, uptimeMs === null ? today : at - uptimeMs);
  if (uptimeMs === null) {
    const open = ledger.open.filter((span) => span.from >= from);
    return { from, ms: open.reduce((sum, span) => sum + lengthOf(span), 0), besideMs: 0 };
  }
  const todayBeforeMs = Math.max(0, ledger.since - Math.max(from, today));
  return { from, ms: at - from, besideMs: todayBeforeMs + hibernatedMs(ledger, from, at) };
}

/** All time since the ledger began is open, settled without a report, or was put down as hibernated. */
function hibernatedMs({ since, open, settledUnreportedMs }: Ledger, from: number, at: number): number {
  const openMs = open.reduce((sum, span) => sum + Math.max(0, span.until - Math.max(from, span.from)), 0);
  return Math.max(0, at - Math.max(from, since) - openMs - settledUnreportedMs);
}

/**
 * Whether the count was reset since the last report. One that has fallen was. If the machine has restarted since, its count or its
 * growth is right, whichever is nearer to what the uptime should cost: most counts begin with each start, and some go on.
 */
export function hasBegunAnew(ledger: Ledger, { accumulated, uptimeMs, at }: CostReport): boolean {
  const { reported } = ledger;
  if (reported === null || accumulated < reported.accumulated) return true;
  const hourlyCost = learntHourlyCost(ledger);
  if (uptimeMs === null || hourlyCost === null || at - uptimeMs <= reported.at) return false;
  const expected = (uptimeMs / HOUR_MS) * hourlyCost;
  return Math.abs(accumulated - expected) < Math.abs(accumulated - reported.accumulated - expected);
}

function putReported(ledger: Ledger, span: Span, coveredFrom: number, perMs: number): Ledger {
  if (coveredFrom >= span.until) return putDown(ledger, span);
  const before = coveredFrom > span.from ? putDown(ledger, { ...span, until: coveredFrom }) : ledger;
  return putDown(before, { ...span, from: coveredFrom }, (span.until - coveredFrom) * perMs);
}

/** The newest time counts most: what is known is halved whenever it is about to become too much. */
function learn(learnt: Spent, growth: Spent): Spent {
  const sum = sumOfSpent(learnt, growth);
  return sum.ms <= LEARNT_OVER_MS ? sum : { ms: sum.ms / 2, dollars: sum.dollars / 2 };
}

/** Dollars an hour, by what the machine has reported; null before it has reported for a while. */
export function learntHourlyCost({ learnt }: Ledger): number | null {
  return learnt.ms < ENOUGH_MS ? null : learnt.dollars / (learnt.ms / HOUR_MS);
}

/** An agent rounds its costs to cents: from less time the rate would be a guess. */
const ENOUGH_MS = 5 * MINUTE_MS;
