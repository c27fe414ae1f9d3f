import type { PolicySettings } from "../../../lifecycle/model/policy-settings.ts";
import { abilitiesOf, type ProviderKind } from "../../../lifecycle/model/provider.ts";
import { onlyDeletes, stopsSilent } from "../../../lifecycle/model/stopping.ts";

/** What protects a machine under a policy, as codes with numbers. Pure. */

export type Protection =
  | { readonly code: "observes" | "idle_off" | "silence_off" | "never_deleted" | "nobody_stops_silent" }
  | { readonly code: "told_only" | "only_deletes" }
  | {
      readonly code: "idle";
      readonly thresholdPercent: number;
      readonly warnSeconds: number;
      readonly hibernateSeconds: number;
      readonly by: "answer" | "call" | "nobody";
    }
  | { readonly code: "silence"; readonly toldSeconds: number; readonly hibernateSeconds: number | null }
  | { readonly code: "deleted"; readonly days: number; readonly withSnapshot: boolean };

export function protectionOf(policy: PolicySettings, provider: ProviderKind): Protection[] {
  const { mode, idle, orphan } = policy;
  const found: Protection[] = mode === "observe" ? [{ code: "observes" }] : [];
  found.push(
    idle.enabled
      ? {
          code: "idle",
          thresholdPercent: idle.threshold_percent,
          warnSeconds: idle.warn_after_seconds,
          hibernateSeconds: idle.hibernate_after_seconds,
          by: whoStops(provider),
        }
      : { code: "idle_off" },
  );
  if (!orphan.enabled) return [...found, { code: "silence_off" }];
  const isStopped = stopsSilent(provider);
  found.push({
    code: "silence",
    toldSeconds: orphan.orphan_after_seconds,
    hibernateSeconds: isStopped ? orphan.hibernate_after_seconds : null,
  });
  if (provider === "none") return [...found, { code: "told_only" }];
  if (!isStopped && !onlyDeletes(provider)) return [...found, { code: "nobody_stops_silent" }];
  if (onlyDeletes(provider)) found.push({ code: "only_deletes" });
  const days = isStopped || orphan.delete_while_running ? orphan.delete_after_days : null;
  return [
    ...found,
    days === null
      ? { code: "never_deleted" }
      : { code: "deleted", days, withSnapshot: orphan.snapshot_before_delete },
  ];
}

function whoStops(provider: ProviderKind): "answer" | "call" | "nobody" {
  switch (abilitiesOf(provider).hibernates) {
    case "by answer":
      return "answer";
    case "by call":
      return "call";
    case "never":
      return "nobody";
  }
}
