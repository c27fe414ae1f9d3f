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

  it("keep an instance alive until a moment, or until clocks show a time next", async () => {
    const one = await Instance.register(await newUser(), "rig", {
      policy: { schedule: { timezone: "America/Sao_Paulo" } },
    });
    await one.heartbeat();
    const until = async (json: object) => (await one.ask("POST", "/keep-alive", json)).body;
    // It is midnight, UTC, and 21:00 in São Paulo.
    expect(await until({ until: "01:30", timezone: "UTC" })).toEqual({
      success: true,
      message: "Manual keep-alive registered",
      valid_for_minutes: 90,
      keep_alive_until: "2030-01-07T01:30:00Z",
    });
    expect(await until({ until: "02:00" })).toMatchObject({ keep_alive_until: "2030-01-07T05:00:00Z" });
    expect(await until({ until: "2030-01-08T18:00:00+02:00" })).toMatchObject({
      valid_for_minutes: 40 * 60,
      keep_alive_until: "2030-01-08T16:00:00Z",
    });
    // A shorter one never cuts a longer one.
    expect(await until({ minutes: 5 })).toMatchObject({ keep_alive_until: "2030-01-08T16:00:00Z" });
    expect((await one.ask("GET")).body.keep_alive_until).toBe("2030-01-08T16:00:00Z");
    expect(await until({ until: "2030-01-14T00:00:00Z" })).toMatchObject({ valid_for_minutes: 10_080 });
  });

  it.each([
    [{ until: "2030-01-06T23:59:59Z" }, "body.until", "must be in the future"],
    [{ until: "2030-01-14T00:00:01Z" }, "body.until", "must be within a week"],
    [{ until: "18:00", minutes: 5 }, "body.until", "must not be given beside minutes"],
    [
      { until: "24:00" },
      "body.until",
      "must be a moment, as 2025-12-19T18:00:00Z, or a time of day, as 18:00",
    ],
    [
      { until: "18:00", timezone: "Mars" },
      "body.timezone",
      "must be the name of a time zone, as America/Sao_Paulo",
    ],
    [{ timezone: "UTC" }, "body.timezone", "is for a time of day in until, as 18:00"],
    [
      { until: "2030-01-08T00:00:00Z", timezone: "UTC" },
      "body.timezone",
      "is for a time of day in until, as 18:00",
    ],
  ])("refuse a keep-alive with %j", async (json, path, message) => {
    const one = await Instance.register(await newUser(), "rig");
    const { status, body } = await one.ask("POST", "/keep-alive", json);
    expect([status, body.error.issues]).toEqual([400, [{ path, message }]]);
    expect((await one.ask("GET")).body.keep_alive_until).toBeNull();
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
