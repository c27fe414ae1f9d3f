import type { Alert } from "../../src/alerts/notice.ts";

export const START = Date.UTC(2025, 11, 19);

/** The alert of an instance, told apart by `index`. */
export function alert(kind: Alert["kind"], index: number, more: Partial<Alert> = {}): Alert {
  return {
    eventId: `e${index}`,
    instanceId: `rig-${index}`,
    name: `Rig ${index}`,
    registeredAt: START,
    kind,
    severity: "warning",
    message: `Message ${index}`,
    at: START + index,
    detail: {},
    ...more,
  };
}
