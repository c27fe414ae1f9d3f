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
