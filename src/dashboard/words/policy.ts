import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";

/** What the page calls the groups and fields of a policy, in both languages: a field without its words does not compile. */

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
  respect_activity: "SSH sessions and busy kernels count as use",
  orphan_after_seconds: "Counts as an orphan after",
  force_hibernate_after_seconds: "Force-hibernate after",
  delete_after_days: "Delete after",
  snapshot_before_delete: "Snapshot before it is deleted",
  fraction: "Closes when this share falls silent",
  minimum_instances: "and at least so many instances",
  window_seconds: "within",
  max_hold_seconds: "Holds for at most",
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
  respect_activity: "Sessões SSH e kernels ocupados contam como uso",
  orphan_after_seconds: "Conta como órfã após",
  force_hibernate_after_seconds: "Hibernar à força após",
  delete_after_days: "Excluir após",
  snapshot_before_delete: "Snapshot antes de excluir",
  fraction: "Fecha quando esta fração silencia",
  minimum_instances: "e ao menos tantas instâncias",
  window_seconds: "dentro de",
  max_hold_seconds: "Retém por no máximo",
};
