import { afterEach, beforeEach, expect, it } from "vitest";
import { pagerduty } from "../../../src/alerts/channels/pagerduty.ts";
import { type Alert, composeNotice, type Notice } from "../../../src/alerts/notice.ts";
import { alert } from "../alert.ts";
import { fakePagerDuty, json, PAGERDUTY_ROUTE } from "./fakes.ts";
import { ENORMOUS, INSTANCE_URL, keepAliveUrl, linksOf, MESSAGE_ID, ONE } from "./notices.ts";

let service: Awaited<ReturnType<typeof fakePagerDuty>>;
beforeEach(async () => {
  service = await fakePagerDuty();
});
afterEach(() => service.http.stop());

const send = (notice: Notice, scope = "ada/c-1", routing_key = PAGERDUTY_ROUTE) =>
  pagerduty({ routing_key, region: "us" }, scope, true, service.http.url).send(
    notice,
    linksOf(notice),
    MESSAGE_ID,
  );

/** What a channel hears that wants only what is critical. */
function told(...alerts: readonly Alert[]): Notice {
  const notice = composeNotice(alerts, "critical", true);
  if (notice === null) throw new Error("there is something to tell");
  return notice;
}

const abandoned = (at: number) => alert("abandoned", 1, { severity: "critical", eventId: `a${at}`, at });
const recovered = (at: number) => alert("recovered", 1, { severity: "info", eventId: `r${at}`, at });

it("opens an incident that says what it costs, why, where the instance is, and how to keep it alive", async () => {
  expect(await send(ONE)).toMatchObject({ delivered: true, detail: "202: 1 opened or updated, 0 resolved" });
  expect(service.taken).toEqual([
    {
      routing_key: PAGERDUTY_ROUTE,
      event_action: "trigger",
      dedup_key: expect.stringMatching(/^dumont-[0-9a-f]{40}$/),
      client: "Dumont Agent System",
      client_url: INSTANCE_URL,
      links: [
        { href: INSTANCE_URL, text: "Rig 1" },
        { href: keepAliveUrl("e1"), text: "Keep it alive" },
      ],
      payload: {
        summary: expect.stringMatching(/^Rig 1: GPU <5% .* It costs \$0\.40 an hour/),
        source: "rig-1",
        severity: "warning",
        timestamp: "2025-12-19T00:00:00Z",
        class: "idle",
        custom_details: { message: expect.any(String), money: expect.any(String) },
      },
    },
  ]);
});

it("keeps one incident for a silence, from its first step until the instance is back", async () => {
  await send(told(alert("orphaned", 1, { severity: "critical" })));
  await send(told(abandoned(2)));
  expect([...service.open().values()]).toMatchObject([{ payload: { class: "abandoned" } }]);
  await send(told(recovered(3)));
  expect(service.open().size).toBe(0);
});

it("of what begins and ends within a message believes the last", async () => {
  await send(told(abandoned(1), recovered(2)));
  expect(service.open().size).toBe(0);
  await send(told(abandoned(1), recovered(2), abandoned(3)));
  expect(service.open().size).toBe(1);
});

it("does not resolve what another fleet, or another instance, has", async () => {
  await send(told(abandoned(1)));
  await send(told(recovered(2)), "eve/c-1");
  await send(told({ ...recovered(2), instanceId: "rig-2" }));
  expect(service.open().size).toBe(1);
});

it("opens nothing for news", async () => {
  const hibernated = alert("hibernated", 1, { severity: "info" });
  await send(told(hibernated));
  expect(service.taken.map(({ event_action }) => event_action)).toEqual(["resolve", "resolve"]);
});

it("leaves nothing open by a test", async () => {
  const group = { kind: "changed", severity: "info", heading: "Test", lines: [], more: 0 } as const;
  expect(await send({ title: "Test", severity: "info", groups: [group] })).toMatchObject({ delivered: true });
  expect(service.taken).toHaveLength(2);
  expect(service.open().size).toBe(0);
});

it("tells so much of the largest notice as one try may take", async () => {
  expect(await send(ENORMOUS)).toMatchObject({ delivered: true });
  expect(service.taken).toHaveLength(50);
});

it("sends what was told in part again from its beginning, and opens nothing twice", async () => {
  const notice = told(abandoned(1), { ...abandoned(2), instanceId: "rig-2" });
  service.answerNext(json(202, {}));
  service.answerNext(json(429, {}, { "Retry-After": "9" }));
  expect(await send(notice)).toMatchObject({ delivered: false, mayPass: true, retryAfterSeconds: 9 });
  await send(notice);
  await send(notice);
  expect(service.open().size).toBe(2);
});

it("is not told again what it takes for invalid", async () => {
  expect(await send(ONE, "ada/c-1", "x".repeat(32))).toMatchObject({ delivered: false, mayPass: false });
  service.answerNext(json(500, {}));
  expect(await send(ONE)).toMatchObject({ delivered: false, mayPass: true });
});
