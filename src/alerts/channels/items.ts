import type { NoticeGroup } from "../notice.ts";
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

export const KEEP_ALIVE = "Keep it alive";

export const OPEN_ALERTS = "Open the alerts";

export function keepAliveOf(name: string): string {
  return `Keep ${name} alive`;
}

export function moreOf(count: number): string {
  return `and ${count} more`;
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
