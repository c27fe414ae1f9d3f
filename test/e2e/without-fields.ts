/** An answer without fields that a former version does not know, at whatever depth, so that both can be compared. */
export function withoutFields(answer: unknown, fields: ReadonlySet<string>): unknown {
  return JSON.parse(JSON.stringify(answer, (field, value) => (fields.has(field) ? undefined : value)));
}

/** Settings of a policy that the former release does not know. It shows their defaults nowhere. */
export const NEW_SETTINGS: ReadonlySet<string> = new Set([
  "never_heard_after_seconds",
  "act_on_never_heard",
  "inventory",
  "reports",
  "mode",
  "preset",
  "presets",
  "defaults",
  "sources",
  "prepare_max_seconds",
  "schedule",
  "maintenance",
  "max_runtime_hours",
  "delete_while_running",
]);

/** What a heartbeat shows that a former release does not know. */
export const NEW_READINGS: readonly string[] = [
  "gpu_utilization_max",
  "activity",
  "sources",
  "unread",
  "preparation",
  "late",
];
