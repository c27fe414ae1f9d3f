import type { Status } from "../../../lifecycle/model/phase.ts";
import type { PolicySettings } from "../../../lifecycle/model/policy-settings.ts";
import type { ShownPreset } from "../../../lifecycle/model/presets.ts";
import type { SourceState } from "../../../lifecycle/rules/use.ts";
import type { Explanation } from "../../../lifecycle/views/explained-step.ts";

/** What the API answers of a moment of the past: see `InstanceWhy` of `/openapi.json`. */

export interface WhyAnswer {
  readonly at: string;
  readonly status: Status;
  readonly verdict: "idle" | "in_use" | "unknown" | "not_judged" | "silent" | "off" | "not_kept";
  readonly idle_since: string | null;
  readonly idle_at_least: boolean;
  readonly lifecycle: Explanation;
  readonly policy: {
    readonly unknown_because: string | null;
    readonly preset: ShownPreset;
    readonly settings: PolicySettings;
  } | null;
  readonly heard: ReadingThen | null;
  readonly readings: readonly ReadingThen[];
  readonly hour: {
    readonly heartbeats: number;
    readonly work_heartbeats: number | null;
    readonly max_gpu_utilization: number | null;
  } | null;
  readonly events: readonly EventThen[];
}

export interface ReadingThen {
  readonly at: string;
  readonly verdict: "quiet" | "active" | "unknown";
  readonly because: string | null;
  readonly metric: "GPU" | "CPU" | null;
  readonly percent: number | null;
  readonly threshold_percent: number;
  readonly sources: readonly {
    readonly name: string;
    readonly value: number | null;
    readonly state: SourceState;
  }[];
  readonly is_late: boolean;
  readonly is_preparing: boolean;
}

interface EventThen {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly message: string;
}
