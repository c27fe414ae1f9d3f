import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OpenAlerts } from "../../../src/fleet/tables/open-alerts.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { DAY, newUser, setClock } from "../../world.ts";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

it("of more open incidents than are kept, the critical ones stay before newer warnings", async () => {
  const { userId } = await newUser();
  const fleet = fleetOf(env, userId);
  await fleet.policy();
  const kept = await runInDurableObject(fleet, (_, { storage: { sql } }) => {
    const open = new OpenAlerts(sql);
    for (let number = 1; number <= 1200; number++) {
      const severity = number <= 3 ? "critical" : "warning";
      sql.exec(
        `INSERT INTO events (number, at, instance_id, id, kind, severity, message, detail)
         VALUES (?, ?, '', ?, 'delivery_parked', ?, 'x', '{}')`,
        number,
        DAY,
        `e-${number}`,
        severity,
      );
      open.take(number, null, {
        id: `e-${number}`,
        at: DAY,
        kind: "delivery_parked",
        severity,
        detail: {},
      });
    }
    open.prune(DAY);
    return open.numbers({}, 2000).toSorted((one, other) => one - other);
  });
  expect(kept).toHaveLength(1000);
  expect(kept.slice(0, 5)).toEqual([1, 2, 3, 204, 205]);
});
