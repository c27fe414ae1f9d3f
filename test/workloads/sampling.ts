import type { HeartbeatReport } from "../../src/lifecycle/model/heartbeat.ts";
import { chanceOf, type GpuMoment, type Moment, type Workload } from "./machine.ts";

/** What agents make of a machine: the heartbeats of one that looks once a minute, and of one that looks all the time. */

/** One heartbeat, as both agents would have sent it at this second. */
export interface Beat {
  readonly second: number;
  readonly before: HeartbeatReport;
  readonly after: HeartbeatReport;
}

export interface Replay {
  readonly beats: readonly Beat[];
  /** By second, when the machine had last worked. */
  readonly workedAt: Int32Array;
}

const BEAT_SECONDS = 60;
const SAMPLE_SECONDS = 15;
/** What the driver remembers of a GPU. */
const RING_SECONDS = 15;
const GREW_MIB = 16;

/** Plays the workload for so long; the seed decides its chance, and when the beats come. */
export function replay(workload: Workload, seed: number, seconds: number): Replay {
  const chance = chanceOf(seed);
  const at = workload.start(chance);
  const beats: Beat[] = [];
  const workedAt = new Int32Array(seconds).fill(-1);
  const recent: Moment[] = [];
  let window = new Window(workload, new Map());
  let nextBeat = 1 + Math.floor(BEAT_SECONDS * chance());
  let nextSample = 1 + Math.floor(SAMPLE_SECONDS * chance());
  for (let second = 0; second < seconds; second++) {
    const moment = at(second);
    workedAt[second] = moment.works ? second : (workedAt[second - 1] ?? -1);
    recent.push(moment);
    if (recent.length > RING_SECONDS) recent.shift();
    window.pass(moment);
    if (second === nextSample || second === nextBeat) {
      window.sample(recent);
      // A second late, now and then.
      nextSample = second + SAMPLE_SECONDS + Math.floor(2 * chance());
    }
    if (second !== nextBeat) continue;
    beats.push({ second, before: reportBefore(moment, workload), after: window.report() });
    window = new Window(workload, window.memory);
    nextBeat = second + Math.round(BEAT_SECONDS * (0.9 + 0.2 * chance()));
  }
  return { beats, workedAt };
}

/** Agent 1.2: the last second of each minute, and who is signed in. */
function reportBefore({ gpus, cpuCores, who }: Moment, workload: Workload): HeartbeatReport {
  return {
    gpu_utilization: highest(gpus.map(({ percent }) => percent)),
    cpu_utilization: cpuPercent(cpuCores, workload),
    gpus: gpus.map(({ percent }, index) => ({ index, utilization: percent })),
    activity: { ssh_sessions: who, busy_jupyter_kernels: 0 },
  };
}

const USUAL_CORES = 16;

function cpuPercent(cpuCores: number, { cores = USUAL_CORES }: Workload): number {
  return Math.min(100, (100 * cpuCores) / cores);
}

/** What agent 1.3 gathers from one heartbeat to the next: samples, and counters that miss nothing. */
class Window {
  readonly #workload: Workload;
  /** The highest GPU memory of each process that was seen so far. */
  memory: Map<number, number>;
  readonly #samples: GpuMoment[][] = [];
  readonly #peaks: (number | null)[] = [];
  readonly #grew = new Set<number>();
  #processes = 0;
  #sshConnections = 0;
  #notebookConnections = 0;
  #seconds = 0;
  #cpuSeconds = 0;
  #networkKb = 0;
  #diskKb = 0;

  constructor(workload: Workload, memory: Map<number, number>) {
    this.#workload = workload;
    this.memory = memory;
  }

  /** A second goes by: the kernel counts, whether anybody looks or not. */
  pass(moment: Moment): void {
    this.#seconds += 1;
    this.#cpuSeconds += moment.cpuCores;
    this.#networkKb += moment.networkKb;
    this.#diskKb += moment.diskKb;
  }

  /** The agent looks: at this moment, and at what the driver remembers. */
  sample(recent: readonly Moment[]): void {
    const moment = recent.at(-1);
    if (moment === undefined) return;
    this.#samples.push([...moment.gpus]);
    moment.gpus.forEach((_, index) => {
      const peak = highest(recent.map(({ gpus }) => gpus[index]?.percent ?? null));
      this.#peaks[index] = highest([this.#peaks[index] ?? null, peak]);
    });
    for (const { pid, mib } of moment.processes) {
      const before = this.memory.get(pid);
      if (before === undefined || mib >= before + GREW_MIB) this.#grew.add(pid);
      this.memory.set(pid, Math.max(mib, before ?? 0));
    }
    this.#processes = moment.processes.length;
    this.#sshConnections = Math.max(this.#sshConnections, moment.sshConnections);
    this.#notebookConnections = Math.max(this.#notebookConnections, moment.notebookConnections);
  }

  report(): HeartbeatReport {
    const count = this.#samples[0]?.length ?? 0;
    const gpus = Array.from({ length: count }, (_, index) => {
      const of = this.#samples.map((sample) => sample[index]);
      const percents = of.flatMap((each) => (each?.percent == null ? [] : [each.percent]));
      return {
        index,
        utilization: percents.length === 0 ? null : round(mean(percents)),
        utilization_max: this.#peaks[index] ?? null,
        power_watts: highest(of.map((each) => each?.watts ?? null)),
        power_limit_watts: this.#workload.powerLimitWatts,
        compute_processes: this.#processes,
      };
    });
    const cores = this.#cpuSeconds / this.#seconds;
    const source = (name: string, value: number) => ({ name, value: round(value) });
    return {
      gpu_utilization: highest(gpus.map(({ utilization }) => utilization)),
      gpu_utilization_max: highest(gpus.map(({ utilization_max }) => utilization_max)),
      cpu_utilization: cpuPercent(cores, this.#workload),
      gpus,
      sources: [
        source("ssh_connections", this.#sshConnections),
        source("notebook_connections", this.#notebookConnections),
        source("cpu_cores", cores),
        source("network_kb_per_second", this.#networkKb / this.#seconds),
        source("disk_kb_per_second", this.#diskKb / this.#seconds),
        ...(count === 0 ? [] : [source("compute_processes", this.#grew.size)]),
      ],
    };
  }
}

function highest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}
