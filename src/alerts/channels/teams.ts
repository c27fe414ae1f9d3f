import { post } from "../../outbound/call.ts";
import type { Notice, NoticeGroup } from "../notice.ts";
import { type Channel, delivered, deliveryOf, type Links, unreachable } from "./channel.ts";
import { alertsUrl, clip, type Item, itemsOf, type Labels, labelsOf } from "./items.ts";

/**
 * A workflow of Microsoft Teams that posts an adaptive card. Its whole address is the secret.
 * https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using; a card holds 28 KB.
 */
export function teams(settings: { readonly url: string }, allowLoopback: boolean): Channel {
  return {
    send: async (notice, links) => {
      try {
        const answer = await post(settings.url, bodyOf(notice, links), {}, allowLoopback);
        const delivery = deliveryOf(answer);
        // The workflow runs only after its answer, and nobody tells how that ended.
        return delivery.delivered ? delivered(`${answer.status}: the workflow has taken it`) : delivery;
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

const BODY_BYTES = 20 * 1024;
/** Of a text that somebody else may have made long. */
const TEXT_LENGTH = 500;

const SIGN = { info: "ℹ️", warning: "⚠️", critical: "🚨" } as const;
const COLOUR = { info: "accent", warning: "warning", critical: "attention" } as const;

/** The message with as many of its parts as it may hold. */
function bodyOf(notice: Notice, links: Links): string {
  const parts = notice.groups.flatMap((group) => partsOf(group, links, labelsOf(notice)));
  let left = BODY_BYTES - bytesOf(wrapped(notice, [], links, true));
  const isOver = (part: object) => {
    left -= bytesOf(JSON.stringify(part)) + 1;
    return left < 0;
  };
  const over = parts.findIndex(isOver);
  return over === -1
    ? wrapped(notice, parts, links, false)
    : wrapped(notice, parts.slice(0, over), links, true);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function wrapped(notice: Notice, parts: readonly object[], links: Links, isCut: boolean): string {
  const title = textBlock([
    run(`${SIGN[notice.severity]} ${notice.title}`, { weight: "bolder", size: "medium" }),
  ]);
  const body = [title, ...parts, ...(isCut ? [textBlock([run("…")])] : [])];
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    msteams: { width: "Full" },
    body,
    actions: [openUrl(labelsOf(notice).openAlerts, alertsUrl(links))],
  };
  const attachment = { contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content };
  return JSON.stringify({ type: "message", attachments: [attachment] });
}

function partsOf(group: NoticeGroup, links: Links, labels: Labels): object[] {
  return [
    textBlock([run(group.heading, { weight: "bolder", color: COLOUR[group.severity] })], true),
    ...itemsOf(group, links).flatMap((item) => partsOfItem(item, labels)),
    ...(group.more === 0 ? [] : [textBlock([run(labels.moreOf(group.more), { isSubtle: true })])]),
  ];
}

function partsOfItem({ who, message, money, keepAliveUrl }: Item, { keepAlive }: Labels): object[] {
  const open = who === null ? {} : { selectAction: openUrl(who.name, who.url) };
  const told = who === null ? [] : [run(who.name, { weight: "bolder", ...open }), run(" ")];
  const costs = money === null ? [] : [textBlock([run(money, { isSubtle: true })])];
  const actions =
    keepAliveUrl === null ? [] : [{ type: "ActionSet", actions: [openUrl(keepAlive, keepAliveUrl)] }];
  return [textBlock([...told, run(message)]), ...costs, ...actions];
}

/** Its runs are plain text: what looks like markup in them is none. */
function textBlock(inlines: readonly object[], separator = false) {
  return { type: "RichTextBlock", inlines, ...(separator ? { separator, spacing: "medium" } : {}) };
}

function run(text: string, more: object = {}) {
  return { type: "TextRun", text: clip(text, TEXT_LENGTH), ...more };
}

function openUrl(title: string, url: string) {
  return { type: "Action.OpenUrl", title: clip(title, 100), url };
}
