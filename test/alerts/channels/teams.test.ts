import { afterEach, beforeEach, expect, it } from "vitest";
import { teams } from "../../../src/alerts/channels/teams.ts";
import type { Notice } from "../../../src/alerts/notice.ts";
import { type FakeService, fakeTeams, json } from "./fakes.ts";
import {
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
  service = await fakeTeams();
});
afterEach(() => service.http.stop());

const PATH = "/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=secret-signature";

const send = (notice: Notice, path = PATH) =>
  teams({ url: `${service.http.url}${path}` }, true).send(notice, linksOf(notice), MESSAGE_ID);

it("posts a card that says what it costs, why, where the instance is, and how to keep it alive", async () => {
  expect(await send(ONE)).toMatchObject({ delivered: true, detail: "202: the workflow has taken it" });
  const card = service.taken[0].attachments[0].content;
  expect(card).toMatchObject({
    version: "1.4",
    actions: [{ type: "Action.OpenUrl", title: "Open the alerts", url: "https://dumont.example/#/alerts" }],
  });
  const text = JSON.stringify(card.body);
  expect(text).toContain("GPU <5% for 3 minutes");
  expect(text).toContain("It costs $0.40 an hour");
  expect(card.body).toContainEqual({
    type: "ActionSet",
    actions: [{ type: "Action.OpenUrl", title: "Keep it alive", url: keepAliveUrl("e1") }],
  });
  expect(card.body[2].inlines[0]).toMatchObject({ text: "Rig 1", selectAction: { url: INSTANCE_URL } });
});

it("fits the largest notice into 20 KB, whole parts of it", async () => {
  expect(await send(ENORMOUS)).toMatchObject({ delivered: true });
  expect(Buffer.byteLength(service.http.calls[0]?.body ?? "")).toBeLessThanOrEqual(20 * 1024);
  const { body } = service.taken[0].attachments[0].content;
  expect(body.length).toBeGreaterThan(5);
  expect(body.at(-1).inlines[0].text).toBe("…");
});

it("puts text of a machine where Teams reads no markup", async () => {
  await send(HOSTILE);
  const { body } = service.taken[0].attachments[0].content;
  expect(new Set(body.map(({ type }: { type: string }) => type))).toEqual(new Set(["RichTextBlock"]));
  expect(body[2].inlines.at(-1)).toEqual({ type: "TextRun", text: HOSTILE_TEXT });
});

it("is not sent again to a workflow that refuses it", async () => {
  expect(await send(ONE, "/workflows/1?sig=other")).toMatchObject({ delivered: false, mayPass: false });
});

it("waits as long as it is asked to", async () => {
  service.answerNext(json(429, {}, { "Retry-After": "60" }));
  expect(await send(ONE)).toMatchObject({ mayPass: true, retryAfterSeconds: 60 });
  service.answerNext(json(500, {}));
  expect(await send(ONE)).toMatchObject({ mayPass: true, retryAfterSeconds: null });
});
