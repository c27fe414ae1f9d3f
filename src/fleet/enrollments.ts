import { DAY_MS } from "../lifecycle/model/time.ts";
import type { MachineKey } from "../providers/machines.ts";
import type { Fleet } from "./fleet.ts";

/** What a fleet tells of machines that register themselves. */

/**
 * Somebody enrolls as a machine that another one has enrolled, or its owner registered: a machine that has lost its disk, or a
 * thief of the token. The owner is told once a day of each instance.
 */
export function noteRefusedEnrollment(
  fleet: Fleet,
  instanceId: string,
  by: string,
  { provider, ref }: MachineKey,
  now: number,
): void {
  const id = `enrollment-${instanceId}`;
  if (!fleet.registry.has(instanceId) || fleet.events.hasOwn(id, now - DAY_MS)) return;
  fleet.addOwnEvent(
    {
      id,
      at: now,
      kind: "enrollment_refused",
      severity: "warning",
      message: `A machine with the enrollment token ${by} says that it is ${ref} at ${provider}, which ${instanceId} watches. It was refused. If it is that machine, and has lost its disk, remove the instance or install the agent with a token of its own; if not, somebody has your enrollment token: revoke it`,
      detail: { instance: instanceId, enrollment: by, provider, ref },
    },
    now,
  );
}
