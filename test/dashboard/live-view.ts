import { UNTOLD_COSTS } from "../../src/lifecycle/views/costs.ts";
import type { ShownView } from "../../src/lifecycle/views/instance-view.ts";

/** An instance that is well, for tests of the page. */
export function live(instance_id: string, more: Partial<ShownView> = {}): ShownView {
  return {
    instance_id,
    name: instance_id,
    status: "running",
    last_heartbeat: null,
    seconds_since_heartbeat: null,
    health: "healthy",
    gpu_utilization: null,
    gpu_trend: [],
    cost_today: 0,
    ...UNTOLD_COSTS,
    provider: "agent",
    connection: null,
    provider_ref: null,
    hourly_cost: null,
    hibernated_hourly_cost: null,
    running_cost: null,
    hibernated_cost: null,
    hibernated_cost_source: "unknown",
    tags: {},
    registered_at: "2030-01-07T00:00:00Z",
    orphaned_since: null,
    hibernated_since: null,
    keep_alive_until: null,
    mode: "act",
    lifecycle: { next_step: null, at: null, in_seconds: null, because: "", blocked_by: null },
    control: { nobody_can_stop: false, can_hibernate: true, can_wake: false, why_not: null },
    ...more,
  };
}
