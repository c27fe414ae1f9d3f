import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const PATH = "/api/agent/policy/preview";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** Works for an hour, then idles for one. */
async function anInstance(user: { userId: string; token: string }, id: string): Promise<Instance> {
  setClock(DAY);
  const one = await Instance.register(user, id, {
    hourly_cost: 1,
    hibernated_hourly_cost: 0,
    policy: { idle: { enabled: false } },
  });
  for (let minute = 1; minute <= 120; minute++) {
    setClock(DAY + minute * MINUTE);
    await one.heartbeat({ gpu_utilization: minute <= 60 ? 90 : 0 });
  }
  return one;
}

describe("a preview of a few instances", () => {
  it("is answered at once", async () => {
    const user = await newUser();
    await anInstance(user, "rig");
    const started = await call("POST", PATH, {
      token: user.token,
      json: {
        policy: { preset: "balanced" },
        instances: ["rig"],
        instance_policy: {},
      },
    });
    expect(started.status).toBe(200);
    expect(started.body).toMatchObject({
      state: "done",
      days: 7,
      preset: "balanced",
      instances: { total: 1, done: 1, skipped: 0 },
      by_instance: [{ instance_id: "rig" }],
      skipped: [],
    });
    const list = await call("GET", PATH, { token: user.token });
    expect(list.body.previews).toMatchObject([{ id: started.body.id, state: "done" }]);
    const one = await call("GET", `${PATH}/${started.body.id}`, { token: user.token });
    expect(one.body).toEqual(started.body);
    const lines = await call("GET", `${PATH}/${started.body.id}/instances`, { token: user.token });
    expect(lines.body).toEqual({ instances: started.body.by_instance, next_cursor: null });
    expect((await call("DELETE", `${PATH}/${started.body.id}`, { token: user.token })).status).toBe(200);
    expect((await call("GET", `${PATH}/${started.body.id}`, { token: user.token })).status).toBe(404);
  });
});
