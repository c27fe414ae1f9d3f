import { z } from "zod";
import {
  type HistoryEventKind,
  historyEventKindSchema,
  isAlert,
  type Severity,
  severitySchema,
} from "../lifecycle/model/history-event.ts";
import { FIGURES, type Money, moneyIn } from "../lifecycle/model/money.ts";
import { type Together, together } from "../lifecycle/model/say-money.ts";
import { openEnum } from "../lifecycle/model/stored.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import {
  ANYBODY,
  LANGUAGES,
  type Language,
  type Phrase,
  type Reader,
} from "../lifecycle/model/words/said.ts";
import { say, wordMessage } from "../lifecycle/model/words/say.ts";
import { wordMoney, wordTogether } from "../lifecycle/model/words/word-money.ts";
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
  /** In which it is worded, and whatever a channel puts beside it. Absent: English, as in what a former version composed. */
  readonly language?: Language | undefined;
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
  language: z.enum(LANGUAGES).optional().catch(undefined),
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
 * whatever ends a problem, and of more instances by name. `reader`: in whose words and time.
 */
export function composeNotice(
  alerts: readonly Alert[],
  minimum: Severity,
  keepsIncidents = false,
  reader = ANYBODY,
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
        reader,
      ),
    )
    .sort((a, b) => WEIGHT[b.severity] - WEIGHT[a.severity]);
  const title =
    wanted.length === 1
      ? first.instanceId === ""
        ? messageOf(first, reader)
        : `${first.name}: ${messageOf(first, reader)}`
      : groups.map((group) => group.heading).join("; ");
  const severity = groups[0]?.severity ?? first.severity;
  return { title, severity, groups, ...languageOf(reader) };
}

/** English is what is meant where nothing is said. */
export function languageOf({ language }: Reader): Pick<Notice, "language"> {
  return language === "en" ? {} : { language };
}

function messageOf({ message, said }: Alert, reader: Reader): string {
  return wordMessage(reader, message, said);
}

function composeGroup(alerts: readonly Alert[], lines: number, reader: Reader): NoticeGroup {
  const [first] = alerts;
  if (first === undefined) throw new Error("a group has at least one alert");
  const { kind } = first;
  // Of an instance that is told of twice the latest counts.
  const instances = new Map(
    alerts.map(({ instanceId, eventId, detail }) => [instanceId || eventId, moneyIn(kind, detail)]),
  );
  const money = together(kind, [...instances.values()]) ?? undefined;
  const sum = instances.size === 1 || money === undefined ? null : wordTogether(reader.language, money);
  return {
    kind,
    severity: alerts.some((alert) => alert.severity === "critical") ? "critical" : first.severity,
    heading:
      first.instanceId === ""
        ? messageOf(first, reader)
        : `${say(reader, headingOf(kind, instances.size))}${sum === null ? "" : `, ${sum}`}`,
    lines: alerts.slice(0, lines).map((alert) => lineOf(alert, reader)),
    more: Math.max(0, alerts.length - lines),
    money,
  };
}

function lineOf(alert: Alert, reader: Reader): NoticeLine {
  const { eventId, instanceId, name, at, kind, detail } = alert;
  const money = moneyIn(kind, detail);
  const moneyText = wordMoney(reader.language, kind, money);
  return {
    instanceId,
    name,
    message: messageOf(alert, reader),
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
function headingOf(kind: string, count: number): Phrase {
  const known = historyEventKindSchema.safeParse(kind).data;
  return known === undefined
    ? phrase("heading.of_kind", { count, kind: kind.replaceAll("_", " ") })
    : phrase(`heading.${known}`, { count });
}
