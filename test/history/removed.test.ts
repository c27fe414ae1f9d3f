import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("the history of an instance that was removed", () => {
  it("can still be read by its owner, and by nobody else", async () => {
    const one = await Instance.register(await newUser(), "rig");
    for (let number = 1; number <= 3; number++) {
      await one.heartbeat({ gpu_utilization: 50, cost_accumulated: number });
      await one.until(Date.now() + MINUTE);
    }
    expect((await one.ask("DELETE", "")).status).toBe(200);
    await vi.waitFor(
      async () => expect((await one.ask("GET", "/heartbeats")).body.heartbeats).toHaveLength(3),
      {
        timeout: 60_000,
      },
    );
    expect((await one.ask("GET", "")).status).toBe(404);

    const { status, body } = await one.ask("GET", "/heartbeats");
    expect(status).toBe(200);
    expect(body.heartbeats.map((each: { cost_accumulated: number }) => each.cost_accumulated)).toEqual([
      3, 2, 1,
    ]);
    expect((await one.ask("GET", "/heartbeats?resolution=hour")).body.hours).toMatchObject([
      { hour: "2030-01-07T00:00:00Z", heartbeats: 3 },
    ]);
    const events = (await one.ask("GET", "/events")).body.events;
    expect(events.map((event: { kind: string }) => event.kind)).toEqual(["first_heartbeat", "registered"]);

    const stranger = await newUser();
    const asked = [
      ["rig", stranger.token],
      ["never-registered", one.userToken],
    ] as const;
    for (const [id, token] of asked) {
      for (const path of ["heartbeats", "heartbeats?resolution=hour", "events"]) {
        expect((await call("GET", `/api/agent/instances/${id}/${path}`, { token })).status).toBe(404);
      }
    }
  });
});
