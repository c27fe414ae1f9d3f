import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";

/** The fields of a policy, where a value comes from, and how a change of one is written. Pure. */

export type FieldValue = number | boolean | string | null;

export type FieldKind =
  | {
      readonly type: "number";
      readonly unit: "seconds" | "minutes" | "days" | "percent" | null;
      readonly nullable?: true;
    }
  | { readonly type: "boolean" }
  | { readonly type: "choice"; readonly choices: readonly string[] };

const SECONDS: FieldKind = { type: "number", unit: "seconds" };
const BOOLEAN: FieldKind = { type: "boolean" };

type Fields<T> = { readonly [K in keyof T]-?: FieldKind };

/** Every field of the policy: one that is added there must be added here. */
export const GROUPS: { readonly [G in "idle" | "orphan" | "guard"]: Fields<PolicySettings[G]> } = {
  idle: {
    enabled: BOOLEAN,
    metric: { type: "choice", choices: ["gpu", "cpu", "auto"] },
    threshold_percent: { type: "number", unit: "percent" },
    warn_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    respect_activity: BOOLEAN,
  },
  orphan: {
    enabled: BOOLEAN,
    orphan_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    force_hibernate_after_seconds: SECONDS,
    delete_after_days: { type: "number", unit: "days", nullable: true },
    snapshot_before_delete: BOOLEAN,
  },
  guard: {
    enabled: BOOLEAN,
    fraction: { type: "number", unit: null },
    minimum_instances: { type: "number", unit: null },
    window_seconds: SECONDS,
    max_hold_seconds: SECONDS,
  },
};

/** Which groups a level may set: the guard watches over all of a user's instances, so it is the user's alone. */
export const GROUPS_OF_LEVEL = {
  instance: ["idle", "orphan"],
  user: ["idle", "orphan", "guard"],
} as const satisfies Record<string, readonly (keyof typeof GROUPS)[]>;

export const SINGLE_FIELDS: Fields<Omit<PolicySettings, keyof typeof GROUPS>> = {
  heartbeat_interval_seconds: SECONDS,
  keep_alive_minutes: { type: "number", unit: "minutes" },
};

/** Where a field stands: in a group, or by itself. */
export interface Place {
  readonly group: keyof typeof GROUPS | null;
  readonly field: string;
}

/** What these overrides, or this policy, say of a field; undefined when nothing. */
export function valueAt(
  from: PolicyOverrides | PolicySettings,
  { group, field }: Place,
): FieldValue | undefined {
  const holder: Record<string, unknown> = group === null ? { ...from } : { ...from[group] };
  const value = holder[field];
  switch (typeof value) {
    case "number":
    case "boolean":
    case "string":
      return value;
    default:
      return value === null ? null : undefined;
  }
}

/** The overrides with one field set, or with it left out again (undefined). */
export function withValue(
  overrides: PolicyOverrides,
  { group, field }: Place,
  value: FieldValue | undefined,
): PolicyOverrides {
  if (group === null) return without({ ...overrides, [field]: value });
  const changed = without({ ...overrides[group], [field]: value });
  return without({ ...overrides, [group]: Object.keys(changed).length === 0 ? undefined : changed });
}

function without<T extends object>(given: T): T {
  const copy = { ...given };
  for (const [name, value] of Object.entries(given))
    if (value === undefined) Reflect.deleteProperty(copy, name);
  return copy;
}
