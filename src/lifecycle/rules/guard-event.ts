import type { HistoryEvent } from "../model/history-event.ts";
import { toIso } from "../model/time.ts";
import type { FleetCount, GuardChange, GuardWithOutage } from "./outage-guard.ts";

/** A change of a guard, from how it stood to how it stands. */
export interface GuardTurn {
  readonly kind: Exclude<GuardChange, null>;
  readonly from: GuardWithOutage;
  readonly to: GuardWithOutage;
}

/** Whom a guard counts: a user's the user's instances, the service's its users. */
const WHOSE = { instances: "your", users: "the service's" } as const;

/** The event that tells of a change of a guard. */
export function guardEvent(
  { kind, from, to }: GuardTurn,
  { silent, awake }: FleetCount,
  counted: keyof typeof WHOSE,
): HistoryEvent {
  const total = silent + awake;
  const event = (
    at: number,
    eventKind: "guard_opened" | "guard_closed",
    severity: "info" | "critical",
    message: string,
  ): HistoryEvent => ({
    id: `${eventKind}-${at.toString(36)}`,
    at,
    kind: eventKind,
    severity,
    message,
    detail: {
      rule: "guard",
      silent,
      [counted]: total,
      ...(from.closedAt === null ? {} : { closed_at: toIso(from.closedAt) }),
    },
  });
  switch (kind) {
    case "closes":
      return event(
        to.closedAt ?? 0,
        "guard_closed",
        "critical",
        `Mass outage: ${silent} of ${WHOSE[counted]} ${total} ${counted} fell silent at once. Nothing is hibernated or deleted for silence until it is clear`,
      );
    case "opens":
      return event(
        to.openedAt ?? 0,
        "guard_opened",
        "info",
        `The mass outage is over: ${awake} of ${total} ${counted} are heard. Silence counts anew from now`,
      );
    case "opens for good":
      return event(
        to.openedAt ?? 0,
        "guard_opened",
        "info",
        `The mass outage has lasted too long: ${silent} of ${total} ${counted} count as abandoned. Silence counts anew from now`,
      );
  }
}

/** The event that tells of steps that are held because nobody has known since then how the service's guard stands. */
export function unknownGuardEvent(since: number): HistoryEvent {
  return {
    id: `guard_deferred-${since.toString(36)}`,
    at: since,
    kind: "guard_deferred",
    severity: "warning",
    message:
      "The service-wide guard does not answer. Until it does nothing is hibernated for silence, for six hours at most, and nothing is deleted",
    detail: { rule: "guard", guard: "unknown" },
  };
}
