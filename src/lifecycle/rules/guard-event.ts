import type { HistoryEvent } from "../model/history-event.ts";
import { messageOf } from "../model/outbox.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Phrase } from "../model/words/said.ts";
import type { FleetCount, GuardChange, GuardWithOutage } from "./outage-guard.ts";

/** A change of a guard, from how it stood to how it stands. */
export interface GuardTurn {
  readonly kind: Exclude<GuardChange, null>;
  readonly from: GuardWithOutage;
  readonly to: GuardWithOutage;
}

/** The event that tells of a change of a guard. */
export function guardEvent(
  { kind, from, to }: GuardTurn,
  { silent, awake }: FleetCount,
  counted: "instances" | "users",
): HistoryEvent {
  const total = silent + awake;
  const event = (
    at: number,
    eventKind: "guard_opened" | "guard_closed",
    severity: "info" | "critical",
    message: Phrase,
  ): HistoryEvent => ({
    id: `${eventKind}-${at.toString(36)}`,
    at,
    kind: eventKind,
    severity,
    ...messageOf(message),
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
        phrase(`guard.closed_${counted}`, { silent, total }),
      );
    case "opens":
      return event(
        to.openedAt ?? 0,
        "guard_opened",
        "info",
        phrase(`guard.opened_${counted}`, { awake, total }),
      );
    case "opens for good":
      return event(
        to.openedAt ?? 0,
        "guard_opened",
        "info",
        phrase(`guard.opened_for_good_${counted}`, { silent, total }),
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
    ...messageOf(phrase("guard.unknown")),
    detail: { rule: "guard", guard: "unknown" },
  };
}
