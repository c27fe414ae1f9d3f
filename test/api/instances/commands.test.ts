import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("commands", () => {
  it("keep an instance alive for as long as asked, and refuse what is out of bounds", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat();
    expect((await one.ask("POST", "/keep-alive", { minutes: 10_080 })).body.valid_for_minutes).toBe(10_080);
    expect((await one.ask("GET")).body).toMatchObject({
      keep_alive_until: "2030-01-14T00:00:00Z",
      lifecycle: { blocked_by: "keep_alive" },
    });
    for (const minutes of [0, 10_081, 1.5, "60", null]) {
      expect((await one.ask("POST", "/keep-alive", { minutes })).status).toBe(400);
    }
  });

  it("order hibernation by the next answer, and say why when they cannot", async () => {
    const one = await Instance.register(await newUser(), "rig");
    const silent = await one.ask("POST", "/hibernate");
    expect([silent.status, silent.body.error.code]).toEqual([409, "no_provider"]);
    await one.heartbeat();
    expect((await one.ask("POST", "/wake")).body.error.code).toBe("not_possible");
    const ordered = await one.ask("POST", "/hibernate");
    expect([ordered.status, ordered.body.status]).toEqual([202, "hibernating"]);
    expect((await one.ask("POST", "/hibernate")).body.error.code).toBe("hibernating");
    setClock(DAY + MINUTE);
    expect((await one.heartbeat()).body.actions).toEqual([
      { type: "hibernating", message: "Hibernation is under way" },
      { type: "hibernate", message: "Hibernate now", action_id: expect.any(String) },
    ]);
    await one.heartbeat({ status: "hibernating" });
    expect(await one.status()).toBe("hibernating");
    await one.until(DAY + 3 * MINUTE);
    expect(await one.status()).toBe("hibernated");
    const refused = await one.ask("POST", "/keep-alive");
    expect([refused.status, refused.body.error]).toEqual([
      409,
      { code: "hibernated", message: "The instance is hibernated: wake it first" },
    ]);
    expect((await one.ask("POST", "/wake")).body.error.code).toBe("no_provider");
  });
});
