import { z } from "zod";
import { abilitiesOf, type ProviderKind } from "./provider.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./time.ts";

/**
 * What the owner decides about an instance. Three levels are merged per field: the service's defaults below, the
 * user's defaults, the instance's own overrides.
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
    .describe("Whether reported activity, such as SSH sessions, counts as not idle"),
});

const orphanSchema = z.strictObject({
  enabled: z.boolean(),
  orphan_after_seconds: seconds,
  hibernate_after_seconds: seconds,
  force_hibernate_after_seconds: seconds,
  delete_after_days: z.number().min(0.01).max(400).nullable(),
  snapshot_before_delete: z.boolean(),
});

const guardSchema = z.strictObject({
  enabled: z.boolean(),
  fraction: z.number().min(0.01).max(1),
  minimum_instances: z.int().min(1).max(1_000_000),
  window_seconds: seconds,
  max_hold_seconds: seconds,
});

const heartbeatIntervalSeconds = z.int().min(5).max(3600);

/** For how long an instance may be kept alive: a week at most. */
export const keepAliveMinutesSchema = z.int().min(1).max(10_080);

export const policySettingsSchema = z.strictObject({
  heartbeat_interval_seconds: heartbeatIntervalSeconds,
  idle: idleSchema,
  orphan: orphanSchema,
  guard: guardSchema,
  keep_alive_minutes: keepAliveMinutesSchema,
});

/** Overrides of a user: any field may be left out, none may be unknown. */
export const policyOverridesSchema = z.strictObject({
  heartbeat_interval_seconds: heartbeatIntervalSeconds.optional(),
  idle: idleSchema.partial().optional(),
  orphan: orphanSchema.partial().optional(),
  guard: guardSchema.partial().optional(),
  keep_alive_minutes: keepAliveMinutesSchema.optional(),
});

/** Overrides of one instance. A guard watches over all of a user's instances, so none has one of its own. */
export const instancePolicyOverridesSchema = policyOverridesSchema.extend({
  guard: z
    .never("is the user's, not an instance's: set it with PUT /api/agent/policy")
    .optional()
    .meta({ type: "null", not: {}, description: "Refused: the guard is the user's, not an instance's" }),
});

export type PolicySettings = z.infer<typeof policySettingsSchema>;
export type PolicyOverrides = z.infer<typeof policyOverridesSchema>;
export type InstancePolicyOverrides = Omit<PolicyOverrides, "guard">;

export const DEFAULT_POLICY: PolicySettings = {
  heartbeat_interval_seconds: 60,
  idle: {
    enabled: true,
    metric: "gpu",
    threshold_percent: 5,
    warn_after_seconds: 180,
    hibernate_after_seconds: 300,
    respect_activity: true,
  },
  orphan: {
    enabled: true,
    orphan_after_seconds: 300,
    hibernate_after_seconds: 1800,
    force_hibernate_after_seconds: 7200,
    delete_after_days: 7,
    snapshot_before_delete: true,
  },
  guard: {
    enabled: true,
    fraction: 0.55,
    minimum_instances: 3,
    window_seconds: 600,
    max_hold_seconds: 21_600,
  },
  keep_alive_minutes: 60,
};

export interface PolicyIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/** Merges the service's defaults, the user's overrides and an instance's, later ones winning field by field. */
export function mergePolicy(user: PolicyOverrides, instance: InstancePolicyOverrides = {}): PolicySettings {
  const levels: readonly PolicyOverrides[] = [user, withoutGuard(instance)];
  return levels.reduce<PolicySettings>(
    (merged, level) => ({
      heartbeat_interval_seconds: level.heartbeat_interval_seconds ?? merged.heartbeat_interval_seconds,
      idle: { ...merged.idle, ...level.idle },
      orphan: { ...merged.orphan, ...level.orphan },
      guard: { ...merged.guard, ...level.guard },
      keep_alive_minutes: level.keep_alive_minutes ?? merged.keep_alive_minutes,
    }),
    DEFAULT_POLICY,
  );
}

/** An instance's overrides without the guard that they could once hold, and that nothing obeyed. */
export function withoutGuard(overrides: PolicyOverrides): InstancePolicyOverrides {
  const { guard: _, ...own } = overrides;
  return own;
}

/** Silence means nothing before so many intervals: heartbeats jitter, and one may be lost. */
const INTERVALS_OF_SILENCE = 3;

/**
 * Says why a merged policy may not be set: it contradicts itself, asks `provider` for what it can't do, or takes a late
 * heartbeat for silence. An empty list means that it is sound.
 */
export function policyIssues(policy: PolicySettings, provider: ProviderKind): PolicyIssue[] {
  const { orphan_after_seconds } = policy.orphan;
  const least = INTERVALS_OF_SILENCE * policy.heartbeat_interval_seconds;
  const issues = policyContradictions(policy, provider);
  if (orphan_after_seconds >= least) return issues;
  const message = `must be at least three heartbeat intervals (${least}), but is ${orphan_after_seconds}`;
  return [...issues, { path: ["orphan", "orphan_after_seconds"], message }];
}

/** The issues that no instance can live with, wherever the policy comes from. */
export function policyContradictions(policy: PolicySettings, provider: ProviderKind): PolicyIssue[] {
  const { idle, orphan, guard } = policy;
  const issues: PolicyIssue[] = [];
  const mustPrecede = (
    group: string,
    earlier: readonly [string, number],
    later: readonly [string, number],
  ) => {
    if (earlier[1] >= later[1]) {
      issues.push({
        path: [group, earlier[0]],
        message: `must be less than ${group}.${later[0]} (${later[1]} s), but is ${earlier[1]} s`,
      });
    }
  };
  const atLeastOneInterval = (group: string, field: string, value: number) => {
    if (value < policy.heartbeat_interval_seconds) {
      issues.push({
        path: [group, field],
        message: `must be at least one heartbeat interval (${policy.heartbeat_interval_seconds}), but is ${value}`,
      });
    }
  };
  mustPrecede(
    "idle",
    ["warn_after_seconds", idle.warn_after_seconds],
    ["hibernate_after_seconds", idle.hibernate_after_seconds],
  );
  mustPrecede(
    "orphan",
    ["orphan_after_seconds", orphan.orphan_after_seconds],
    ["hibernate_after_seconds", orphan.hibernate_after_seconds],
  );
  mustPrecede(
    "orphan",
    ["hibernate_after_seconds", orphan.hibernate_after_seconds],
    ["force_hibernate_after_seconds", orphan.force_hibernate_after_seconds],
  );
  atLeastOneInterval("idle", "warn_after_seconds", idle.warn_after_seconds);
  atLeastOneInterval("idle", "hibernate_after_seconds", idle.hibernate_after_seconds);
  atLeastOneInterval("orphan", "hibernate_after_seconds", orphan.hibernate_after_seconds);
  atLeastOneInterval("orphan", "force_hibernate_after_seconds", orphan.force_hibernate_after_seconds);
  if (orphan.delete_after_days !== null) {
    mustPrecede(
      "orphan",
      ["force_hibernate_after_seconds", orphan.force_hibernate_after_seconds],
      ["delete_after_days", (orphan.delete_after_days * DAY_MS) / SECOND_MS],
    );
    const abilities = abilitiesOf(provider);
    if (abilities.reachesSilent && !abilities.snapshots && orphan.snapshot_before_delete) {
      issues.push({
        path: ["orphan", "snapshot_before_delete"],
        message: `${provider} cannot take snapshots: set this to false, or orphan.delete_after_days to null`,
      });
    }
  }
  atLeastOneInterval("guard", "window_seconds", guard.window_seconds);
  atLeastOneInterval("guard", "max_hold_seconds", guard.max_hold_seconds);
  return issues;
}

/**
 * The issues of `next` that `former` did not have. A change answers for what it changes, not for what was stored
 * before a rule was made stricter.
 */
export function addedIssues(former: readonly PolicyIssue[], next: readonly PolicyIssue[]): PolicyIssue[] {
  const same = (a: PolicyIssue, b: PolicyIssue) =>
    a.message === b.message && a.path.join(".") === b.path.join(".");
  return next.filter((issue) => !former.some((known) => same(known, issue)));
}

/** A policy as the lifecycle counts with it: every duration in milliseconds. */
export interface Policy {
  readonly intervalMs: number;
  readonly idle: {
    readonly enabled: boolean;
    readonly metric: "gpu" | "cpu" | "auto";
    readonly thresholdPercent: number;
    readonly warnAfterMs: number;
    readonly hibernateAfterMs: number;
    readonly respectActivity: boolean;
  };
  readonly orphan: {
    readonly enabled: boolean;
    readonly orphanAfterMs: number;
    readonly hibernateAfterMs: number;
    readonly forceHibernateAfterMs: number;
    readonly deleteAfterMs: number | null;
    readonly snapshotBeforeDelete: boolean;
  };
  readonly guard: {
    readonly enabled: boolean;
    readonly fraction: number;
    readonly minimumInstances: number;
    readonly windowMs: number;
    readonly maxHoldMs: number;
    /** A step that the guard holds back is asked again this often. */
    readonly askAgainMs: number;
  };
  readonly keepAliveMs: number;
  /** After a wake no ladder step fires for this long. */
  readonly wakeGraceMs: number;
  /** How long heartbeats may go on after hibernation was ordered or confirmed before they mean something. */
  readonly settleMs: number;
  /** An alert that nobody acts on is repeated at most this often. */
  readonly reminderMs: number;
  /** An instance that becomes an orphan often enough within this time is flapping. */
  readonly flappingWindowMs: number;
  /** A hibernation that is undone within this time was a wrong one. */
  readonly regretMs: number;
}

/**
 * Turns settings into milliseconds. `speed` divides every duration, for simulations: at 60 an hour of the policy
 * passes in a minute. Stored settings that leave silence too little time get enough, and their ladder starts as much
 * later.
 */
export function compilePolicy(settings: PolicySettings, speed = 1): Policy {
  const { idle, orphan, guard } = settings;
  const fromSeconds = (value: number) => (value * SECOND_MS) / speed;
  const leastSeconds = INTERVALS_OF_SILENCE * settings.heartbeat_interval_seconds;
  const laterBySeconds = Math.max(0, leastSeconds - orphan.orphan_after_seconds);
  return {
    intervalMs: fromSeconds(settings.heartbeat_interval_seconds),
    idle: {
      enabled: idle.enabled,
      metric: idle.metric,
      thresholdPercent: idle.threshold_percent,
      warnAfterMs: fromSeconds(idle.warn_after_seconds),
      hibernateAfterMs: fromSeconds(idle.hibernate_after_seconds),
      respectActivity: idle.respect_activity,
    },
    orphan: {
      enabled: orphan.enabled,
      orphanAfterMs: fromSeconds(orphan.orphan_after_seconds + laterBySeconds),
      hibernateAfterMs: fromSeconds(orphan.hibernate_after_seconds + laterBySeconds),
      forceHibernateAfterMs: fromSeconds(orphan.force_hibernate_after_seconds + laterBySeconds),
      deleteAfterMs: orphan.delete_after_days === null ? null : (orphan.delete_after_days * DAY_MS) / speed,
      snapshotBeforeDelete: orphan.snapshot_before_delete,
    },
    guard: {
      enabled: guard.enabled,
      fraction: guard.fraction,
      minimumInstances: guard.minimum_instances,
      windowMs: fromSeconds(guard.window_seconds),
      maxHoldMs: fromSeconds(guard.max_hold_seconds),
      askAgainMs: (5 * MINUTE_MS) / speed,
    },
    keepAliveMs: (settings.keep_alive_minutes * MINUTE_MS) / speed,
    wakeGraceMs: (10 * MINUTE_MS) / speed,
    settleMs: (2 * MINUTE_MS) / speed,
    reminderMs: (4 * HOUR_MS) / speed,
    flappingWindowMs: HOUR_MS / speed,
    regretMs: (10 * MINUTE_MS) / speed,
  };
}
