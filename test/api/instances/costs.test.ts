import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Usage } from "../../../src/lifecycle/model/ledger.ts";
import { DAY_MS, HOUR_MS, startOfUtcDay } from "../../../src/lifecycle/model/time.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { passAlarms, reportOf } from "../../fleet/fleets.ts";
import { basisOf, SILENT, WORKING } from "../../fleet/told-costs.ts";
import { call, newUser, setClock } from "../../world.ts";

const NOON = Date.UTC(2030, 0, 17, 12);
const MIDNIGHT = startOfUtcDay(NOON) + DAY_MS;

beforeEach(() => setClock(NOON));
afterEach(() => {
  vi.useRealTimers();
});

async function user() {
  const { userId, token } = await newUser();
  const fleet = fleetOf(env, userId);
  const does = (id: string, usage: Usage, revision: number) =>
    fleet.report(reportOf(id, { revision, costs: basisOf(usage, NOON) }));
  const costs = (id: string, query = "", as = token) =>
    call("GET", `/api/agent/instances/${id}/costs${query}`, { token: as });
  return { fleet, does, costs };
}

describe("what one instance has cost", () => {
  it("is told day by day, those that the history has and those that only the fleet knows, and of nobody else", async () => {
    const { fleet, does, costs } = await user();
    await does("a", WORKING, 1);
    await does("b", SILENT, 2);
    // Two nights: the history has both days by then.
    for (const midnight of [MIDNIGHT, MIDNIGHT + DAY_MS]) {
      await passAlarms(fleet, midnight + 7 * HOUR_MS);
      setClock(midnight + 7 * HOUR_MS);
    }
    const { status, body } = await costs("a");
    expect(status).toBe(200);
    expect(body).toMatchObject({ instance_id: "a", from: "2030-01-01", to: "2030-01-19" });
    expect(body.days).toMatchObject([
      { day: "2030-01-17", cost: 24, hours: { working: 12 } },
      { day: "2030-01-18", cost: 48, hours: { working: 24 } },
      { day: "2030-01-19", cost: 14, cost_by_use: { working: 14, silent: 0 } },
    ]);
    expect(body.total).toMatchObject({ cost: 86, wasted: 0 });
    const before = await costs("a", "?from=2030-01-17&to=2030-01-17");
    expect(before.body).toMatchObject({ days: [{ cost: 24 }], total: { cost: 24 } });
    expect((await costs("b", "?from=2030-01-18&to=2030-01-18")).body.total).toMatchObject({
      cost_by_use: { working: 0 },
      hours: { silent: 24 },
    });
  });

  it("is not told of what the user does not have, and of no days that go together badly", async () => {
    const { does, costs } = await user();
    await does("a", WORKING, 1);
    const other = await user();
    expect((await costs("nobody")).status).toBe(404);
    expect((await other.costs("a")).status).toBe(404);
    expect((await costs("a", "?from=2030-01-18&to=2030-01-17")).status).toBe(400);
    expect((await costs("a", "?from=2028-01-01")).status).toBe(400);
  });
});
