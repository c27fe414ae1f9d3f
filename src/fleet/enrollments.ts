import { messageOf } from "../lifecycle/model/outbox.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
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
      ...messageOf(phrase("fleet.enrollment_refused", { token: by, ref, provider, id: instanceId })),
      detail: { instance: instanceId, enrollment: by, provider, ref },
    },
    now,
  );
}
