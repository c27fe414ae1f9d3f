import { z } from "zod";
import { type HistoryEventKind, type Severity, severitySchema } from "../lifecycle/model/history-event.ts";
import { openEnum } from "../lifecycle/model/stored.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";

/** What an owner is told: pure, from events to one message. */

/** An event that somebody is to be told of. */
export interface Alert {
  readonly eventId: string;
  /** Empty for what concerns no single instance. */
  readonly instanceId: string;
  readonly name: string;
  /** When the instance of this id was registered that there is now; null when there is none. */
  readonly registeredAt: number | null;
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  readonly message: string;
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One message: alerts by kind, the most pressing first. */
export interface Notice {
  readonly title: string;
  readonly severity: Severity;
  readonly groups: readonly NoticeGroup[];
}

export interface NoticeGroup {
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  readonly heading: string;
  readonly lines: readonly NoticeLine[];
  /** How many more there are than `lines` names. */
  readonly more: number;
}

interface NoticeLine {
  readonly instanceId: string;
  readonly name: string;
  readonly message: string;
  readonly at: number;
  /** A link that keeps the instance alive: for which registration, and until when; null where none is offered. */
  readonly keepAlive: KeepAliveOffer | null;
  readonly eventId: string;
}

interface KeepAliveOffer {
  readonly registeredAt: number;
  readonly until: number;
}

/** A notice as it is stored, perhaps by another version of the service. */
export const noticeSchema: z.ZodType<Notice> = z.object({
  title: z.string(),
  severity: severitySchema,
  groups: z.array(
    z.object({
      kind: openEnum<HistoryEventKind>(),
      severity: severitySchema,
      heading: z.string(),
      lines: z.array(
        z.object({
          instanceId: z.string(),
          name: z.string(),
          message: z.string(),
          at: z.number(),
          keepAlive: z.object({ registeredAt: z.number(), until: z.number() }).nullable(),
          eventId: z.string(),
        }),
      ),
      more: z.number(),
    }),
  ),
});

/** A group names so many instances and counts the rest. */
const LINES_PER_GROUP = 10;

/** A keep-alive link is good until the step that it holds back, and an hour more. */
const LINK_GRACE_MS = 3_600_000;

const WEIGHT: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };

function isAtLeast(severity: Severity, minimum: Severity): boolean {
  return WEIGHT[severity] >= WEIGHT[minimum];
}

/** The one message for a channel that wants `minimum` and worse; null when there is nothing for it. */
export function composeNotice(alerts: readonly Alert[], minimum: Severity): Notice | null {
  const wanted = alerts.filter((alert) => isAtLeast(weightOf(alert), minimum));
  const [first] = wanted;
  if (first === undefined) return null;
  const kinds = [...new Set(wanted.map((alert) => alert.kind))];
  const groups = kinds
    .map((kind) => composeGroup(wanted.filter((alert) => alert.kind === kind)))
    .sort((a, b) => WEIGHT[b.severity] - WEIGHT[a.severity]);
  const title =
    wanted.length === 1
      ? first.instanceId === ""
        ? first.message
        : `${first.name}: ${first.message}`
      : groups.map((group) => group.heading).join(", ");
  const severity = groups[0]?.severity ?? first.severity;
  return { title, severity, groups };
}

function composeGroup(alerts: readonly Alert[]): NoticeGroup {
  const [first] = alerts;
  if (first === undefined) throw new Error("a group has at least one alert");
  const instances = new Set(alerts.map((alert) => alert.instanceId)).size;
  const subject = `${instances} instance${instances === 1 ? "" : "s"}`;
  return {
    kind: first.kind,
    severity: alerts.some((alert) => alert.severity === "critical") ? "critical" : first.severity,
    heading: first.instanceId === "" ? first.message : `${subject} ${spoken(first.kind)}`,
    lines: alerts.slice(0, LINES_PER_GROUP).map((alert) => ({
      instanceId: alert.instanceId,
      name: alert.name,
      message: alert.message,
      at: alert.at,
      keepAlive: keepAliveOffer(alert),
      eventId: alert.eventId,
    })),
    more: Math.max(0, alerts.length - LINES_PER_GROUP),
  };
}

/** A state that is resolved is told where the state was told. */
function weightOf(alert: Alert): Severity {
  switch (alert.kind) {
    case "recovered":
      return alert.detail.step === "force_hibernate" ? "critical" : "warning";
    case "busy":
    case "hibernate_cancelled":
      return "warning";
    case "guard_opened":
      return "critical";
    default:
      return alert.severity;
  }
}

function keepAliveOffer({ severity, detail, at, registeredAt }: Alert): KeepAliveOffer | null {
  const stepAt = detail.step_at;
  if (severity !== "warning" || typeof stepAt !== "string") return null;
  // What is older than the registration was told of a former one, which nobody can keep alive any more.
  if (registeredAt === null || at < registeredAt) return null;
  return { registeredAt, until: Date.parse(stepAt) + LINK_GRACE_MS };
}

/** A kind of a newer version is told by its name. */
function spoken(kind: HistoryEventKind): string {
  return Object.hasOwn(WORDS, kind) ? WORDS[kind] : kind.replaceAll("_", " ");
}

const WORDS: Record<HistoryEventKind, string> = {
  registered: "registered",
  changed: "changed",
  policy_changed: "under a new policy",
  token_rotated: "with a new token",
  first_heartbeat: "heard for the first time",
  idle: "idle",
  busy: "at work again",
  would_hibernate: "idle, and no provider to hibernate",
  never_heard: "never heard",
  orphaned: "orphaned",
  silent: "still silent",
  abandoned: "abandoned",
  rebooted: "rebooted",
  recovered: "recovered",
  flapping: "flapping",
  kept_alive: "kept alive",
  hibernating: "about to hibernate",
  hibernate_cancelled: "not hibernated after all",
  hibernate_failed: "not hibernated, though it should be",
  hibernated: "hibernated",
  waking: "waking",
  wake_failed: "not woken",
  woken: "awake again",
  guard_deferred: "held back by the guard",
  guard_permitted: "let go by the guard",
  guard_closed: "held back by the guard",
  guard_opened: "let go by the guard",
  would_delete: "expired, and no provider to delete",
  deleting: "about to be deleted",
  delete_cancelled: "not deleted after all",
  delete_failed: "not deleted, though it should be",
  accepted_too_late: "alive, but the order was taken already",
  found_running: "running, though it was hibernated",
  unwatched: "watched by nobody",
  vanished: "listed no more by its provider",
  unwatched_machines: "at a provider that nobody watches",
  listing_failed: "that can't be listed",
  looked: "still hibernated",
  deleted: "deleted",
  gone: "gone at the provider",
  history_lost: "with holes in the history",
  delivery_parked: "with something that could not be delivered",
  alert_not_delivered: "whose owner was not told",
  connection_refused: "whose provider refuses the credentials",
  enrollment_refused: "claimed by a second machine",
  invariant_breached: "as before, since a decision was held back",
  operator_acted: "acted upon by the operator",
  resumed: "going on from a former state",
  hibernate_all: "hibernated together",
  not_all_hibernated: "not hibernated, though it was asked of all",
  budget_reached: "of a budget that is used up",
  cleanup: "cleaned up",
  reconciliation: "reconciled",
  user_suspended: "suspended",
  user_resumed: "resumed",
  user_deleted: "of a deleted user",
};

/** The last mass outage: which orphans belong to it, and how its guard stands. */
export interface Outage extends Guard {
  readonly silentFrom: number;
}

/** Leaves out what the guard's own message has told: who fell silent in the outage, and who came back from it. */
export function withoutOutage(alerts: readonly Alert[], outage: Outage | null): Alert[] {
  if (outage === null) return [...alerts];
  const until = outage.closedAt === null ? (outage.openedAt ?? 0) : Number.POSITIVE_INFINITY;
  // Times in details are whole seconds.
  const within = (moment: number) => moment >= outage.silentFrom - 1000 && moment <= until;
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
    if (enders === undefined) return true;
    const before = known.filter(({ instanceId, at }) => instanceId === alert.instanceId && at <= alert.at);
    const last = before.findLast(({ kind, at, told }) => told && kind === alert.kind && at < alert.at);
    const ended = before.some(({ kind, at }) => last !== undefined && at >= last.at && enders.includes(kind));
    const repeats = last !== undefined && !ended && alert.at - last.at < reminderMs;
    known.push({ instanceId: alert.instanceId, kind: alert.kind, at: alert.at, told: !repeats });
    return !repeats;
  });
}
