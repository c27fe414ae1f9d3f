import { afterEach, beforeEach, expect, it } from "vitest";
import { discord } from "../../../src/alerts/channels/discord.ts";
import type { Notice } from "../../../src/alerts/notice.ts";
import { type FakeService, fakeDiscord, json } from "./fakes.ts";
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
  service = await fakeDiscord();
});
afterEach(() => service.http.stop());

const send = (notice: Notice, path = "/api/webhooks/1234/secret-token") =>
  discord({ url: `${service.http.url}${path}` }, true).send(notice, linksOf(notice), MESSAGE_ID);

it("says what it costs, why, where the instance is, and how to keep it alive", async () => {
  expect(await send(ONE)).toEqual({
    delivered: true,
    detail: "200: posted",
    mayPass: false,
    retryAfterSeconds: null,
  });
  const [{ content, embeds }] = service.taken;
  expect(content).toContain("⚠️ Rig 1\\: GPU \\<5% for 3 minutes");
  expect(embeds).toHaveLength(1);
  const { description } = embeds[0];
  expect(description).toContain(`**[Rig 1](${INSTANCE_URL})** GPU \\<5%`);
  expect(description).toContain("It costs $0.40 an hour");
  expect(description).toContain(`[Keep it alive](${keepAliveUrl("e1")})`);
});

it("waits for Discord's word, also in a thread", async () => {
  await send(CRITICAL, "/api/webhooks/1234/secret-token?thread_id=9");
  expect(service.http.calls[0]?.path).toBe("/api/webhooks/1234/secret-token?thread_id=9&wait=true");
});

it("fits the largest notice into what Discord takes, and cuts no link", async () => {
  expect(await send(ENORMOUS)).toMatchObject({ delivered: true });
  for (const { description } of service.taken[0].embeds) {
    const links = [...description.matchAll(/\[Keep it alive\]\(([^)]*)\)?/g)];
    for (const [whole] of links) expect(whole).toMatch(/x{300}\)$/);
    expect(description.isWellFormed()).toBe(true);
  }
});

it("takes no text of a machine for markup, a mention or a link", async () => {
  await send(HOSTILE);
  const [{ embeds, allowed_mentions }] = service.taken;
  expect(allowed_mentions).toEqual({ parse: [] });
  const unescaped = embeds[0].description.replaceAll(/\\./g, "").replace(`](${INSTANCE_URL})`, "");
  expect(unescaped).not.toMatch(/[`~|<@[\]]{1}.*[`~|<@[\]]{2}|https:/);
});

it("waits as long as it is asked to, by the header or by the body", async () => {
  service.answerNext(json(429, { retry_after: 1.2 }, { "Retry-After": "7" }));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true, retryAfterSeconds: 7 });
  service.answerNext(json(429, { message: "You are being rate limited.", retry_after: 64.57 }));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true, retryAfterSeconds: 65 });
});

it("is gone for good where Discord knows no such webhook, and only there", async () => {
  expect(await send(ONE, "/api/webhooks/1/other")).toMatchObject({
    delivered: false,
    mayPass: false,
    isGone: true,
    detail: '404 {"message":"Unknown Webhook","code":10015}',
  });
  service.answerNext(json(400, { message: "Invalid Form Body" }));
  expect(await send(ONE)).toEqual({
    delivered: false,
    mayPass: false,
    retryAfterSeconds: null,
    detail: '400 {"message":"Invalid Form Body"}',
  });
  service.answerNext(json(502, {}));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true });
});

it("may be reached later when nobody answers now", async () => {
  await service.http.stop();
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true });
});
