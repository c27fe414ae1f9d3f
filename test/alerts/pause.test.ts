import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { alertOf, passAlarms, reportOf } from "../fleet/fleets.ts";
import { call, DAY, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

let answer: () => Response;
beforeEach(() => {
  setClock(DAY);
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => answer());
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function newChannel(settings: object) {
  const { token, userId } = await newUser();
  const json = { name: "#gpus", settings };
  const { id } = (await call("POST", "/api/agent/channels", { token, json })).body;
  const fleet = fleetOf(env, userId);
  const tell = async (event: string) => {
    const events = [alertOf(event, { severity: "critical" })];
    await fleet.report(reportOf(`rig-${event}`, { events }));
    await passAlarms(fleet, Date.now() + 10 * MINUTE);
  };
  const pause = (paused: boolean) => call("PATCH", `/api/agent/channels/${id}`, { token, json: { paused } });
  return { fleet, tell, pause, token };
}

const told = () => vi.mocked(fetch).mock.calls.map(([, request]) => String(request?.body));

it("a channel that is paused is told of nothing, nor later of what happened meanwhile", async () => {
  const { tell, pause } = await newChannel({ kind: "slack", url: "https://hooks.example.com/x" });
  await tell("first");
  await pause(true);
  await tell("second");
  await pause(false);
  await tell("third");
  expect(told().map((body) => /Message (\w+)/.exec(body)?.[1])).toEqual(["first", "third"]);
});

it("a message that waits for a channel is dropped when that is paused", async () => {
  const { fleet, tell, pause } = await newChannel({ kind: "slack", url: "https://hooks.example.com/x" });
  await runInDurableObject(fleet, async (_, { storage: { sql } }) => {
    const notice = JSON.stringify({ title: "x", severity: "info", groups: [] });
    sql.exec(
      `INSERT INTO deliveries (id, channel_id, digest_id, notice, retry_at) SELECT 'd', id, 'd', ?, ? FROM channels`,
      notice,
      Date.now(),
    );
  });
  await pause(true);
  await tell("first");
  await pause(false);
  await tell("second");
  expect(told()).toHaveLength(1);
});

it("a webhook that is gone is never called again", async () => {
  const url = "https://discord.com/api/webhooks/1/x";
  const { tell, token } = await newChannel({ kind: "discord", url });
  answer = () => new Response("{}", { status: 404 });
  await tell("first");
  await tell("second");
  expect(told()).toHaveLength(1);
  const [channel] = (await call("GET", "/api/agent/channels", { token })).body.channels;
  expect(channel.paused).toMatchObject({ because: "gone" });
});

it("a channel that is gone is told of to all others at once, and once", async () => {
  const url = "https://discord.com/api/webhooks/1/x";
  const { tell, token } = await newChannel({ kind: "discord", url });
  const other = {
    name: "ops",
    minimum_severity: "critical",
    settings: { kind: "slack", url: "https://hooks.example.com/y" },
  };
  await call("POST", "/api/agent/channels", { token, json: other });
  vi.mocked(fetch).mockImplementation(async (request) =>
    String(request).includes("discord") ? new Response("{}", { status: 404 }) : new Response("ok"),
  );
  await tell("first");
  await tell("second");
  const words = told().filter((body) => body.includes("Nothing is told there any more"));
  expect(words).toHaveLength(1);
  expect(words[0]).toContain("The channel #gpus (discord) is gone: 404");
  const { open } = (await call("GET", "/api/agent/alerts", { token })).body;
  expect(open).toContainEqual(
    expect.objectContaining({
      kind: "alert_not_delivered",
      severity: "critical",
      detail: expect.objectContaining({ gone: true }),
    }),
  );
});

it("a channel whose test finds it gone is told of, too", async () => {
  const { token } = await newChannel({ kind: "discord", url: "https://discord.com/api/webhooks/1/x" });
  answer = () => new Response("{}", { status: 404 });
  const [{ id }] = (await call("GET", "/api/agent/channels", { token })).body.channels;
  await call("POST", `/api/agent/channels/${id}/test`, { token });
  await call("POST", `/api/agent/channels/${id}/test`, { token });
  const { open } = (await call("GET", "/api/agent/alerts", { token })).body;
  expect(open).toMatchObject([{ kind: "alert_not_delivered", severity: "critical" }]);
});

it("how many channels are told, paused and gone is a metric", async () => {
  const { tell, token } = await newChannel({ kind: "discord", url: "https://discord.com/api/webhooks/1/x" });
  const counted = async () =>
    (await call("GET", "/metrics", { token })).body
      .split("\n")
      .filter((line: string) => line.startsWith("dumont_agents_channels{"));
  expect(await counted()).toContain('dumont_agents_channels{state="told"} 1');
  answer = () => new Response("{}", { status: 404 });
  await tell("first");
  expect(await counted()).toEqual([
    'dumont_agents_channels{state="told"} 0',
    'dumont_agents_channels{state="gone"} 1',
    'dumont_agents_channels{state="paused"} 0',
    'dumont_agents_channels{state="unconfirmed"} 0',
  ]);
});
