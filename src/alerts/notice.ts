import { z } from "zod";
import {
  type HistoryEventKind,
  isAlert,
  type Severity,
  severitySchema,
} from "../lifecycle/model/history-event.ts";
import { FIGURES, type Money, moneyIn } from "../lifecycle/model/money.ts";
import { sayMoney, sayTogether, type Together, together } from "../lifecycle/model/say-money.ts";
import { openEnum } from "../lifecycle/model/stored.ts";
import type { Phrase } from "../lifecycle/model/words/said.ts";
import { type ReportedCosts, reportedCostsSchema } from "./cost-report.ts";
import { endsOf } from "./problems.ts";

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
  /** What it says, for any language. */
  readonly said?: Phrase | undefined;
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One message: alerts by kind, the most pressing first. */
export interface Notice {
  readonly title: string;
  readonly severity: Severity;
  readonly groups: readonly NoticeGroup[];
  /** What a month has cost, in figures, where that is what it tells. */
  readonly report?: ReportedCosts | undefined;
}

export interface NoticeGroup {
  readonly kind: HistoryEventKind;
  readonly severity: Severity;
  readonly heading: string;
  readonly lines: readonly NoticeLine[];
  /** How many more there are than `lines` names. */
  readonly more: number;
  /** What the machines of all of them cost. Absent where that is nobody's concern, and in what a former version composed. */
  readonly money?: Together | undefined;
}

export interface NoticeLine {
  readonly instanceId: string;
  readonly name: string;
  readonly message: string;
  /** What its machine costs, in figures and in words: beside the message, and never in it. Absent where nothing is known. */
  readonly money?: Money | undefined;
  readonly moneyText?: string | undefined;
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
          money: z.partialRecord(z.enum(FIGURES), z.number()).optional(),
          moneyText: z.string().optional(),
          at: z.number(),
          keepAlive: z.object({ registeredAt: z.number(), until: z.number() }).nullable(),
          eventId: z.string(),
        }),
      ),
      more: z.number(),
      money: z
        .object({
          rate: z.number().nullable(),
          unknown_rates: z.number(),
          saves_hourly: z.number().nullable(),
          wasted: z.number().nullable(),
        })
        .optional(),
    }),
  ),
  // Figures of another version are left out: the message says all in words.
  report: reportedCostsSchema.optional().catch(undefined),
});

/** A group names so many instances and counts the rest. */
const LINES_PER_GROUP = 10;
const INCIDENTS_PER_GROUP = 50;

/** A keep-alive link is good until the step that it holds back, and an hour more. */
const LINK_GRACE_MS = 3_600_000;

const WEIGHT: Record<Severity, number> = { info: 0, warning: 1, critical: 2 };

function isAtLeast(severity: Severity, minimum: Severity): boolean {
  return WEIGHT[severity] >= WEIGHT[minimum];
}

/**
 * The one message for a channel that wants `minimum` and worse; null when there is nothing for it. `keepsIncidents`: it also hears of
 * whatever ends a problem, and of more instances by name.
 */
export function composeNotice(
  alerts: readonly Alert[],
  minimum: Severity,
  keepsIncidents = false,
): Notice | null {
  // What the owner did is told where it ends an incident, and nowhere else.
  const wanted = alerts.filter(
    (alert) =>
      (keepsIncidents && endsOf(alert.kind).length > 0) ||
      (isAlert(alert) && isAtLeast(weightOf(alert), minimum)),
  );
  const [first] = wanted;
  if (first === undefined) return null;
  const lines = keepsIncidents ? INCIDENTS_PER_GROUP : LINES_PER_GROUP;
  const kinds = [...new Set(wanted.map((alert) => alert.kind))];
  const groups = kinds
    .map((kind) =>
      composeGroup(
        wanted.filter((alert) => alert.kind === kind),
        lines,
      ),
    )
    .sort((a, b) => WEIGHT[b.severity] - WEIGHT[a.severity]);
  const title =
    wanted.length === 1
      ? first.instanceId === ""
        ? first.message
        : `${first.name}: ${first.message}`
      : groups.map((group) => group.heading).join("; ");
  const severity = groups[0]?.severity ?? first.severity;
  return { title, severity, groups };
}

function composeGroup(alerts: readonly Alert[], lines: number): NoticeGroup {
  const [first] = alerts;
  if (first === undefined) throw new Error("a group has at least one alert");
  const { kind } = first;
  // Of an instance that is told of twice the latest counts.
  const instances = new Map(
    alerts.map(({ instanceId, eventId, detail }) => [instanceId || eventId, moneyIn(kind, detail)]),
  );
  const subject = `${instances.size} instance${instances.size === 1 ? "" : "s"}`;
  const money = together(kind, [...instances.values()]) ?? undefined;
  const sum = instances.size === 1 || money === undefined ? null : sayTogether(money);
  return {
    kind,
    severity: alerts.some((alert) => alert.severity === "critical") ? "critical" : first.severity,
    heading:
      first.instanceId === "" ? first.message : `${subject} ${spoken(kind)}${sum === null ? "" : `, ${sum}`}`,
    lines: alerts.slice(0, lines).map(lineOf),
    more: Math.max(0, alerts.length - lines),
    money,
  };
}

function lineOf(alert: Alert): NoticeLine {
  const { eventId, instanceId, name, message, at, kind, detail } = alert;
  const money = moneyIn(kind, detail);
  const moneyText = sayMoney(kind, money);
  return {
    instanceId,
    name,
    message,
    ...(moneyText === null ? {} : { money, moneyText }),
    at,
    keepAlive: keepAliveOffer(alert),
    eventId,
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
  would_hibernate: "not hibernated, though the policy would",
  stop_planned: "to be hibernated soon",
  looks_stuck: "at work by its GPU's utilization, and not by its power",
  source_unknown: "in use only because something can't be read",
  never_heard: "never heard",
  orphaned: "orphaned",
  silent: "still silent",
  abandoned: "abandoned",
  rebooted: "rebooted",
  recovered: "recovered",
  flapping: "flapping",
  kept_alive: "kept alive",
  preparing: "being prepared for hibernation",
  prepared: "prepared for hibernation",
  preparation_failed: "not prepared for hibernation yet, as a hook failed",
  preparation_overdue: "hibernated unprepared",
  preparation_cancelled: "not hibernated after all, while being prepared",
  reclaimed: "taken back by its provider",
  dead_man_hibernated: "hibernated by its dead-man switch",
  hibernating: "about to hibernate",
  hibernate_cancelled: "not hibernated after all",
  hibernate_failed: "not hibernated, though it should be",
  hibernated: "hibernated",
  would_wake: "not woken, though the policy would",
  waking: "waking",
  wake_failed: "not woken",
  woken: "awake again",
  guard_deferred: "held back by the guard",
  guard_permitted: "let go by the guard",
  guard_closed: "held back by the guard",
  guard_opened: "let go by the guard",
  would_delete: "not deleted, though the policy would",
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
  cost_report: "reported on",
  user_suspended: "suspended",
  user_resumed: "resumed",
  user_deleted: "of a deleted user",
};
