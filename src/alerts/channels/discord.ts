import { post } from "../../outbound/call.ts";
import type { Notice, NoticeGroup } from "../notice.ts";
import { type Channel, type Delivery, delivered, deliveryOf, type Links, unreachable } from "./channel.ts";
import { clip, fitting, type Item, itemsOf, type Labels, labelsOf } from "./items.ts";

/**
 * A Discord webhook. https://docs.discord.com/developers/resources/webhook#execute-webhook; a content holds 2,000 characters, a
 * message 10 embeds and in them 6,000 characters, an embed's title 256 and its description 4,096.
 */
export function discord(settings: { readonly url: string }, allowLoopback: boolean): Channel {
  return {
    send: async (notice, links) => {
      const url = new URL(settings.url);
      // Without it Discord says yes before it has looked at the message.
      url.searchParams.set("wait", "true");
      try {
        const answer = await post(url.href, JSON.stringify(messageOf(notice, links)), {}, allowLoopback);
        return deliveryBy(answer);
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

/** Such as `https://discord.com/api/webhooks/1234/secret`, with `thread_id` where it is a thread of a forum. */
export const DISCORD_URL = /^https?:\/\/[^/]+\/api\/(v\d+\/)?webhooks\/\d+\/[\w-]+(\?thread_id=\d+)?$/;

const CONTENT_LENGTH = 2000;
const EMBEDS = 10;
const EMBED_TITLE_LENGTH = 256;
const DESCRIPTION_LENGTH = 4096;
/** Of all embeds together. Some room is left for how Discord counts. */
const EMBEDS_LENGTH = 5800;

const SIGN = { info: "ℹ️", warning: "⚠️", critical: "🚨" } as const;
const COLOUR = { info: 0x3b82f6, warning: 0xf59e0b, critical: 0xef4444 } as const;

function messageOf(notice: Notice, links: Links) {
  const labels = labelsOf(notice);
  let left = EMBEDS_LENGTH;
  const embeds = notice.groups.slice(0, EMBEDS).flatMap((group) => {
    const title = clip(escaped(group.heading), EMBED_TITLE_LENGTH);
    const length = Math.min(DESCRIPTION_LENGTH, left - title.length);
    if (length < 200) return [];
    const description = fitting(paragraphsOf(group, links, labels), length);
    left -= title.length + description.length;
    return [{ title, description, color: COLOUR[group.severity] }];
  });
  return {
    content: clip(`${SIGN[notice.severity]} ${escaped(notice.title)}`, CONTENT_LENGTH),
    embeds,
    // Nobody is called by a name that stands in a message.
    allowed_mentions: { parse: [] },
  };
}

function paragraphsOf(group: NoticeGroup, links: Links, labels: Labels): string[] {
  const items = itemsOf(group, links).map((item) => paragraphOf(item, labels));
  return group.more === 0 ? items : [...items, `*${labels.moreOf(group.more)}*`];
}

function paragraphOf({ who, message, money, keepAliveUrl }: Item, { keepAlive }: Labels): string {
  const told = who === null ? "" : `**[${escaped(who.name)}](${who.url})** `;
  const costs = money === null ? "" : `\n*${escaped(money)}*`;
  const link = keepAliveUrl === null ? "" : `\n[${keepAlive}](${keepAliveUrl})`;
  return `${told}${escaped(message)}${costs}${link}`;
}

/** Whatever Discord would take for markup, a mention, an emoji or a link. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*_~`|>#[\]()<@:-]/g, "\\$&");
}

function deliveryBy(answer: Parameters<typeof deliveryOf>[0]): Delivery {
  const { status, body } = answer;
  const delivery = deliveryOf(answer);
  if (delivery.delivered) return delivered(`${status}: posted`);
  // Discord blocks whoever goes on calling webhooks that are gone.
  if (status === 404) return { ...delivery, isGone: true };
  return { ...delivery, retryAfterSeconds: answer.retryAfterSeconds ?? askedIn(body) };
}

/** Where a gateway has taken the header away the body still says how long to wait. */
function askedIn(body: string): number | null {
  const seconds = /"retry_after"\s*:\s*(\d+(?:\.\d+)?)/.exec(body)?.[1];
  return seconds === undefined ? null : Math.ceil(Number(seconds));
}
