import { type PolicySettings, shortestSilenceSeconds } from "./policy-settings.ts";
import type { SourceSettings } from "./source-settings.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "./time.ts";
import type { MaintenanceSettings, ScheduleSettings } from "./window-settings.ts";
import { isKnownZone } from "./zone.ts";

/** Thirty days: then it leaves the list, the scrape and whatever is done for all instances. */
export const DELETED_LISTED_MS = 30 * DAY_MS;

/** A policy as the rules use it: every duration in milliseconds. */
export interface Policy {
  /** The operator has suspended the user: no step is taken, and nothing is ordered. */
  readonly suspended: boolean;
  /** Each step is decided and told, and none is taken. */
  readonly observes: boolean;
  readonly intervalMs: number;
  readonly idle: {
    readonly enabled: boolean;
    readonly metric: "gpu" | "cpu" | "auto";
    readonly thresholdPercent: number;
    readonly warnAfterMs: number;
    readonly hibernateAfterMs: number;
    readonly respectActivity: boolean;
    /** A hibernation waits for the owner's hooks for so long at the most. */
    readonly prepareMaxMs: number;
    readonly sources: SourceSettings;
  };
  readonly orphan: {
    readonly enabled: boolean;
    readonly orphanAfterMs: number;
    readonly hibernateAfterMs: number;
    readonly forceHibernateAfterMs: number;
    readonly deleteAfterMs: number | null;
    readonly snapshotBeforeDelete: boolean;
    readonly neverHeardAfterMs: number;
    readonly actOnNeverHeard: boolean;
    readonly deleteWhileRunning: boolean;
  };
  readonly guard: {
    readonly enabled: boolean;
    readonly fraction: number;
    readonly minimumInstances: number;
    readonly windowMs: number;
    readonly maxHoldMs: number;
    /** How often the guard is asked again about a step that it holds back. */
    readonly askAgainMs: number;
  };
  readonly schedule: ScheduleSettings;
  readonly maintenance: MaintenanceSettings;
  readonly maxRuntimeMs: number | null;
  /** An owner is warned so long before a hibernation that is planned ahead. */
  readonly stopWarningMs: number;
  /** What a schedule should have done longer ago is left undone: its owner has other plans by then. */
  readonly latestStepMs: number;
  readonly keepAliveMs: number;
  /** For this long after a wake no step of a ladder is taken. */
  readonly wakeGraceMs: number;
  /** For this long after a hibernation was ordered or confirmed, further heartbeats are normal and mean nothing. */
  readonly settleMs: number;
  /** A machine that says that its provider takes it back is believed for so long. */
  readonly noticeMs: number;
  /** The owner is told of a GPU that has looked stuck for so long. */
  readonly stuckAfterMs: number;
  /** The owner is told when what cannot be read has counted as use for so long, alone. */
  readonly unreadAfterMs: number;
  /** How often, at most, an alert that nobody acts on is repeated. */
  readonly reminderMs: number;
  /** An instance that becomes an orphan often enough within this time is flapping. */
  readonly flappingWindowMs: number;
  /** A hibernation that is undone within this time counts as regretted. */
  readonly regretMs: number;
  /** A deleted instance is listed for this long. */
  readonly deletedListedMs: number;
}

/**
 * Turns settings into milliseconds. `speed` divides every duration, for simulations: at 60, an hour of the policy
 * passes in a minute. Stored settings whose `orphan_after_seconds` is too short for their heartbeat interval get the
 * shortest one allowed, and all their steps up to force-hibernation come later by the difference. Nor does an instance count
 * as never heard any sooner. While the user is `suspended` both ladders are off. Windows are times of the clock, which no speed
 * changes.
 */
export function compilePolicy(settings: PolicySettings, speed = 1, suspended = false): Policy {
  const { idle, orphan, guard } = settings;
  const fromSeconds = (value: number) => (value * SECOND_MS) / speed;
  const laterBySeconds = Math.max(0, shortestSilenceSeconds(settings) - orphan.orphan_after_seconds);
  return {
    suspended,
    observes: settings.mode === "observe",
    intervalMs: fromSeconds(settings.heartbeat_interval_seconds),
    idle: {
      enabled: idle.enabled && !suspended,
      metric: idle.metric,
      thresholdPercent: idle.threshold_percent,
      warnAfterMs: fromSeconds(idle.warn_after_seconds),
      hibernateAfterMs: fromSeconds(idle.hibernate_after_seconds),
      respectActivity: idle.respect_activity,
      prepareMaxMs: fromSeconds(idle.prepare_max_seconds),
      sources: idle.sources,
    },
    orphan: {
      enabled: orphan.enabled && !suspended,
      orphanAfterMs: fromSeconds(orphan.orphan_after_seconds + laterBySeconds),
      hibernateAfterMs: fromSeconds(orphan.hibernate_after_seconds + laterBySeconds),
      forceHibernateAfterMs: fromSeconds(orphan.force_hibernate_after_seconds + laterBySeconds),
      deleteAfterMs: orphan.delete_after_days === null ? null : (orphan.delete_after_days * DAY_MS) / speed,
      snapshotBeforeDelete: orphan.snapshot_before_delete,
      neverHeardAfterMs: fromSeconds(
        Math.max(orphan.never_heard_after_seconds, shortestSilenceSeconds(settings)),
      ),
      actOnNeverHeard: orphan.act_on_never_heard,
      deleteWhileRunning: orphan.delete_while_running,
    },
    guard: {
      enabled: guard.enabled,
      fraction: guard.fraction,
      minimumInstances: guard.minimum_instances,
      windowMs: fromSeconds(guard.window_seconds),
      maxHoldMs: fromSeconds(guard.max_hold_seconds),
      askAgainMs: (5 * MINUTE_MS) / speed,
    },
    schedule: inKnownZone(settings.schedule),
    maintenance: settings.maintenance,
    maxRuntimeMs: settings.max_runtime_hours === null ? null : (settings.max_runtime_hours * HOUR_MS) / speed,
    stopWarningMs: (15 * MINUTE_MS) / speed,
    latestStepMs: (2 * HOUR_MS) / speed,
    keepAliveMs: (settings.keep_alive_minutes * MINUTE_MS) / speed,
    wakeGraceMs: (10 * MINUTE_MS) / speed,
    settleMs: (2 * MINUTE_MS) / speed,
    noticeMs: HOUR_MS / speed,
    stuckAfterMs: (30 * MINUTE_MS) / speed,
    unreadAfterMs: HOUR_MS / speed,
    reminderMs: (4 * HOUR_MS) / speed,
    flappingWindowMs: HOUR_MS / speed,
    regretMs: (10 * MINUTE_MS) / speed,
    deletedListedMs: DELETED_LISTED_MS / speed,
  };
}

/** By clocks that nobody knows nothing is stopped or woken. */
function inKnownZone(schedule: ScheduleSettings): ScheduleSettings {
  return schedule.awake.length === 0 || isKnownZone(schedule.timezone)
    ? schedule
    : { ...schedule, outside: "idle_rules", wake_at_start: false };
}
