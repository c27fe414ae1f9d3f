import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../../src/platform/address.ts";
import { passAlarms } from "../../fleet/fleets.ts";
import { expectLogged, mayLog } from "../../quiet.ts";
import { call, Instance, newUser, setClock } from "../../world.ts";

const HOUR = 3_600_000;
const DAY_MS = 24 * HOUR;
const MAY = Date.UTC(2030, 4);

mayLog(/waited for longer than they should/);

beforeEach(() => setClock(MAY - 12 * HOUR));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

type User = Awaited<ReturnType<typeof newUser>>;

const report = (token: string, month?: string) =>
  call("GET", `/api/agent/costs/report${month === undefined ? "" : `?month=${month}`}`, { token });

async function hibernated(user: User): Promise<Instance> {
  const rig = await Instance.register(user, "rig", {
    name: "Rig",
    hourly_cost: 2,
    hibernated_hourly_cost: 0.1,
  });
  await rig.heartbeat({ gpu_utilization: 90 });
  await rig.heartbeat({ status: "hibernating" });
  // Two minutes of silence confirm it.
  await rig.until(Date.now() + HOUR);
  await rig.settled();
  return rig;
}

async function pass(user: User, rig: Instance, until: number): Promise<void> {
  await rig.until(until);
  await rig.settled();
  await passAlarms(fleetOf(env, user.userId), until);
  setClock(until);
}

describe("the report of a month", () => {
  it("says so far what the present month has cost, and then what it did", async () => {
    const user = await newUser();
    const rig = await hibernated(user);
    const { status, body } = await report(user.token);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      month: "2030-04",
      so_far: true,
      complete: true,
      hibernations: 1,
      regretted: 0,
      before: null,
    });
    expect(body.cost).toBeGreaterThan(0.1);
    await pass(user, rig, MAY + DAY_MS);
    const april = (await report(user.token, "2030-04")).body;
    // Nearly twelve hours of a stopped machine.
    expect(april).toMatchObject({ month: "2030-04", so_far: false, complete: true });
    expect(april.cost).toBeCloseTo(1.2, 0);
    expect(april.habits).toMatchObject([{ habit: "hibernated", instance_id: "rig", name: "Rig" }]);
    const may = (await report(user.token, "2030-05")).body;
    expect(may).toMatchObject({
      month: "2030-05",
      so_far: true,
      cost: 2.4,
      before: { month: "2030-04", cost: april.cost },
    });
    expect(may.habits).toMatchObject([{ habit: "hibernated", hours: 24, cost: 2.4 }]);
  });

  it("adds what the history knows of the month to what the fleet knows since", async () => {
    const user = await newUser();
    const rig = await hibernated(user);
    for (let day = 1; day <= 8; day++) await pass(user, rig, MAY + day * DAY_MS);
    const { body } = await report(user.token, "2030-05");
    expect(body).toMatchObject({ cost: 19.2, habits: [{ habit: "hibernated", hours: 192, cost: 19.2 }] });
  });

  it("has no habits while the history does not answer", async () => {
    const user = await newUser();
    const rig = await hibernated(user);
    await pass(user, rig, MAY + DAY_MS);
    const prototype = Object.getPrototypeOf(env.DB);
    const { prepare } = prototype;
    vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
      if (String(query).includes("past_warning")) throw new Error("the history is away");
      return prepare.call(this, String(query));
    });
    expectLogged(/the costliest instances of a month could not be looked up/);
    const { status, body } = await report(user.token, "2030-04");
    expect(status).toBe(200);
    expect(body).toMatchObject({ month: "2030-04", habits: null });
    expect(body.cost).toBeGreaterThan(0.1);
  });

  it("is of a month that has begun, and of which all days are kept", async () => {
    const user = await newUser();
    for (const month of [
      "2030-05",
      "2029-03",
      "1999-01",
      "9999-12",
      "0001-01",
      "2030-4",
      "2030-13",
      "April",
      "",
    ]) {
      const { status, body } = await report(user.token, month);
      expect([month, status, body.error?.code]).toEqual([month, 400, "invalid"]);
    }
    expect((await report(user.token, "2030-05")).body.error.message).toBe(
      "query.month: must be from 2029-04 to 2030-04",
    );
    const oldest = await report(user.token, "2029-04");
    expect(oldest.body).toMatchObject({ month: "2029-04", cost: 0, habits: [], before: null });
    setClock(Date.UTC(2030, 1, 5));
    expect((await report(user.token, "2029-01")).status).toBe(200);
    expect((await report(user.token, "2030-02")).body.so_far).toBe(true);
  });

  it("is each user's own", async () => {
    const [user, other] = [await newUser(), await newUser()];
    await hibernated(user);
    expect((await report(user.token)).body.cost).toBeGreaterThan(0.1);
    expect((await report(other.token)).body).toMatchObject({ cost: 0, habits: [], hibernations: 0 });
  });
});
