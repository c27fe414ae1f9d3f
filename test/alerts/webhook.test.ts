import { afterEach, expect, it, vi } from "vitest";
import { webhook } from "../../src/alerts/channels/webhook.ts";
import { type Alert, composeNotice } from "../../src/alerts/notice.ts";

afterEach(() => vi.restoreAllMocks());

const NO_LINKS = { origin: "https://dumont.example", keepAlive: new Map<string, string>() };

const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;

function alert(id: string, detail: Alert["detail"]): Alert {
  return {
    eventId: `e-${id}`,
    instanceId: id,
    name: id,
    registeredAt: 0,
    kind: "orphaned",
    severity: "warning",
    message: `Instance ${id} may be stuck: no heartbeat for 5 minutes`,
    at: 0,
    detail,
  };
}

it("a webhook gets what machines cost as numbers, each by itself and together", async () => {
  const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
  const notice = composeNotice(
    [alert("dear", { rate: 4, would_save_hourly: 3.9, rule: "x" }), alert("unknown", { rule: "x" })],
    "info",
  );
  if (notice === null) throw new Error("there is something to tell");
  const channel = webhook({ url: "https://hook.example.com/", secret: SECRET }, false);
  expect(await channel.send(notice, NO_LINKS, "m")).toMatchObject({ delivered: true });
  const { data } = JSON.parse(String(fetched.mock.calls[0]?.[1]?.body));
  expect(data.groups).toMatchObject([
    {
      heading: "2 instances orphaned, $4.00 an hour and more (1 at unknown prices) together",
      money: { rate: 4, unknown_rates: 1, saves_hourly: null, wasted: null },
      alerts: [
        {
          message: "Instance dear may be stuck: no heartbeat for 5 minutes",
          money: { rate: 4, would_save_hourly: 3.9 },
          url: "https://dumont.example/#/instances/dear",
          money_text: "It costs $4.00 an hour and would save $3.90 an hour if it were hibernated.",
        },
        { money: null, money_text: null },
      ],
    },
  ]);
});

it("what a former version composed is told without", async () => {
  const fetched = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("ok"));
  const line = { instanceId: "a", name: "a", message: "idle", at: 0, keepAlive: null, eventId: "e" };
  const group = {
    kind: "idle",
    severity: "warning",
    heading: "1 instance idle",
    lines: [line],
    more: 0,
  } as const;
  const channel = webhook({ url: "https://hook.example.com/", secret: SECRET }, false);
  await channel.send({ title: "idle", severity: "warning", groups: [group] }, NO_LINKS, "m");
  const { data } = JSON.parse(String(fetched.mock.calls[0]?.[1]?.body));
  expect(data.groups).toMatchObject([{ money: null, alerts: [{ money: null, money_text: null }] }]);
});
