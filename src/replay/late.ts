import type { HeartbeatReport } from "../lifecycle/model/heartbeat.ts";

/** A reading that came late, before it has its number: its age in seconds, and what it shows of GPU and CPU. */
export type UnnumberedReading = readonly [number, number | null, number | null];

/** As it stands in a backlog, from this number on. */
export function backlogOf(late: readonly UnnumberedReading[], first: number): HeartbeatReport["backlog"] {
  return late.map(([age, gpuPercent, cpuPercent], index) => [
    first + index,
    age,
    gpuPercent,
    null,
    cpuPercent,
    null,
    null,
    null,
  ]);
}
