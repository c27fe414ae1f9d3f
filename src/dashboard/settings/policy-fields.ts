import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DatedWindow, WeeklyWindow } from "../../lifecycle/model/window-settings.ts";
import type { DurationUnit } from "./policy/durations.ts";

/** The fields of a policy, and how each is entered. Pure. */

export type PolicyWindow = WeeklyWindow | DatedWindow;

export type FieldValue = number | boolean | string | null | readonly PolicyWindow[];

/** `none`: what it means where it is null; only where it may be. */
interface Nullable {
  readonly none?: "never" | "ignored";
}

export type FieldKind =
  | ({ readonly type: "duration"; readonly unit: DurationUnit } & Nullable)
  | ({ readonly type: "number"; readonly unit: "percent" | "cores" | "kilobytes" | null } & Nullable)
  | { readonly type: "boolean" }
  | { readonly type: "choice"; readonly choices: readonly string[] }
  | { readonly type: "timezone" }
  | { readonly type: "windows"; readonly dated: boolean };

const SECONDS: FieldKind = { type: "duration", unit: "seconds" };
const BOOLEAN: FieldKind = { type: "boolean" };
const COUNT: FieldKind = { type: "number", unit: null };
const THRESHOLD: FieldKind = { type: "number", unit: null, none: "ignored" };
const KILOBYTES: FieldKind = { type: "number", unit: "kilobytes", none: "ignored" };

/** Every field of this part of the policy: one that is added there must be added here. */
type FieldsOf<Part> = {
  readonly [Name in keyof Part]-?: Part[Name] extends readonly unknown[]
    ? FieldKind
    : Part[Name] extends object
      ? FieldsOf<Part[Name]>
      : FieldKind;
};

/** In the order in which they are shown: what stands alone first. */
export const POLICY_FIELDS: FieldsOf<PolicySettings> = {
  mode: { type: "choice", choices: ["act", "observe"] },
  max_runtime_hours: { type: "duration", unit: "hours", none: "never" },
  keep_alive_minutes: { type: "duration", unit: "minutes" },
  heartbeat_interval_seconds: SECONDS,
  idle: {
    enabled: BOOLEAN,
    metric: { type: "choice", choices: ["gpu", "cpu", "auto"] },
    threshold_percent: { type: "number", unit: "percent" },
    warn_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    prepare_max_seconds: SECONDS,
    respect_activity: BOOLEAN,
    sources: {
      ssh_connections: THRESHOLD,
      notebook_connections: THRESHOLD,
      busy_kernels: THRESHOLD,
      cpu_cores: { type: "number", unit: "cores", none: "ignored" },
      network_kb_per_second: KILOBYTES,
      disk_kb_per_second: KILOBYTES,
      compute_processes: THRESHOLD,
      work: THRESHOLD,
      scripts: THRESHOLD,
    },
  },
  schedule: {
    timezone: { type: "timezone" },
    awake: { type: "windows", dated: false },
    outside: { type: "choice", choices: ["idle_rules", "hibernate"] },
    wake_at_start: BOOLEAN,
  },
  orphan: {
    enabled: BOOLEAN,
    orphan_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    force_hibernate_after_seconds: SECONDS,
    delete_after_days: { type: "duration", unit: "days", none: "never" },
    snapshot_before_delete: BOOLEAN,
    never_heard_after_seconds: SECONDS,
    act_on_never_heard: BOOLEAN,
    delete_while_running: BOOLEAN,
  },
  maintenance: {
    timezone: { type: "timezone" },
    windows: { type: "windows", dated: true },
  },
  guard: {
    enabled: BOOLEAN,
    fraction: COUNT,
    minimum_instances: COUNT,
    window_seconds: SECONDS,
    max_hold_seconds: SECONDS,
  },
  inventory: { adopt: { type: "choice", choices: ["off", "suggest", "register"] } },
  reports: { monthly: BOOLEAN },
};

/** What a level may set: the guard, the inventory and reports are about all machines of a user, so they are the user's alone. */
export const SECTIONS_OF_LEVEL = {
  instance: ["idle", "schedule", "orphan", "maintenance"],
  user: ["idle", "schedule", "orphan", "maintenance", "guard", "inventory", "reports"],
} as const satisfies Record<string, readonly (keyof PolicySettings)[]>;

export type FieldName = NameIn<PolicySettings>;

type NameIn<Part> = Part extends readonly unknown[]
  ? never
  : Part extends object
    ? { [Name in keyof Part & string]: Name | NameIn<Part[Name]> }[keyof Part & string]
    : never;
