import { evictDurableObject, introspectWorkflow, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FleetActor } from "../../src/fleet/actor.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { alertOf, passAlarms, reportOf, rows, stateOf } from "../fleet/fleets.ts";
import { expectLogged, mayLog } from "../quiet.ts";
import { call, DAY, newUser, setClock } from "../world.ts";

/** No alert is lost: whatever its channel, its workflow or its alarm does, it is told, or it is said that it was not. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const SLACK = "https://hooks.example.com/services/T0/B0/x";

let posts: { readonly name: string; readonly text: string; readonly at: number }[];
let answer: (name: string) => Response;

beforeEach(() => {
  setClock(DAY);
  posts = [];
  answer = () => new Response("ok");
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const name = String(input).split("/").at(-1) ?? "";
    const reply = answer(name);
    if (reply.ok) posts.push({ name, text: String(init?.body), at: Date.now() });
    return reply;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function userWith(...names: string[]): Promise<DurableObjectStub<FleetActor>> {
  const { token, userId } = await newUser();
  for (const name of names) {
    const settings = { kind: "slack", url: `${SLACK}/${name}` };
    const json = { name, minimum_severity: "info", settings };
    expect((await call("POST", "/api/agent/channels", { token, json })).status).toBe(201);
  }
  return fleetOf(env, userId);
}

async function alert(fleet: DurableObjectStub<FleetActor>, id: string): Promise<void> {
  const events = [alertOf(id, { at: Date.now(), severity: "critical", message: `Alert ${id}` })];
  // An instance of its own: what one has told already is not told again.
  await fleet.report(reportOf(`rig-${id}`, { events }));
}

const waiting = (fleet: DurableObjectStub<FleetActor>) => rows(fleet, "SELECT retry_at FROM deliveries");
const givenUp = (fleet: DurableObjectStub<FleetActor>) =>
  rows(fleet, "SELECT severity, message FROM events WHERE kind = 'alert_not_delivered' ORDER BY number");
const toldTo = (name: string) => posts.filter((post) => post.name === name).map(({ text }) => text);

describe("a channel that answers 500 with Retry-After: 86400", () => {
  it("delays no critical alert on a good one, and is tried again within the hour", async () => {
    await using _ = await introspectWorkflow(env.ALERT_DELIVERY);
    const create = vi.spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create");
    const fleet = await userWith("bad", "good");
    answer = (name) =>
      name === "bad"
        ? new Response("", { status: 500, headers: { "Retry-After": "86400" } })
        : new Response("ok");
    for (let number = 1; number <= 5; number++) {
      const raisedAt = Date.now();
      await alert(fleet, `e-${number}`);
      await passAlarms(fleet, raisedAt + 31 * SECOND);
      const [told] = posts.filter(({ text }) => text.includes(`Alert e-${number}`));
      expect(told?.name).toBe("good");
      // One that follows within the window waits for its end.
      expect((told?.at ?? 0) - raisedAt).toBeLessThanOrEqual(31 * SECOND);
    }
    for (const [{ params }] of create.mock.calls as [{ params: { waitMs: number } }][]) {
      expect(params.waitMs).toBe(HOUR);
    }
    expect(create.mock.calls.length).toBe(5);
  });
});

describe("a message whose workflow", () => {
  it("has died is sent by the fleet, once nothing was heard of it for its lease", async () => {
    vi.spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create").mockResolvedValue({ id: "lost" });
    const fleet = await userWith("only");
    answer = () => new Response("", { status: 503 });
    await alert(fleet, "e-1");
    await passAlarms(fleet, DAY + SECOND);
    answer = () => new Response("ok");
    expect(await waiting(fleet)).toHaveLength(1);
    await passAlarms(fleet, DAY + HOUR);
    expect(posts).toEqual([]);
    await passAlarms(fleet, DAY + HOUR + 11 * MINUTE);
    expect(toldTo("only")).toEqual([expect.stringContaining("Alert e-1")]);
    expect(await waiting(fleet)).toEqual([]);
  });

  it("has tried in vain is given up with one event, which the other channels tell once", async () => {
    await using introspector = await introspectWorkflow(env.ALERT_DELIVERY);
    await introspector.modifyAll(async (each) => {
      await each.disableSleeps();
      await each.disableRetryDelays();
    });
    const fleet = await userWith("bad", "good");
    answer = (name) => (name === "bad" ? new Response("away", { status: 503 }) : new Response("ok"));
    await alert(fleet, "e-1");
    await passAlarms(fleet, DAY + SECOND);
    const event = {
      severity: "warning",
      message: "A message could not be delivered to the channel bad (slack): Error: 503 away",
    };
    await expect.poll(() => givenUp(fleet)).toEqual([expect.objectContaining({ severity: "warning" })]);
    expect((await givenUp(fleet))[0]?.message).toContain(event.message.split(": ")[0]);
    expect(await waiting(fleet)).toEqual([]);
    // That it was not told is told in turn, and not that this was not told either.
    await passAlarms(fleet, DAY + 5 * MINUTE);
    await expect.poll(async () => (await givenUp(fleet)).length).toBe(2);
    await passAlarms(fleet, DAY + HOUR);
    expect(toldTo("good")).toHaveLength(2);
    expect(toldTo("good")[1]).toContain("could not be delivered to the channel bad");
    expect(toldTo("bad")).toEqual([]);
  });
});

describe("the sweep", () => {
  mayLog(/waited for longer than they should/);

  /** Alerts that wait, and nobody knows when to tell them. */
  async function forgotten(): Promise<DurableObjectStub<FleetActor>> {
    const fleet = await userWith("only");
    await alert(fleet, "e-1");
    const state = await stateOf(fleet);
    await runInDurableObject(fleet, async (_, { storage }) => {
      const digest = { criticalAt: null, quietUntil: null, ordinary: null };
      storage.sql.exec("UPDATE fleet SET json = ?", JSON.stringify({ ...state, digest }));
      await storage.deleteAlarm();
    });
    await evictDurableObject(fleet);
    return fleet;
  }

  it("finds alerts without a time, by the daily cleanup at the latest", async () => {
    const fleet = await forgotten();
    setClock(DAY + 20 * HOUR);
    expectLogged(/waited for longer than they should/);
    await fleet.instancesToVisit("", 10);
    await passAlarms(fleet, Date.now() + SECOND);
    expect(toldTo("only")).toEqual([expect.stringContaining("Alert e-1")]);
  });

  it("finds them by the fleet's own alarm, whatever that fires for", async () => {
    const fleet = await forgotten();
    await fleet.report(reportOf("other"));
    await passAlarms(fleet, DAY + MINUTE);
    expect(toldTo("only")).toEqual([expect.stringContaining("Alert e-1")]);
  });

  it("finds messages that would be tried when nobody reads them any more", async () => {
    const fleet = await userWith("only");
    await alert(fleet, "e-1");
    answer = () => new Response("", { status: 503 });
    vi.spyOn(Object.getPrototypeOf(env.ALERT_DELIVERY), "create").mockResolvedValue({ id: "lost" });
    await passAlarms(fleet, DAY + SECOND);
    // The clock is set back by a week.
    setClock(DAY - 7 * 24 * HOUR);
    answer = () => new Response("ok");
    expectLogged(/waited for longer than they should/);
    await fleet.instancesToVisit("", 10);
    await passAlarms(fleet, Date.now() + SECOND);
    expect(toldTo("only")).toEqual([expect.stringContaining("Alert e-1")]);
  });
});

describe("a channel that is away while alerts keep coming", () => {
  it("has 500 messages waiting at most, and the oldest given up is told once", async () => {
    await using _ = await introspectWorkflow(env.ALERT_DELIVERY);
    const fleet = await userWith("bad", "good");
    answer = (name) => (name === "bad" ? new Response("away", { status: 503 }) : new Response("ok"));
    await alert(fleet, "e-1");
    await passAlarms(fleet, DAY + SECOND);
    // Eight of them wait to be tried; the others are carried by their workflows.
    await runInDurableObject(fleet, (_, { storage: { sql } }) => {
      sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 505)
         INSERT INTO deliveries (id, channel_id, digest_id, notice, retry_at)
         SELECT 'filled-' || i, channel_id, 'filled-' || i, notice, iif(i <= 8, ?1, ?2)
         FROM n, (SELECT channel_id, notice FROM deliveries LIMIT 1)`,
        DAY,
        DAY + 20 * HOUR,
      );
    });
    await alert(fleet, "e-2");
    await passAlarms(fleet, DAY + 5 * MINUTE);
    const [{ n } = { n: 0 }] = await rows(fleet, "SELECT COUNT(*) AS n FROM deliveries");
    expect(n).toBeLessThanOrEqual(500);
    expect((await givenUp(fleet)).length).toBeGreaterThanOrEqual(6);
    expect(toldTo("good").filter((text) => text.includes("more than 500 messages waited"))).toHaveLength(1);
  });
});
