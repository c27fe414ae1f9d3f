import { afterEach, beforeEach, expect, it } from "vitest";
import { ntfy } from "../../../src/alerts/channels/ntfy.ts";
import type { Notice } from "../../../src/alerts/notice.ts";
import { type FakeService, fakeNtfy, json } from "./fakes.ts";
import {
  CRITICAL,
  ENORMOUS,
  HOSTILE,
  HOSTILE_TEXT,
  INSTANCE_URL,
  keepAliveUrl,
  linksOf,
  MESSAGE_ID,
  ONE,
} from "./notices.ts";

let service: FakeService;
beforeEach(async () => {
  service = await fakeNtfy("tk_secret");
});
afterEach(() => service.http.stop());

const send = (notice: Notice, more: { token?: string; topic?: string } = { token: "tk_secret" }) =>
  ntfy({ server: `${service.http.url}/anywhere`, topic: "gpus", ...more }, true).send(
    notice,
    linksOf(notice),
    MESSAGE_ID,
  );

it("says what it costs and why, opens the instance, and has a button that keeps it alive", async () => {
  expect(await send(ONE)).toMatchObject({ delivered: true, detail: "200: published" });
  expect(service.taken).toEqual([
    {
      topic: "gpus",
      title: "Rig 1: GPU <5% for 3 minutes. Hibernating in 2 minutes",
      message: expect.stringContaining("It costs $0.40 an hour"),
      priority: 4,
      tags: ["warning"],
      click: INSTANCE_URL,
      actions: [{ action: "view", label: "Keep it alive", url: keepAliveUrl("e1"), clear: true }],
      sequence_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    },
  ]);
});

it("is pressing when the alert is critical, and takes the place of itself when it is sent again", async () => {
  await send(CRITICAL);
  await send(CRITICAL);
  const [first, second] = service.taken;
  expect(first).toMatchObject({ priority: 5, tags: ["rotating_light"], actions: [] });
  expect(second.sequence_id).toBe(first.sequence_id);
});

it("fits the largest notice into what ntfy takes", async () => {
  expect(await send(ENORMOUS)).toMatchObject({ delivered: true });
  const [{ message, actions, click }] = service.taken;
  expect(message.isWellFormed()).toBe(true);
  expect(actions).toHaveLength(3);
  expect(click).toBe("https://dumont.example/#/alerts");
});

it("keeps text of a machine as text", async () => {
  await send(HOSTILE);
  expect(service.taken[0].message).toContain(`• ${HOSTILE_TEXT}: ${HOSTILE_TEXT}`);
});

it("is refused without the token that the topic asks for, and not tried again", async () => {
  expect(await send(ONE, {})).toMatchObject({
    delivered: false,
    mayPass: false,
    detail: '403 {"code":40301,"http":403,"error":"forbidden"}',
  });
});

it("waits as long as it is asked to", async () => {
  service.answerNext(json(429, { code: 42901, error: "limit reached" }, { "Retry-After": "30" }));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true, retryAfterSeconds: 30 });
  service.answerNext(json(507, { error: "full" }));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true });
});
