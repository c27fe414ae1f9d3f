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
