import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { GpuView, SourceView, UseView } from "../../lifecycle/views/use-view.ts";
import { spelledOut } from "../words/spelled-out.ts";

/** Why an instance is idle or is not, from what its newest heartbeat has shown. Pure. */

/** `unknown` counts as use. */
export type UseState = SourceView["state"];

export interface Used {
  readonly use: UseView;
  readonly gpu_utilization: number | null;
  readonly gpus: readonly Pick<
    GpuView,
    "index" | "name" | "utilization" | "utilization_max" | "quiet_since"
  >[];
  readonly cpu_utilization: number | null;
  readonly lifecycle: { readonly blocked_by: string | null };
}

/** What is measured, by its name in the heartbeat, or the GPU's number, or the whole of them. */
export type Measured =
  | { readonly kind: "gpu"; readonly index: number | null; readonly model: string | null }
  | { readonly kind: "cpu" }
  | { readonly kind: "source"; readonly name: string };

export interface UseRow {
  readonly measured: Measured;
  readonly value: number | null;
  /** Where `value` is the highest since the last heartbeat. */
  readonly mean: number | null;
  /** It counts as use from here on; null where it is ignored. */
  readonly threshold: number | null;
  readonly state: UseState;
  readonly quietSince: string | null;
  /** In the machine's words. */
  readonly note: string | null;
}

export type Verdict =
  /** Idleness is switched off. */
  | { readonly code: "off" }
  | { readonly code: "idle"; readonly since: string }
  | { readonly code: "in_use"; readonly by: readonly UseRow[] }
  /** Nothing shows use, but something can't be read. */
  | { readonly code: "unknown"; readonly of: readonly UseRow[] }
  /** An agent that names no sources says so. */
  | { readonly code: "activity" }
  | { readonly code: "quiet" };

const ORDER: readonly UseState[] = ["active", "unknown", "quiet", "ignored"];

/** What idleness is judged by: the metric first, then the sources, those that show use above the others. */
export function useRows(used: Used, idle: PolicySettings["idle"]): readonly UseRow[] {
  const sources = used.use.sources.map(
    ({ name, value, threshold, state, quiet_since, note }): UseRow => ({
      measured: { kind: "source", name },
      value,
      mean: null,
      threshold,
      state,
      quietSince: quiet_since,
      note,
    }),
  );
  return [
    ...metricRows(used, idle),
    ...sources.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state)),
  ];
}

function metricRows(used: Used, { metric, threshold_percent }: PolicySettings["idle"]): readonly UseRow[] {
  const row = (
    measured: Measured,
    value: number | null,
    mean: number | null = null,
    quietSince: string | null = null,
  ): UseRow => ({
    measured,
    value,
    mean,
    threshold: threshold_percent,
    state: value === null ? "unknown" : value >= threshold_percent ? "active" : "quiet",
    quietSince,
    note: null,
  });
  const hasGpu = used.gpus.length > 0 || used.gpu_utilization !== null;
  if (metric === "cpu" || (metric === "auto" && !hasGpu)) return [row({ kind: "cpu" }, used.cpu_utilization)];
  const isTold = used.gpus.some(
    ({ utilization, utilization_max }) => (utilization_max ?? utilization) !== null,
  );
  if (!isTold) return [row({ kind: "gpu", index: null, model: null }, used.gpu_utilization)];
  return used.gpus.map(({ index, name, utilization, utilization_max, quiet_since }) =>
    row(
      { kind: "gpu", index, model: name },
      utilization_max ?? utilization,
      utilization_max === null ? null : utilization,
      quiet_since,
    ),
  );
}

export function verdictOf(used: Used, idle: PolicySettings["idle"], rows: readonly UseRow[]): Verdict {
  if (!idle.enabled) return { code: "off" };
  const since = used.use.without_work_since;
  if (since !== null) return { code: "idle", since };
  const by = rows.filter(({ state }) => state === "active");
  if (by.length > 0) return { code: "in_use", by };
  if (used.use.sources.length === 0 && used.lifecycle.blocked_by === "activity") return { code: "activity" };
  const of = rows.filter(({ state }) => state === "unknown");
  return of.length > 0 ? { code: "unknown", of } : { code: "quiet" };
}

interface MeasuredWords {
  readonly sources: Readonly<Record<string, string>>;
  readonly requests: (server: string) => string;
  readonly script: (name: string) => string;
}

/** What is measured, as people call it. */
export function nameOf(measured: Measured, { sources, requests, script }: MeasuredWords): string {
  switch (measured.kind) {
    case "gpu":
      return measured.index === null ? "GPU" : `GPU ${measured.index}`;
    case "cpu":
      return "CPU";
    case "source": {
      const [, of, name] = /^(work|script)_(.+)$/.exec(measured.name) ?? [];
      if (name === undefined) return sources[measured.name] ?? spelledOut(measured.name);
      return of === "work" ? requests(name) : script(name);
    }
  }
}
