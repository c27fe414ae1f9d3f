import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { isWasting, wastedToday } from "./money.ts";

/** What of the fleet needs an eye first: the next event that changes what is paid, and then waste. Pure. */

/** What is due within this time comes before what wastes money now. */
export const SOON_MS = 60 * 60_000;

const TIER = { soon: 0, wasting: 1, later: 2, steady: 3 } as const;

/** The smaller comes first: the tier, and within it the rank. */
export function attentionOf(instance: ShownView, nowMs: number): readonly [tier: number, rank: number] {
  const dueMs = moneyEventAt(instance);
  if (dueMs !== null && dueMs - nowMs <= SOON_MS) return [TIER.soon, dueMs];
  // What nobody knows the price of comes after all that has one.
  if (isWasting(instance) && instance.rate !== 0) return [TIER.wasting, -(instance.rate ?? 0)];
  if (dueMs !== null) return [TIER.later, dueMs];
  return [TIER.steady, urgencyOf(instance) - wasteShare(instance)];
}

/** When what is paid for it changes next by itself, in ms; null where nothing is due that could come. */
function moneyEventAt({ lifecycle: { next_step, at, blocked_by } }: ShownView): number | null {
  if (at === null || blocked_by !== null) return null;
  switch (next_step) {
    case "hibernate":
    case "force_hibernate":
    case "delete":
    case "wake":
      return Date.parse(at);
    case "warn":
    case "orphan":
    case "never_heard":
    case null:
      return null;
  }
}

/** Below one: among what is alike, what wasted most today comes first. */
function wasteShare(instance: ShownView): number {
  const dollars = wastedToday(instance) ?? 0;
  return dollars / (1 + dollars);
}

/** The status that most wants a look comes first. */
const URGENCY: Readonly<Record<ShownView["status"], number>> = {
  orphaned: 0,
  hibernating: 1,
  waking: 2,
  deleting: 3,
  running: 4,
  pending: 5,
  hibernated: 6,
  deleted: 7,
};

/** What was never heard wants a look like what is silent. */
export function urgencyOf({ status, health }: ShownView): number {
  return status === "pending" && health === "unhealthy" ? URGENCY.orphaned : URGENCY[status];
}
