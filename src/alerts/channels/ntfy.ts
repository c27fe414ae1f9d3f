import { sha256Hex } from "../../accounts/digest.ts";
import { post } from "../../outbound/call.ts";
import type { Notice } from "../notice.ts";
import { type Channel, delivered, deliveryOf, type Links, unreachable } from "./channel.ts";
import { alertsUrl, clip, itemsOf, labelsOf, lineOf } from "./items.ts";

/**
 * A topic of ntfy, at ntfy.sh or on a server of one's own. https://docs.ntfy.sh/publish/#publish-as-json; a message holds 4,096
 * bytes, and has three buttons.
 */
export function ntfy(
  settings: { readonly server: string; readonly topic: string; readonly token?: string | undefined },
  allowLoopback: boolean,
): Channel {
  return {
    send: async (notice, links, messageId) => {
      const headers: Record<string, string> =
        settings.token === undefined ? {} : { Authorization: `Bearer ${settings.token}` };
      try {
        const message = await messageOf(notice, links, messageId);
        const body = JSON.stringify({ topic: settings.topic, ...message });
        // JSON is taken at the root alone: at a topic's own address it would be the message.
        const answer = await post(new URL("/", settings.server).href, body, headers, allowLoopback);
        const delivery = deliveryOf(answer);
        return delivery.delivered ? delivered(`${answer.status}: published`) : delivery;
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

/** https://docs.ntfy.sh/publish/#public-topics */
export const NTFY_TOPIC = /^[-_A-Za-z0-9]{1,64}$/;

const MESSAGE_BYTES = 4000;
const TITLE_LENGTH = 200;
const BUTTONS = 3;

const PRIORITY = { info: 3, warning: 4, critical: 5 } as const;
const TAG = { info: "information_source", warning: "warning", critical: "rotating_light" } as const;

async function messageOf(notice: Notice, links: Links, messageId: string) {
  const { keepAlive, keepAliveOf } = labelsOf(notice);
  const items = notice.groups.flatMap((group) => itemsOf(group, links));
  const kept = items.filter(({ keepAliveUrl }) => keepAliveUrl !== null);
  const [only] = items;
  const about = items.length === 1 ? (only?.who ?? null) : null;
  return {
    title: clip(notice.title, TITLE_LENGTH),
    message: textOf(notice, links),
    priority: PRIORITY[notice.severity],
    tags: [TAG[notice.severity]],
    click: about?.url ?? alertsUrl(links),
    actions: kept.slice(0, BUTTONS).map(({ who, keepAliveUrl }) => ({
      action: "view",
      label: kept.length === 1 || who === null ? keepAlive : keepAliveOf(clip(who.name, 40)),
      url: keepAliveUrl,
      clear: true,
    })),
    // The same message sent again takes the place of the first one.
    sequence_id: (await sha256Hex(messageId)).slice(0, 32),
  };
}

function textOf(notice: Notice, links: Links): string {
  const { moreOf } = labelsOf(notice);
  const lines = notice.groups.flatMap((group) => [
    group.heading,
    ...itemsOf(group, links).map((item) => `• ${lineOf(item)}`),
    ...(group.more === 0 ? [] : [moreOf(group.more)]),
  ]);
  const encoder = new TextEncoder();
  let text = "";
  for (const line of lines) {
    const next = text === "" ? line : `${text}\n${line}`;
    if (encoder.encode(next).length > MESSAGE_BYTES) return text === "" ? clip(line, 1000) : `${text}\n…`;
    text = next;
  }
  return text;
}
