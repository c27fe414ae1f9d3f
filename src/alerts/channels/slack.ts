import { post } from "../../outbound/call.ts";
import type { Notice, NoticeGroup } from "../notice.ts";
import { type Channel, deliveryOf, type Links, unreachable } from "./channel.ts";
import { clip, itemsOf, type Labels, labelsOf } from "./items.ts";

/**
 * A Slack incoming webhook, with Block Kit. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks;
 * a message holds 50 blocks, a section 3,000 characters, a header 150.
 */
export function slack(settings: { readonly url: string }, allowLoopback: boolean): Channel {
  return {
    send: async (notice, links) => {
      const body = JSON.stringify({ text: escaped(notice.title), blocks: blocksOf(notice, links) });
      try {
        return deliveryOf(await post(settings.url, body, {}, allowLoopback));
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

const SIGN = { info: ":information_source:", warning: ":warning:", critical: ":rotating_light:" } as const;
const MAXIMUM_BLOCKS = 50;

function blocksOf(notice: Notice, links: Links): unknown[] {
  const header = {
    type: "header",
    text: { type: "plain_text", text: clip(`${SIGN[notice.severity]} ${notice.title}`, 150), emoji: true },
  };
  return [header, ...notice.groups.flatMap((group) => sectionsOf(group, links, labelsOf(notice)))].slice(
    0,
    MAXIMUM_BLOCKS,
  );
}

function sectionsOf(group: NoticeGroup, links: Links, { keepAlive, moreOf }: Labels): unknown[] {
  const lines = itemsOf(group, links).map(({ who, message, money, keepAliveUrl }) => {
    const told = who && `*<${who.url}|${escaped(who.name)}>* \`${escaped(who.instanceId)}\` `;
    const costs = money === null ? "" : `\n_${escaped(money)}_`;
    const link = keepAliveUrl === null ? "" : ` <${keepAliveUrl}|${keepAlive}>`;
    return `• ${told ?? ""}${escaped(message)}${costs}${link}`;
  });
  const more = group.more === 0 ? [] : [`_${moreOf(group.more)}_`];
  // Each line stands in a section of its own length: links must not be cut.
  const texts: string[] = [];
  for (const line of [`*${escaped(group.heading)}*`, ...lines, ...more]) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + line.length < 2900) texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(clip(line, 3000));
  }
  return texts.map((text) => ({ type: "section", text: { type: "mrkdwn", text } }));
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
