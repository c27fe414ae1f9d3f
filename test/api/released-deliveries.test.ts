import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { expectLogged } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function release(userId: string, instanceId: string, token = ADMIN_TOKEN) {
  return call("POST", `/api/admin/users/${userId}/instances/${instanceId}/release`, { token });
}

describe("the operator's release", () => {
  it("has an instance try at once what would wait for its next try", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.settled();
    const down = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("D1 is down"));
    expectLogged(/outbox not delivered \(history\)/);
    await one.heartbeat();
    await one.until(DAY + 6 * MINUTE);
    down.mockRestore();
    const { status, body } = await release(one.userId, "rig");
    expect(status).toBe(200);
    expect(body.before.waiting).toBeGreaterThan(0);
    expect(body.after).toEqual({ waiting: 0, parked: 0 });
    expect(await one.eventKinds()).toContain("orphaned");
    expect((await release(one.userId, "rig")).body.before).toEqual({ waiting: 0, parked: 0 });
  });

  it("is the operator's alone, and knows no instance that is not there", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    expect((await release(user.userId, "rig", user.token)).status).toBe(403);
    expect((await release(user.userId, "other")).status).toBe(404);
    expect((await release("u-none", "rig")).status).toBe(404);
  });
});
