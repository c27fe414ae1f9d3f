import { z } from "zod";
import { DEFAULT_SOURCES, sourceSettingsSchema } from "./source-settings.ts";
import { DAY_MS, MINUTE_MS, SECOND_MS } from "./time.ts";
import { maintenanceSchema, NO_MAINTENANCE, NO_SCHEDULE, scheduleSchema } from "./window-settings.ts";

/**
 * What the owner decides about an instance, in the fields of the HTTP API. Three levels are merged field by field: the
 * service's defaults below, the user's defaults, and the instance's own overrides.
 */

const MAXIMUM_SECONDS = (400 * DAY_MS) / SECOND_MS;
const seconds = z.int().min(1).max(MAXIMUM_SECONDS);
const percent = z.number().min(0).max(100);

const idleSchema = z.strictObject({
  enabled: z.boolean(),
  metric: z.enum(["gpu", "cpu", "auto"]),
  threshold_percent: percent,
  warn_after_seconds: seconds,
  hibernate_after_seconds: seconds,
  respect_activity: z
    .boolean()
    .describe("Whether sources of activity, such as SSH connections, keep an instance from being idle"),
  prepare_max_seconds: z
    .int()
    .min(0)
    .max(3600)
    .describe(
      "A hibernation waits for the owner's hooks on the machine for so long at the most; 0: it does not",
    ),
  sources: sourceSettingsSchema.describe("From which value on each source of activity counts as use"),
});

const idleOverridesSchema = idleSchema
  .partial()
  .extend({ sources: sourceSettingsSchema.partial().optional() });

const orphanSchema = z.strictObject({
  enabled: z.boolean(),
  orphan_after_seconds: seconds,
  hibernate_after_seconds: seconds,
  force_hibernate_after_seconds: seconds,
  delete_after_days: z.number().min(0.01).max(400).nullable(),
  snapshot_before_delete: z.boolean(),
  never_heard_after_seconds: seconds.describe(
    "An instance that was registered and was not heard for so long is told of; three heartbeat intervals at least",
  ),
  act_on_never_heard: z
    .boolean()
    .describe(
      "Whether such an instance is hibernated, too, if its provider shows it running: its ladder then counts from its registration",
    ),
  delete_while_running: z
    .boolean()
    .describe(
      "Whether a silent machine may be deleted although it was never hibernated, because its provider can only delete: otherwise its owner is told, and it runs on",
    ),
});

const guardSchema = z.strictObject({
  enabled: z.boolean(),
  fraction: z.number().min(0.01).max(1),
  minimum_instances: z.int().min(1).max(1_000_000),
  window_seconds: seconds,
  max_hold_seconds: seconds,
});

const inventorySchema = z.strictObject({
  adopt: z
    .enum(["off", "suggest", "register"])
    .describe(
      "Machines of connected accounts that bill and that nobody watches: `off` tells of none, `suggest` tells of them, `register` registers them",
    ),
});

const reportsSchema = z.strictObject({
  monthly: z
    .boolean()
    .describe("Whether the user is told on the first of a month what the month before has cost"),
});

const heartbeatIntervalSeconds = z.int().min(5).max(3600);

/** How long an instance may be kept alive: at most a week. */
export const LONGEST_KEEP_ALIVE_MS = 7 * DAY_MS;

export const keepAliveMinutesSchema = z
  .int()
  .min(1)
  .max(LONGEST_KEEP_ALIVE_MS / MINUTE_MS);

const mode = z
  .enum(["act", "observe"])
  .describe("`observe`: each step is decided, recorded and told as one that would be taken, and none is");

const maxRuntimeHours = z
  .number()
  .min(0.5)
  .max(8760)
  .nullable()
  .describe("An instance that has run for so long is hibernated, whatever it does; null: never for that");

export const policySettingsSchema = z.strictObject({
  mode,
  heartbeat_interval_seconds: heartbeatIntervalSeconds,
  idle: idleSchema,
  orphan: orphanSchema,
  guard: guardSchema,
  inventory: inventorySchema,
  reports: reportsSchema,
  schedule: scheduleSchema,
  maintenance: maintenanceSchema,
  max_runtime_hours: maxRuntimeHours,
  keep_alive_minutes: keepAliveMinutesSchema,
});

/** A user's overrides. Any field may be left out; unknown fields are refused. */
export const policyOverridesSchema = z.strictObject({
  mode: mode.optional(),
  heartbeat_interval_seconds: heartbeatIntervalSeconds.optional(),
  idle: idleOverridesSchema.optional(),
  orphan: orphanSchema.partial().optional(),
  guard: guardSchema.partial().optional(),
  inventory: inventorySchema.partial().optional(),
  reports: reportsSchema.partial().optional(),
  schedule: scheduleSchema.partial().optional(),
  maintenance: maintenanceSchema.partial().optional(),
  max_runtime_hours: maxRuntimeHours.optional(),
  keep_alive_minutes: keepAliveMinutesSchema.optional(),
});

/** One instance's overrides. The guard, the inventory and reports are about all machines of a user: no instance can override them. */
export const instancePolicyOverridesSchema = policyOverridesSchema.extend({
  guard: z
    .never("is the user's, not an instance's: set it with PUT /api/agent/policy")
    .optional()
    .meta({ type: "null", not: {}, description: "Refused: the guard is the user's, not an instance's" }),
  inventory: z
    .never("is the user's, not an instance's: set it with PUT /api/agent/policy")
    .optional()
    .meta({ type: "null", not: {}, description: "Refused: the inventory is the user's, not an instance's" }),
  reports: z
    .never("are the user's, not an instance's: set them with PUT /api/agent/policy")
    .optional()
    .meta({ type: "null", not: {}, description: "Refused: reports are the user's, not an instance's" }),
});

export type PolicySettings = z.infer<typeof policySettingsSchema>;
export type PolicyOverrides = z.infer<typeof policyOverridesSchema>;
export type InstancePolicyOverrides = Omit<PolicyOverrides, "guard" | "inventory" | "reports">;

export const DEFAULT_POLICY: PolicySettings = {
  mode: "act",
  heartbeat_interval_seconds: 60,
  idle: {
    enabled: true,
    metric: "gpu",
    threshold_percent: 5,
    warn_after_seconds: 180,
    hibernate_after_seconds: 300,
    respect_activity: true,
    prepare_max_seconds: 600,
    sources: DEFAULT_SOURCES,
  },
  orphan: {
    enabled: true,
    orphan_after_seconds: 300,
    hibernate_after_seconds: 1800,
    force_hibernate_after_seconds: 7200,
    delete_after_days: 7,
    snapshot_before_delete: true,
    never_heard_after_seconds: 1800,
    act_on_never_heard: false,
    delete_while_running: false,
  },
  guard: {
    enabled: true,
    fraction: 0.55,
    minimum_instances: 3,
    window_seconds: 600,
    max_hold_seconds: 21_600,
  },
  inventory: { adopt: "suggest" },
  reports: { monthly: true },
  schedule: NO_SCHEDULE,
  maintenance: NO_MAINTENANCE,
  max_runtime_hours: null,
  keep_alive_minutes: 60,
};

/** Merges the service's defaults, the user's overrides and the instance's. In each field the last one given wins. */
export function mergePolicy(user: PolicyOverrides, instance: InstancePolicyOverrides = {}): PolicySettings {
  return withOverrides(withOverrides(DEFAULT_POLICY, user), withoutGuard(instance));
}

/** The settings, but for what a level overrides. */
export function withOverrides(settings: PolicySettings, level: PolicyOverrides): PolicySettings {
  return {
    mode: level.mode ?? settings.mode,
    heartbeat_interval_seconds: level.heartbeat_interval_seconds ?? settings.heartbeat_interval_seconds,
    idle: {
      ...settings.idle,
      ...level.idle,
      sources: { ...settings.idle.sources, ...level.idle?.sources },
    },
    orphan: { ...settings.orphan, ...level.orphan },
    guard: { ...settings.guard, ...level.guard },
    inventory: { ...settings.inventory, ...level.inventory },
    reports: { ...settings.reports, ...level.reports },
    schedule: { ...settings.schedule, ...level.schedule },
    maintenance: { ...settings.maintenance, ...level.maintenance },
    max_runtime_hours:
      level.max_runtime_hours === undefined ? settings.max_runtime_hours : level.max_runtime_hours,
    keep_alive_minutes: level.keep_alive_minutes ?? settings.keep_alive_minutes,
  };
}

/** Drops the guard from an instance's overrides: it could be stored there once, and never had an effect. */
export function withoutGuard(overrides: PolicyOverrides): InstancePolicyOverrides {
  const { guard: _, ...own } = overrides;
  return own;
}

/** A heartbeat may be late or lost, so an instance counts as silent after this many intervals at the earliest. */
const INTERVALS_OF_SILENCE = 3;

/** The shortest silence, in seconds, that may make an instance an orphan. */
export function shortestSilenceSeconds(settings: PolicySettings): number {
  return INTERVALS_OF_SILENCE * settings.heartbeat_interval_seconds;
}
