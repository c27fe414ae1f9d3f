import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("savings", () => {
  it("are confirmed hours of hibernation at the difference of the costs", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 });
    await one.heartbeat({ status: "hibernating" });
    // Two minutes of silence confirm it.
    await one.until(DAY + 10 * 60 * MINUTE + 2 * MINUTE);
    const { body } = await call("GET", "/api/agent/savings", { token: user.token });
    const saved = {
      saved_this_month: 3.9,
      saved_total: 3.9,
      hibernated_seconds_this_month: 36_000,
      hibernated_seconds_total: 36_000,
    };
    expect(body).toMatchObject({
      in_all: saved,
      instances: [{ instance_id: "rig", ...saved }],
      next_cursor: null,
    });
  });

  it("in all are those of every instance, however few a page shows", async () => {
    const user = await newUser();
    const ids = ["a", "b", "c", "d", "e"];
    for (const [index, id] of ids.entries()) {
      setClock(DAY);
      const costs = { hourly_cost: index + 1, hibernated_hourly_cost: 0 };
      const one = await Instance.register(user, id, costs);
      await one.heartbeat({ status: "hibernating" });
      await one.until(DAY + 2 * MINUTE);
      await one.settled();
    }
    await Instance.register(await newUser(), "a", { hourly_cost: 1000 });
    setClock(DAY + 62 * MINUTE);
    const seen: [string, number][] = [];
    let cursor = "";
    do {
      const { body } = await call("GET", `/api/agent/savings?limit=2${cursor}`, { token: user.token });
      expect(body.in_all).toEqual({
        saved_this_month: 15,
        saved_total: 15,
        hibernated_seconds_this_month: 5 * 3600,
        hibernated_seconds_total: 5 * 3600,
      });
      for (const { instance_id, saved_total } of body.instances) seen.push([instance_id, saved_total]);
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(ids.map((id, index) => [id, index + 1]));
  });
});
