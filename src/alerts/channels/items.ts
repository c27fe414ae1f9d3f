import type { Language } from "../../lifecycle/model/words/said.ts";
import type { Notice, NoticeGroup } from "../notice.ts";
import type { Links } from "./channel.ts";

/** What a notice says of its alerts, before a channel marks it up in its own way: pure. */

export interface Item {
  /** Null for what concerns no single instance. */
  readonly who: { readonly name: string; readonly instanceId: string; readonly url: string } | null;
  readonly message: string;
  /** What its machine costs. */
  readonly money: string | null;
  readonly keepAliveUrl: string | null;
}

/** What a channel says of its own beside the words of a notice. */
export interface Labels {
  readonly keepAlive: string;
  readonly openAlerts: string;
  readonly alerts: string;
  readonly keepAliveOf: (name: string) => string;
  readonly moreOf: (count: number) => string;
}

const LABELS: Readonly<Record<Language, Labels>> = {
  en: {
    keepAlive: "Keep it alive",
    openAlerts: "Open the alerts",
    alerts: "Alerts",
    keepAliveOf: (name) => `Keep ${name} alive`,
    moreOf: (count) => `and ${count} more`,
  },
  "pt-BR": {
    keepAlive: "Manter viva",
    openAlerts: "Abrir os alertas",
    alerts: "Alertas",
    keepAliveOf: (name) => `Manter ${name} viva`,
    moreOf: (count) => `e mais ${count}`,
  },
};

/** In the language of the notice. */
export function labelsOf({ language = "en" }: Pick<Notice, "language">): Labels {
  return LABELS[language];
}

export function itemsOf(group: NoticeGroup, links: Links): Item[] {
  return group.lines.map(({ instanceId, name, message, moneyText, eventId }) => ({
    who: instanceId === "" ? null : { name, instanceId, url: instanceUrl(links, instanceId) },
    message,
    money: moneyText ?? null,
    keepAliveUrl: links.keepAlive.get(eventId) ?? null,
  }));
}

/** The page of an instance. */
export function instanceUrl({ origin }: Links, instanceId: string): string {
  return `${origin}/#/instances/${encodeURIComponent(instanceId)}`;
}

/** The page that lists all alerts. */
export function alertsUrl({ origin }: Links): string {
  return `${origin}/#/alerts`;
}

/** It in one line of plain text. */
export function lineOf({ who, message, money }: Item): string {
  return [who === null ? message : `${who.name}: ${message}`, ...(money === null ? [] : [money])].join(" ");
}

export function clip(text: string, length: number): string {
  // Half a character would make the whole message one that nobody can read.
  return text.length > length ? `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : text;
}

/** As many of these parts as fit into `length` when they are joined, each of them whole: links must not be cut. */
export function fitting(parts: readonly string[], length: number, separator = "\n"): string {
  let text = "";
  for (const [index, part] of parts.entries()) {
    const next = index === 0 ? part : `${text}${separator}${part}`;
    if (next.length > length - 1) return index === 0 ? clip(part, length) : `${text}…`;
    text = next;
  }
  return text;
}
