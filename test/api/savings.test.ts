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
});
