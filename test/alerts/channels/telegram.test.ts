import { afterEach, beforeEach, expect, it } from "vitest";
import { telegram } from "../../../src/alerts/channels/telegram.ts";
import type { Notice } from "../../../src/alerts/notice.ts";
import { type FakeService, fakeTelegram, json, TELEGRAM_BOT } from "./fakes.ts";
import {
  CRITICAL,
  ENORMOUS,
  HOSTILE,
  INSTANCE_URL,
  keepAliveUrl,
  linksOf,
  MESSAGE_ID,
  ONE,
} from "./notices.ts";

let service: FakeService;
beforeEach(async () => {
  service = await fakeTelegram();
});
afterEach(() => service.http.stop());

const send = (notice: Notice, chat_id = "42", token = TELEGRAM_BOT) =>
  telegram({ token, chat_id }, true, service.http.url).send(notice, linksOf(notice), MESSAGE_ID);

it("says what it costs, why, where the instance is, and has a button that keeps it alive", async () => {
  expect(await send(ONE)).toMatchObject({ delivered: true, detail: "200: sent" });
  const [message] = service.taken;
  expect(message).toMatchObject({
    chat_id: "42",
    parse_mode: "HTML",
    link_preview_options: { is_disabled: true },
    disable_notification: false,
    reply_markup: { inline_keyboard: [[{ text: "Keep Rig 1 alive", url: keepAliveUrl("e1") }]] },
  });
  expect(message.text).toContain(`<a href="${INSTANCE_URL}">Rig 1</a>: GPU &lt;5%`);
  expect(message.text).toContain("<i>It costs $0.40 an hour");
});

it("has no buttons where there is nothing to keep alive", async () => {
  await send(CRITICAL);
  expect(service.taken[0].reply_markup).toBeUndefined();
});

it("fits the largest notice into what Telegram takes, and its markup is whole", async () => {
  expect(await send(ENORMOUS)).toMatchObject({ delivered: true });
  expect(service.taken[0].text.isWellFormed()).toBe(true);
});

it("takes no text of a machine for markup", async () => {
  expect(await send(HOSTILE)).toMatchObject({ delivered: true });
  expect(service.taken[0].text).toContain("&lt;b&gt;&amp;amp;");
});

it("follows a group that became a supergroup", async () => {
  expect(await send(ONE, "-5")).toMatchObject({
    delivered: true,
    detail: "200: sent to -1005, as the group is called now",
  });
  expect(service.http.calls).toHaveLength(2);
});

it("says what Telegram said, never with the bot's token, and does not try again what is refused", async () => {
  const refused = { delivered: false, mayPass: false };
  expect(await send(ONE, "6")).toMatchObject({
    ...refused,
    detail: "403 Forbidden: bot was blocked by the user",
  });
  expect(await send(ONE, "7")).toMatchObject({ ...refused, detail: "400 Bad Request: chat not found" });
  expect(await send(ONE, "42", `${TELEGRAM_BOT}B`)).toMatchObject({ ...refused, detail: "401 Unauthorized" });
});

it("waits as long as it is asked to by the answer's parameters", async () => {
  service.answerNext(
    json(429, { ok: false, description: "Too Many Requests", parameters: { retry_after: 35 } }),
  );
  expect(await send(ONE)).toMatchObject({ mayPass: true, retryAfterSeconds: 35 });
});

it.each(["<html>bad gateway</html>", "[]", '{"parameters":{"retry_after":"soon","migrate_to_chat_id":{}}}'])(
  "may take later what it answers with %s now",
  async (body) => {
    service.answerNext({ status: 502, body });
    expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true, retryAfterSeconds: null });
  },
);
