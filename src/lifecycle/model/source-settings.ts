import { z } from "zod";

/**
 * From which value on a source of activity counts as use, in the fields of the HTTP API. Null: the source is ignored. All
 * scripts of a machine share one setting, and so do all its work counters.
 */

const threshold = z.number().min(0).max(1_000_000_000).nullable();

export const sourceSettingsSchema = z.strictObject({
  ssh_connections: threshold.describe("Established SSH connections"),
  notebook_connections: threshold.describe("Established connections to Jupyter or an editor in the browser"),
  busy_kernels: threshold.describe("Jupyter kernels that compute"),
  cpu_cores: threshold.describe("Cores in use, as a mean"),
  network_kb_per_second: threshold.describe("Both ways, in 1,000 bytes a second, without loopback"),
  disk_kb_per_second: threshold.describe("Read and written, in 1,000 bytes a second"),
  compute_processes: threshold.describe("Processes at a GPU that are new, or whose GPU memory grew"),
  work: threshold.describe("Requests that a server has served, or serves now, by its own counter"),
  scripts: threshold.describe("What the owner's scripts say: 1 is in use, 0 is not"),
});

export type SourceSettings = z.infer<typeof sourceSettingsSchema>;

/**
 * The kinds of sources: all of one kind share a threshold. The history keeps readings in this order, so a new kind goes to the
 * end.
 */
export const SOURCE_KINDS = [
  "ssh_connections",
  "notebook_connections",
  "busy_kernels",
  "cpu_cores",
  "network_kb_per_second",
  "disk_kb_per_second",
  "compute_processes",
  "work",
  "scripts",
  "other",
] as const satisfies readonly (keyof SourceSettings | "other")[];

export type SourceKind = (typeof SOURCE_KINDS)[number];

/** Sources of a user's own that are of no other kind count as use from this value on. */
const OTHER_FROM = 1;

/** The kind of the source of this name. Work counters are called `work_NAME`, and scripts `script_NAME`. */
export function sourceKindOf(name: string): SourceKind {
  if (name.startsWith("work_")) return "work";
  if (name.startsWith("script_")) return "scripts";
  return SOURCE_KINDS.find((kind) => kind === name) ?? "other";
}

/** From which value on a source of this kind counts as use; null: it is ignored. */
export function thresholdOfKind(kind: SourceKind, sources: SourceSettings): number | null {
  return kind === "other" ? OTHER_FROM : sources[kind];
}

export const DEFAULT_SOURCES: SourceSettings = {
  ssh_connections: 1,
  notebook_connections: 1,
  busy_kernels: 1,
  cpu_cores: 0.5,
  network_kb_per_second: 500,
  disk_kb_per_second: 2000,
  compute_processes: 1,
  work: 1,
  scripts: 1,
};
