import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DatedWindow, WeeklyWindow } from "../../lifecycle/model/window-settings.ts";

/** The fields of a policy: how each is entered, and what it is called in both languages. Pure. */

export type PolicyWindow = WeeklyWindow | DatedWindow;

export type FieldValue = number | boolean | string | null | readonly PolicyWindow[];

export type DurationUnit = "seconds" | "minutes" | "hours" | "days";

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

/** What sections and fields are called: one without its words does not compile. */
export const englishNames: Readonly<Record<FieldName, string>> = {
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
  ssh_connections: "SSH connections",
  notebook_connections: "Connections to notebooks and editors",
  busy_kernels: "Jupyter kernels that compute",
  cpu_cores: "CPU",
  network_kb_per_second: "Network, both ways",
  disk_kb_per_second: "Disk, read and written",
  compute_processes: "GPU processes that are new or grew",
  work: "Requests that a server has served",
  scripts: "Your own scripts",
  mode: "What is decided",
  max_runtime_hours: "Hibernate after running for",
  schedule: "Schedule",
  timezone: "Time zone",
  awake: "Awake hours",
  outside: "Outside these hours",
  wake_at_start: "Wake at their start",
  maintenance: "Maintenance",
  windows: "Windows",
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

export const portugueseNames: Readonly<Record<FieldName, string>> = {
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
  ssh_connections: "Conexões SSH",
  notebook_connections: "Conexões a notebooks e editores",
  busy_kernels: "Kernels do Jupyter que calculam",
  cpu_cores: "CPU",
  network_kb_per_second: "Rede, nos dois sentidos",
  disk_kb_per_second: "Disco, lido e escrito",
  compute_processes: "Processos na GPU que são novos ou cresceram",
  work: "Requisições que um servidor atendeu",
  scripts: "Seus próprios scripts",
  mode: "O que se decide",
  max_runtime_hours: "Hibernar após funcionar por",
  schedule: "Horários",
  timezone: "Fuso horário",
  awake: "Horário de uso",
  outside: "Fora desse horário",
  wake_at_start: "Acordar no início dele",
  maintenance: "Manutenção",
  windows: "Janelas",
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
