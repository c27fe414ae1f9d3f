import type { Status } from "../model/phase.ts";
import { abilitiesOf, type ProviderKind } from "../model/provider.ts";
import { hibernationObstacle, wakeObstacle } from "../rules/obstacles.ts";
import type { Explanation } from "./explained-step.ts";
import type { Health } from "./health.ts";

/** Whether anybody could stop a machine as it stands, and if not, why: whatever is shown of it follows from here. */

/** How the connection stands by which a provider is called: without its credentials, or with refused ones, nothing is ordered. */
export type ConnectionStanding = "active" | "refused" | "missing";

export interface Control {
  /** The machine may run, and cost money, and neither its agent nor its provider could stop it. */
  readonly nobody_can_stop: boolean;
  /** An order of its owner to hibernate, or to wake, would be carried out by somebody. */
  readonly can_hibernate: boolean;
  readonly can_wake: boolean;
  /**
   * What stands against orders; null when nothing does.
   * - `no_provider`: nobody carries out its orders.
   * - `silent`: its own agent alone could, and it is not heard.
   * - `not_connected`: its provider is to be called, and there are no credentials for it.
   * - `refused`: the provider refuses the credentials.
   * - `cannot_stop`: its provider can't stop machines. A deletion may still be possible.
   */
  readonly why_not: "no_provider" | "silent" | "not_connected" | "refused" | "cannot_stop" | null;
}

/** What it follows from, as a view says it. */
interface Standing {
  readonly provider: ProviderKind;
  readonly status: Status;
  readonly health: Health;
}

export function controlOf(instance: Standing, connection: ConnectionStanding): Control {
  const { provider, status } = instance;
  const why_not = status === "deleted" ? null : obstacleOf(instance, connection);
  const isStopped = status === "hibernated" || status === "deleted";
  const isReached = why_not === null;
  return {
    nobody_can_stop: !isReached && !isStopped,
    can_hibernate: isReached && hibernationObstacle(provider, status) === null,
    can_wake: isReached && wakeObstacle(provider, status) === null,
    why_not,
  };
}

function obstacleOf(
  { provider, status, health }: Standing,
  connection: ConnectionStanding,
): Control["why_not"] {
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  if (!reachesSilent) {
    if (hibernates === "never") return "no_provider";
    // One that was just registered is yet to be heard.
    const isSilent = status === "orphaned" || status === "hibernated" || health === "unhealthy";
    return isSilent ? "silent" : null;
  }
  switch (connection) {
    case "missing":
      return "not_connected";
    case "refused":
      return "refused";
    case "active":
      return hibernates === "never" ? "cannot_stop" : null;
  }
}

/** The explanation without a time for a step that can't come. */
export function withoutImpossible(lifecycle: Explanation, { why_not }: Control): Explanation {
  if (why_not === null || !isOrdered(lifecycle.next_step, why_not)) return lifecycle;
  return { ...lifecycle, at: null, in_seconds: null, blocked_by: lifecycle.blocked_by ?? "no_provider" };
}

/** Whether the step is an order against which this stands. */
function isOrdered(step: Explanation["next_step"], why_not: NonNullable<Control["why_not"]>): boolean {
  switch (step) {
    case "hibernate":
    case "force_hibernate":
    case "wake":
      return true;
    case "delete":
      return why_not !== "cannot_stop";
    case "warn":
    case "orphan":
    case "never_heard":
    case null:
      return false;
  }
}
