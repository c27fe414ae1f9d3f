import type { HistoryEventKind } from "../lifecycle/model/history-event.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";
import type { Alert } from "./notice.ts";

/** What is left out, since its owner was told already: pure. */

/** The last mass outage: which orphans belong to it, and how its guard stands. */
export interface Outage extends Guard {
  readonly silentFrom: number;
}

/** Leaves out what the guard's own message has told: who fell silent in the outage, and who came back from it. */
export function withoutOutage(alerts: readonly Alert[], outage: Outage | null): Alert[] {
  if (outage === null) return [...alerts];
  const until = outage.closedAt === null ? (outage.openedAt ?? 0) : Number.POSITIVE_INFINITY;
  // Times in details are whole seconds.
  const within = (moment: number) => moment >= outage.silentFrom - SECOND_MS && moment <= until;
  return alerts.filter((alert) => {
    switch (alert.kind) {
      case "orphaned":
      case "silent":
      case "abandoned":
        return !within(alert.at);
      case "recovered":
        return !within(Date.parse(String(alert.detail.orphaned_since)));
      default:
        return true;
    }
  });
}

/** What ends a state that an alert tells of. A state that lasts is told again after a while at the earliest. */
const ENDED_BY: Partial<Record<HistoryEventKind, readonly HistoryEventKind[]>> = {
  idle: ["busy", "hibernated", "hibernate_cancelled", "kept_alive", "orphaned", "woken"],
  would_hibernate: ["busy", "kept_alive", "orphaned"],
  orphaned: ["recovered"],
  silent: ["recovered", "guard_permitted"],
  abandoned: ["recovered", "guard_permitted"],
  would_delete: ["recovered"],
  hibernate_failed: ["hibernated", "recovered", "busy", "woken"],
  wake_failed: ["woken"],
  delete_failed: ["deleted", "recovered", "gone"],
};

const ENDERS: ReadonlySet<string> = new Set(Object.values(ENDED_BY).flat());

/** Whether an event of this kind may end a state that was told. */
export function mayEndAState(kind: string): boolean {
  return ENDERS.has(kind);
}

export interface EarlierEvent {
  readonly instanceId: string;
  readonly kind: HistoryEventKind;
  readonly at: number;
  /** Somebody was told of it. */
  readonly told: boolean;
}

/** Leaves out alerts of a state that was told less than `reminderMs` ago and has lasted since. */
export function withoutRepeats(
  alerts: readonly Alert[],
  earlier: readonly EarlierEvent[],
  reminderMs: number,
): Alert[] {
  const known = earlier.toSorted((a, b) => a.at - b.at);
  return alerts.filter((alert) => {
    const enders = ENDED_BY[alert.kind];
    if (enders === undefined) {
      // It may end a state that begins anew in the same digest.
      known.push({ instanceId: alert.instanceId, kind: alert.kind, at: alert.at, told: true });
      return true;
    }
    const before = known.filter(({ instanceId, at }) => instanceId === alert.instanceId && at <= alert.at);
    const last = before.findLast(({ kind, at, told }) => told && kind === alert.kind && at < alert.at);
    const ended = before.some(({ kind, at }) => last !== undefined && at >= last.at && enders.includes(kind));
    const repeats = last !== undefined && !ended && alert.at - last.at < reminderMs;
    known.push({ instanceId: alert.instanceId, kind: alert.kind, at: alert.at, told: !repeats });
    return !repeats;
  });
}
