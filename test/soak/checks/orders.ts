import type { Order } from "../../../scripts/control-plane.ts";
import type { Beat } from "../agent.ts";

/**
 * Whether what was done at the provider had to be done, by what the machines and their owner know themselves: nothing is
 * taken from the service but which order it says it gave.
 */

/** After how much silence, or idleness, the policy orders what. */
export interface OrderRules {
  readonly hibernateAfterMs: number;
  readonly forceHibernateAfterMs: number;
  readonly deleteAfterMs: number;
  readonly idleHibernateAfterMs: number;
}

export interface OrderEvent {
  readonly kind: string;
  readonly at: number;
  readonly actionId: string;
}

interface Subject {
  readonly id: string;
  readonly acknowledged: readonly Beat[];
  readonly wokenAt: readonly number[];
}

/** One call may lie between the word that an order stands and the deed, and the machine is busy. */
const GRACE_MS = 3_000;

/** Ways on which a heartbeat is heard earlier than it is answered here. */
const ROUNDING_MS = 2_500;

const BEGINS: ReadonlySet<string> = new Set(["hibernating", "waking", "deleting"]);
const ENDS: ReadonlySet<string> = new Set([
  "hibernate_cancelled",
  "hibernate_failed",
  "wake_failed",
  "delete_cancelled",
  "delete_failed",
  "deleted",
]);

/** What speaks against each of these deeds. `deeds` and `events`: all of this machine. */
export function judgeOrders(
  subject: Subject,
  deeds: readonly Order[],
  events: readonly OrderEvent[],
  rules: OrderRules,
): string[] {
  return deeds.flatMap((deed) =>
    [whyNotStanding(deed, events), whyNotDue(subject, deed, deeds, rules)]
      .filter((reason) => reason !== null)
      .map((reason) => `${deed.kind} of ${subject.id} at ${new Date(deed.at).toISOString()}: ${reason}`),
  );
}

function whyNotStanding({ actionId, at }: Order, events: readonly OrderEvent[]): string | null {
  const own = events.filter((event) => event.actionId === actionId);
  if (!own.some(({ kind }) => BEGINS.has(kind))) return `nobody decided on ${actionId}`;
  const end = own.find((event) => ENDS.has(event.kind) && event.at < at - GRACE_MS);
  return end === undefined ? null : `${actionId} had ended: ${end.kind}`;
}

function whyNotDue(
  { acknowledged, wokenAt }: Subject,
  { kind, actionId, at }: Order,
  deeds: readonly Order[],
  rules: OrderRules,
): string | null {
  const heard = acknowledged.filter(({ answeredAt }) => answeredAt < at - GRACE_MS);
  const last = heard.at(-1);
  const silentMs = last === undefined ? Number.POSITIVE_INFINITY : at - last.answeredAt + ROUNDING_MS;
  const heardAgo = `it was heard ${Math.round(silentMs / 1000)} s ago`;
  switch (kind) {
    case "wake":
      return wokenAt.some((asked) => asked <= at) ? null : "its owner did not ask for it";
    case "hibernate": {
      if (silentMs >= rules.hibernateAfterMs) return null;
      const recent = heard.filter(({ answeredAt }) => answeredAt > at - rules.idleHibernateAfterMs);
      return last?.isIdle && recent.every(({ isIdle }) => isIdle) ? null : `${heardAgo}, at work`;
    }
    case "force_hibernate":
      return silentMs >= rules.forceHibernateAfterMs ? null : heardAgo;
    case "snapshot":
      return silentMs >= rules.deleteAfterMs ? null : heardAgo;
    case "delete": {
      if (silentMs < rules.deleteAfterMs) return heardAgo;
      const isSaved = deeds.some(
        (other) => other.kind === "snapshot" && other.actionId === actionId && other.at <= at,
      );
      return isSaved ? null : "there is no snapshot of it";
    }
    default:
      return "no such order is known";
  }
}
