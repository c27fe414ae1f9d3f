import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toIso } from "../../../src/lifecycle/model/time.ts";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** Busy for three minutes, then idle until its policy has hibernated it. What its view said is kept by the minute. */
async function hibernated() {
  const one = await Instance.register(await newUser(), "rig", { provider: "agent" });
  const thought = new Map<number, unknown>();
  for (let minute = 0; minute <= 9; minute++) {
    await one.until(DAY + minute * MINUTE);
    const sources = [{ name: "ssh_connections", value: minute === 1 ? 2 : 0 }];
    await one.heartbeat({ gpu_utilization: minute < 3 ? 80 : 1, sources });
    await one.until(DAY + minute * MINUTE + 30_000);
    const { status, lifecycle } = (await one.ask("GET")).body;
    thought.set(DAY + minute * MINUTE + 30_000, { status, lifecycle });
  }
  await one.settled();
  return { one, thought };
}

function why(one: Instance, at: number) {
  return one.ask("GET", `/why?at=${encodeURIComponent(toIso(at))}`);
}

describe("why it was so", () => {
  it("is told as its view told it at that moment", async () => {
    const { one, thought } = await hibernated();
    for (const [at, then] of thought) {
      const { status, body } = await why(one, at);
      expect(status).toBe(200);
      expect({ status: body.status, lifecycle: body.lifecycle }).toEqual(then);
    }
  });

  it("judges each reading by what the policy saw, source by source", async () => {
    const { one } = await hibernated();
    const { body } = await why(one, DAY + 4 * MINUTE + 30_000);
    expect(body).toMatchObject({
      verdict: "idle",
      idle_since: "2030-01-07T00:03:00Z",
      idle_at_least: false,
      heard: { at: "2030-01-07T00:04:00Z", verdict: "quiet", percent: 1, threshold_percent: 5 },
      policy: { unknown_because: null, preset: "thrifty" },
      hour: null,
    });
    expect(body.readings.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
      "active",
      "active",
      "active",
      ...Array(body.readings.length - 3).fill("quiet"),
    ]);
    expect(body.readings[1].sources).toEqual([
      { name: "ssh_connections", value: 2, threshold: 1, state: "active" },
    ]);
    expect(body.events.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining(["registered", "first_heartbeat", "idle", "hibernating"]),
    );
  });

  it("goes by the policy that was in force then, whatever is set now", async () => {
    const { one } = await hibernated();
    await one.until(DAY + 30 * MINUTE);
    await one.ask("PATCH", "", { policy: { idle: { threshold_percent: 0.5 } } });
    await one.settled();
    const then = (await why(one, DAY + 4 * MINUTE + 30_000)).body;
    expect(then.policy.settings.idle.threshold_percent).toBe(5);
    expect(then.heard).toMatchObject({ verdict: "quiet", threshold_percent: 5 });
    const now = (await why(one, DAY + 30 * MINUTE + 1000)).body;
    expect(now.policy.settings.idle.threshold_percent).toBe(0.5);
  });

  it("says that nothing was heard where nothing was", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    await one.until(DAY + 20 * MINUTE);
    const { body } = await why(one, DAY + 15 * MINUTE);
    expect(body).toMatchObject({ status: "orphaned", verdict: "silent", idle_since: null });
  });

  it("is refused for a moment of which nothing can be known", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.until(DAY + 5 * MINUTE);
    const refused = async (query: string) => {
      const { status, body } = await one.ask("GET", `/why${query}`);
      return [status, body.error.issues?.[0]?.path, body.error.issues?.[0]?.message];
    };
    expect(await refused("")).toEqual([400, "query.at", expect.any(String)]);
    expect(await refused("?at=yesterday")).toEqual([400, "query.at", expect.any(String)]);
    expect(await refused("?at=2030-01-07T00:06:00Z")).toEqual([400, "query.at", "must not be in the future"]);
    expect(await refused("?at=2030-01-06T23:59:00Z")).toEqual([
      400,
      "query.at",
      "must not be before the instance was registered (2030-01-07T00:00:00Z)",
    ]);
    expect(await refused("?at=2020-01-01T00:00:00Z")).toEqual([
      400,
      "query.at",
      expect.stringContaining("must not be before what is kept"),
    ]);
  });

  it("is nobody else's business, and not told of an instance that is not there", async () => {
    const { one } = await hibernated();
    const other = await newUser("Eve");
    const path = `/api/agent/instances/rig/why?at=${toIso(DAY + MINUTE)}`;
    expect((await call("GET", path, { token: other.token })).status).toBe(404);
    expect((await call("GET", path, { token: one.token })).status).toBe(403);
  });
});
