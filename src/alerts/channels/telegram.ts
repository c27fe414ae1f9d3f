import { z } from "zod";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { post } from "../../outbound/call.ts";
import type { Notice, NoticeGroup } from "../notice.ts";
import { type Channel, type Delivery, delivered, deliveryOf, type Links, unreachable } from "./channel.ts";
import { clip, fitting, type Item, itemsOf, type Labels, labelsOf } from "./items.ts";

/** A Telegram bot that writes to one chat. https://core.telegram.org/bots/api#sendmessage; a text holds 4,096 characters. */
export function telegram(
  settings: { readonly token: string; readonly chat_id: string },
  allowLoopback: boolean,
  api = "https://api.telegram.org",
): Channel {
  const url = `${api}/bot${settings.token}/sendMessage`;
  const sendTo = async (chatId: string, message: object): Promise<Sent> => {
    const answer = await post(url, JSON.stringify({ chat_id: chatId, ...message }), {}, allowLoopback);
    const { description, parameters } = answerSchema.parse(answer.body);
    const delivery = deliveryOf({
      status: answer.status,
      body: description,
      retryAfterSeconds: answer.retryAfterSeconds ?? parameters?.retry_after ?? null,
    });
    return { delivery, movedTo: delivery.delivered ? null : (parameters?.migrate_to_chat_id ?? null) };
  };
  return {
    send: async (notice, links) => {
      try {
        const message = messageOf(notice, links);
        const sent = await sendTo(settings.chat_id, message);
        if (sent.movedTo === null) return sent.delivery.delivered ? delivered("200: sent") : sent.delivery;
        // A group that became a supergroup has another id. Telegram says so each time.
        const again = (await sendTo(sent.movedTo, message)).delivery;
        return again.delivered
          ? delivered(`200: sent to ${sent.movedTo}, as the group is called now`)
          : again;
      } catch (error) {
        return unreachable(error);
      }
    },
  };
}

/** https://core.telegram.org/bots/features#botfather */
export const TELEGRAM_TOKEN = /^\d{5,20}:[A-Za-z0-9_-]{30,64}$/;

/** A chat's number, which is negative for groups and channels, or a public channel's name. */
export const TELEGRAM_CHAT = /^(-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,31})$/;

interface Sent {
  readonly delivery: Delivery;
  readonly movedTo: string | null;
}

const NOTHING_SAID = { description: "" };

/** https://core.telegram.org/bots/api#making-requests */
const answerSchema = jsonText(
  z.object({
    description: z.string().catch(""),
    parameters: z
      .object({
        retry_after: z.number().min(0).optional().catch(undefined),
        migrate_to_chat_id: z
          .union([z.int(), z.string().regex(TELEGRAM_CHAT)])
          .transform(String)
          .optional()
          .catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
).catch({ ...NOTHING_SAID, parameters: undefined });

const TEXT_LENGTH = 4000;
const BUTTONS = 10;

const SIGN = { info: "ℹ️", warning: "⚠️", critical: "🚨" } as const;

function messageOf(notice: Notice, links: Links) {
  const labels = labelsOf(notice);
  const { keepAlive, keepAliveOf } = labels;
  const title = `${SIGN[notice.severity]} <b>${escaped(clip(notice.title, 300))}</b>`;
  const paragraphs = notice.groups.flatMap((group) => paragraphsOf(group, links, labels));
  const buttons = notice.groups
    .flatMap((group) => itemsOf(group, links))
    .flatMap(({ who, keepAliveUrl }) =>
      keepAliveUrl === null
        ? []
        : [[{ text: who === null ? keepAlive : keepAliveOf(clip(who.name, 40)), url: keepAliveUrl }]],
    );
  return {
    text: fitting([title, ...paragraphs], TEXT_LENGTH),
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    disable_notification: notice.severity === "info",
    ...(buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons.slice(0, BUTTONS) } }),
  };
}

function paragraphsOf(group: NoticeGroup, links: Links, { moreOf }: Labels): string[] {
  return [
    `\n<b>${escaped(clip(group.heading, 300))}</b>`,
    ...itemsOf(group, links).map(paragraphOf),
    ...(group.more === 0 ? [] : [`<i>${moreOf(group.more)}</i>`]),
  ];
}

/** Each text is cut before it is marked up: what is cut in the middle of a mark Telegram refuses. */
function paragraphOf({ who, message, money }: Item): string {
  const told = who === null ? "" : `<a href="${escaped(who.url)}">${escaped(clip(who.name, 200))}</a>: `;
  const costs = money === null ? "" : `\n<i>${escaped(clip(money, 300))}</i>`;
  return `• ${told}${escaped(clip(message, 500))}${costs}`;
}

/** https://core.telegram.org/bots/api#html-style */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
