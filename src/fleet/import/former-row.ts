import { z } from "zod";
import { emptyCounters } from "../../lifecycle/model/counters.ts";
import { registeredCost } from "../../lifecycle/model/hibernated-cost.ts";
import { STATUSES, type Status } from "../../lifecycle/model/phase.ts";
import { type ConnectedProvider, connectionOf, kindOf } from "../../lifecycle/model/provider.ts";
import { jsonText, openEnum, storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { UNTOLD_COSTS } from "../../lifecycle/views/costs.ts";
import type { InstanceRow } from "../report.ts";

/** What D1 knew of an instance before there were fleets, as a row of the registry. */

/** An instance as D1 knew it. */
export const formerInstance = z.object({
  instance_id: z.string(),
  name: z.string(),
  provider: openEnum<ConnectedProvider>(),
  provider_ref: z.string().nullable(),
  hourly_cost: z.number().nullable(),
  hibernated_hourly_cost: z.number().nullable(),
  policy: jsonText(storedOverridesSchema),
  status: z.enum(STATUSES),
  registered_at: z.number(),
  orphaned_since: z.number().nullable(),
  silent_since: z.number().nullable(),
  revision: z.number(),
});

/** The row of an instance that has not reported yet. */
export function formerRow(row: z.infer<typeof formerInstance>): InstanceRow {
  const { status } = row;
  const hibernated = registeredCost(row.hibernated_hourly_cost);
  return {
    revision: row.revision,
    asOf: row.registered_at,
    registeredAt: row.registered_at,
    overrides: row.policy,
    orphanedSince: row.orphaned_since,
    silentSince: row.silent_since,
    savings: {
      hourlyCost: row.hourly_cost,
      hibernatedHourlyCost: row.hibernated_hourly_cost,
      saved: emptyCounters().saved,
      unsavedFrom: null,
    },
    view: {
      instance_id: row.instance_id,
      name: row.name,
      status,
      last_heartbeat: null,
      seconds_since_heartbeat: null,
      health: healthOf(status),
      gpu_utilization: null,
      gpu_trend: [],
      cost_today: 0,
      ...UNTOLD_COSTS,
      provider: kindOf(row.provider),
      connection: connectionOf(row.provider),
      provider_ref: row.provider_ref,
      hourly_cost: row.hourly_cost,
      hibernated_hourly_cost: row.hibernated_hourly_cost,
      running_cost: row.hourly_cost,
      hibernated_cost: hibernated.hourly,
      hibernated_cost_source: hibernated.source,
      tags: {},
      registered_at: toIso(row.registered_at),
      orphaned_since: row.orphaned_since === null ? null : toIso(row.orphaned_since),
      hibernated_since: null,
      keep_alive_until: null,
      mode: "act",
      lifecycle: {
        next_step: null,
        at: null,
        in_seconds: null,
        because: "Not reported yet",
        blocked_by: null,
      },
    },
  };
}

function healthOf(status: Status): InstanceRow["view"]["health"] {
  if (status === "running") return "healthy";
  return status === "orphaned" ? "unhealthy" : "inactive";
}
