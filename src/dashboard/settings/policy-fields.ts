import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";

/** The fields of a policy: how each is entered and called, where a value comes from, and how a change is written. Pure. */

export type FieldValue = number | boolean | string | null;

export type FieldKind =
  | {
      readonly type: "number";
      readonly unit: "seconds" | "minutes" | "hours" | "days" | "percent" | null;
      readonly nullable?: true;
    }
  | { readonly type: "boolean" }
  | { readonly type: "choice"; readonly choices: readonly string[] };

const SECONDS: FieldKind = { type: "number", unit: "seconds" };
const BOOLEAN: FieldKind = { type: "boolean" };

/** Groups within groups are edited by forms of their own. */
type Fields<T> = { readonly [K in keyof T as T[K] extends object ? never : K]-?: FieldKind };

/** Every field of the policy: one that is added there must be added here. */
export const GROUPS: {
  readonly [G in "idle" | "orphan" | "guard" | "inventory" | "reports"]: Fields<PolicySettings[G]>;
} = {
  idle: {
    enabled: BOOLEAN,
    metric: { type: "choice", choices: ["gpu", "cpu", "auto"] },
    threshold_percent: { type: "number", unit: "percent" },
    warn_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    respect_activity: BOOLEAN,
    prepare_max_seconds: SECONDS,
  },
  orphan: {
    enabled: BOOLEAN,
    orphan_after_seconds: SECONDS,
    hibernate_after_seconds: SECONDS,
    force_hibernate_after_seconds: SECONDS,
    delete_after_days: { type: "number", unit: "days", nullable: true },
    snapshot_before_delete: BOOLEAN,
    never_heard_after_seconds: SECONDS,
    act_on_never_heard: BOOLEAN,
    delete_while_running: BOOLEAN,
  },
  guard: {
    enabled: BOOLEAN,
    fraction: { type: "number", unit: null },
    minimum_instances: { type: "number", unit: null },
    window_seconds: SECONDS,
    max_hold_seconds: SECONDS,
  },
  inventory: { adopt: { type: "choice", choices: ["off", "suggest", "register"] } },
  reports: { monthly: BOOLEAN },
};

/** Which groups a level may set: the guard, the inventory and reports are about all machines of a user, so they are the user's alone. */
export const GROUPS_OF_LEVEL = {
  instance: ["idle", "orphan"],
  user: ["idle", "orphan", "guard", "inventory", "reports"],
} as const satisfies Record<string, readonly (keyof typeof GROUPS)[]>;

export const SINGLE_FIELDS: Fields<Omit<PolicySettings, keyof typeof GROUPS>> = {
  mode: { type: "choice", choices: ["act", "observe"] },
  heartbeat_interval_seconds: SECONDS,
  max_runtime_hours: { type: "number", unit: "hours", nullable: true },
  keep_alive_minutes: { type: "number", unit: "minutes" },
};

/** What the groups and fields are called, in both languages: a field without its words does not compile. */
type Name =
  | keyof PolicySettings
  | {
      [G in keyof PolicySettings]: PolicySettings[G] extends object ? keyof PolicySettings[G] : never;
    }[keyof PolicySettings];

export const englishPolicy: Readonly<Record<Name, string>> = {
  heartbeat_interval_seconds: "Heartbeat interval",
  keep_alive_minutes: "A keep-alive lasts",
  idle: "Idleness",
  orphan: "Silence",
  guard: "Mass-outage guard",
  enabled: "Switched on",
  metric: "Goes by",
  threshold_percent: "Idle under",
  warn_after_seconds: "Warn after",
  hibernate_after_seconds: "Hibernate after",
  respect_activity: "Activity beside the GPU counts as use",
  prepare_max_seconds: "Wait for the machine's hooks for at most",
  sources: "What counts as use",
  mode: "What is decided",
  max_runtime_hours: "Hibernate after running for",
  schedule: "Schedule",
  timezone: "Time zone",
  awake: "Hours in which nothing is hibernated for idleness",
  outside: "Outside these hours",
  wake_at_start: "Wake at their start",
  maintenance: "Maintenance",
  windows: "Windows in which silence moves nobody",
  orphan_after_seconds: "Counts as an orphan after",
  force_hibernate_after_seconds: "Force-hibernate after",
  delete_after_days: "Delete after",
  snapshot_before_delete: "Snapshot before it is deleted",
  never_heard_after_seconds: "Counts as never heard after",
  act_on_never_heard: "Hibernate what was never heard, if it runs",
  delete_while_running: "Delete also what could not be hibernated, while it runs",
  fraction: "Closes when this share falls silent",
  minimum_instances: "and at least so many instances",
  window_seconds: "within",
  max_hold_seconds: "Holds for at most",
  inventory: "Machines that nobody watches",
  adopt: "What is done about them",
  reports: "Reports",
  monthly: "Tell on the first what the month before has cost",
};

export const portuguesePolicy: Readonly<Record<Name, string>> = {
  heartbeat_interval_seconds: "Intervalo de heartbeat",
  keep_alive_minutes: "Um keep-alive dura",
  idle: "Ociosidade",
  orphan: "Silêncio",
  guard: "Proteção contra quedas em massa",
  enabled: "Ligado",
  metric: "Mede-se por",
  threshold_percent: "Ociosa abaixo de",
  warn_after_seconds: "Avisar após",
  hibernate_after_seconds: "Hibernar após",
  respect_activity: "Atividade além da GPU conta como uso",
  prepare_max_seconds: "Esperar pelos hooks da máquina por no máximo",
  sources: "O que conta como uso",
  mode: "O que se decide",
  max_runtime_hours: "Hibernar após funcionar por",
  schedule: "Horários",
  timezone: "Fuso horário",
  awake: "Horas em que nada é hibernado por ociosidade",
  outside: "Fora dessas horas",
  wake_at_start: "Acordar no início delas",
  maintenance: "Manutenção",
  windows: "Janelas em que o silêncio não move nada",
  orphan_after_seconds: "Conta como órfã após",
  force_hibernate_after_seconds: "Hibernar à força após",
  delete_after_days: "Excluir após",
  snapshot_before_delete: "Snapshot antes de excluir",
  never_heard_after_seconds: "Conta como nunca ouvida após",
  act_on_never_heard: "Hibernar a que nunca foi ouvida, se estiver ligada",
  delete_while_running: "Excluir também a que não pôde ser hibernada, ainda ligada",
  fraction: "Fecha quando esta fração silencia",
  minimum_instances: "e ao menos tantas instâncias",
  window_seconds: "dentro de",
  max_hold_seconds: "Retém por no máximo",
  inventory: "Máquinas que ninguém vigia",
  adopt: "O que se faz com elas",
  reports: "Relatórios",
  monthly: "Dizer no dia 1º quanto custou o mês anterior",
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
