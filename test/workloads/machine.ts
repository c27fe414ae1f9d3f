import type { PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";

/** What a machine with work on it shows, second by second: the ground truth that readings are taken of. */

export interface GpuMoment {
  /** Percent of this second in which a kernel ran; null: the driver does not say (MIG). */
  readonly percent: number | null;
  readonly watts: number | null;
}

export interface ComputeProcess {
  readonly pid: number;
  readonly mib: number;
}

/** One second of a machine. */
export interface Moment {
  /** Whether somebody would miss the machine: the truth that the service does not know. */
  readonly works: boolean;
  readonly gpus: readonly GpuMoment[];
  readonly processes: readonly ComputeProcess[];
  readonly cpuCores: number;
  readonly networkKb: number;
  readonly diskKb: number;
  /** Sessions that `who` shows. */
  readonly who: number;
  readonly sshConnections: number;
  readonly notebookConnections: number;
  readonly busyKernels: number;
}

/** What the machine of a workload is like from its first second on. `chance` gives numbers from 0 to 1. */
export interface Workload {
  readonly name: string;
  /** What happens on it, for the document. */
  readonly story: string;
  /**
   * What is right: "works" is never stopped; "unused" is stopped soon after its last work; "stuck" is never stopped, and its
   * owner is told; "unreadable" is never stopped either, and its owner can see why.
   */
  readonly truth: "works" | "unused" | "stuck" | "unreadable";
  readonly powerLimitWatts: number;
  readonly requestsPerMinute?: number;
  /** 16 where it is not said. */
  readonly cores?: number;
  /** What its owner's policy says beside the preset. */
  readonly idle?: PolicyOverrides["idle"];
  readonly start: (chance: () => number) => (second: number) => Moment;
}

/** A machine on which nothing happens but what any system does. */
export const NOTHING: Moment = {
  works: false,
  gpus: [],
  processes: [],
  cpuCores: 0.05,
  networkKb: 2,
  diskKb: 20,
  who: 0,
  sshConnections: 0,
  notebookConnections: 0,
  busyKernels: 0,
};

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
