import { type GpuMoment, type Moment, NOTHING, type Workload } from "./machine.ts";

/** The workloads of docs/idleness.md. Their figures are rounded from what such work is known to look like. */

const LIMIT_WATTS = 700;
const IDLE_WATTS = 70;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A GPU that computes for so many percent of a second. */
const gpu = (percent: number): GpuMoment => ({ percent, watts: IDLE_WATTS + percent * 5 });
const QUIET_GPU = gpu(0);

const process = (mib: number, pid = 4242) => [{ pid, mib }];

/** Training that keeps its GPU busy, as the first minutes of what is abandoned later. */
function trains(chance: () => number): Moment {
  return {
    ...NOTHING,
    works: true,
    gpus: [gpu(88 + Math.floor(12 * chance()))],
    processes: process(61_000),
    cpuCores: 2,
    diskKb: 8000,
  };
}

const steady = (moment: (chance: () => number, second: number) => Moment): Workload["start"] => {
  return (chance) => (second) => moment(chance, second);
};

/** Requests of one second each, so many a minute: evenly, give or take half a gap. */
function requests(perMinute: number, chance: () => number): (second: number) => number {
  const gap = MINUTE / perMinute;
  let next = gap * chance();
  let busyUntil = 0;
  /** The share of this second in which a request is served. */
  return (second) => {
    let share = 0;
    while (next < second + 1) {
      const begin = Math.max(next, busyUntil);
      busyUntil = begin + 1;
      next += gap * (0.5 + chance());
    }
    const begin = Math.max(second, busyUntil - 1);
    if (busyUntil > second) share = Math.max(0, Math.min(second + 1, busyUntil) - begin);
    return share;
  };
}

function inference(perMinute: number): Workload {
  return {
    name: `inference, ${perMinute} request${perMinute === 1 ? "" : "s"} a minute`,
    story:
      "The model is in GPU memory, each request takes a second, and the server's counters are not configured.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    requestsPerMinute: perMinute,
    start: (chance) => {
      const shareOf = requests(perMinute, chance);
      return (second) => {
        const share = shareOf(second);
        return {
          ...NOTHING,
          // Between two requests it is needed as well.
          works: true,
          gpus: [gpu(Math.round(95 * share))],
          processes: process(72_000),
          cpuCores: 0.1 + 0.5 * share,
          networkKb: 2 + 8 * share,
        };
      };
    },
  };
}

/** Trains for twenty minutes, and then `rest` for good. */
const abandoned = (rest: (chance: () => number, second: number) => Moment): Workload["start"] =>
  steady((chance, second) => (second < 20 * MINUTE ? trains(chance) : rest(chance, second)));

export const WORKLOADS: readonly Workload[] = [
  {
    name: "training",
    story:
      "GPU at 88 to 99 %. Every half hour a checkpoint is written for 40 seconds; every three hours seven minutes of evaluation on the CPU.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance, second) => {
      const rest = { ...trains(chance), gpus: [QUIET_GPU] };
      if (second % (3 * HOUR) >= 3 * HOUR - 7 * MINUTE) return { ...rest, cpuCores: 6, diskKb: 3000 };
      if (second % (30 * MINUTE) >= 30 * MINUTE - 40) return { ...rest, diskKb: 900_000 };
      return trains(chance);
    }),
  },
  {
    name: "data loading",
    story: "Forty minutes of reading and tokenizing, then twenty of training, again and again.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance, second) =>
      second % HOUR < 40 * MINUTE
        ? { ...NOTHING, works: true, gpus: [QUIET_GPU], cpuCores: 5 + chance(), diskKb: 60_000 * chance() }
        : trains(chance),
    ),
  },
  {
    name: "compilation",
    story: "Kernels are built for hours, by eight compilers at a time, and no GPU is used.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance) => ({
      ...NOTHING,
      works: true,
      gpus: [QUIET_GPU],
      cpuCores: 6 + 2 * chance(),
      diskKb: 500,
    })),
  },
  inference(1),
  inference(2),
  inference(6),
  inference(30),
  {
    name: "a notebook being typed in",
    story:
      "Somebody reads and types in the browser. Every 4 to 12 minutes a cell computes for 3 to 20 seconds.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: (chance) => {
      let begin = 2 * MINUTE;
      let end = begin + 10;
      return (second) => {
        if (second >= end) {
          begin = second + MINUTE * (4 + 8 * chance());
          end = begin + 3 + 17 * chance();
        }
        const computes = second >= begin;
        return {
          ...NOTHING,
          works: true,
          gpus: [gpu(computes ? 60 : 0)],
          processes: process(9000),
          cpuCores: computes ? 1.2 : 0.05,
          notebookConnections: 2,
          busyKernels: computes ? 1 : 0,
        };
      };
    },
  },
  {
    name: "download of a dataset",
    story: "40 MB/s for hours, with pauses of a minute and a half when the other side says to wait.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance, second) => ({
      ...NOTHING,
      works: true,
      gpus: [QUIET_GPU],
      ...(second % (20 * MINUTE) < 18.5 * MINUTE
        ? { cpuCores: 0.3, networkKb: 30_000 + 20_000 * chance(), diskKb: 40_000 }
        : {}),
    })),
  },
  {
    name: "a tmux job on the CPU",
    story: "One Python process that uses one core; whoever started it has signed out.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance) => ({
      ...NOTHING,
      works: true,
      gpus: [QUIET_GPU],
      cpuCores: 0.9 + 0.15 * chance(),
    })),
  },
  {
    name: "a zombie that holds memory",
    story: "Training for 20 minutes; then its process hangs, and keeps 60 GB of GPU memory.",
    truth: "unused",
    powerLimitWatts: LIMIT_WATTS,
    start: abandoned(() => ({ ...NOTHING, gpus: [QUIET_GPU], processes: process(61_000) })),
  },
  {
    name: "a deadlock at 100 %",
    story:
      "Training for 20 minutes; then its processes wait for each other. The driver says 100 %, at little more than idle power. Its owner is told after half an hour.",
    truth: "stuck",
    powerLimitWatts: LIMIT_WATTS,
    start: abandoned(() => ({
      ...NOTHING,
      gpus: [{ percent: 100, watts: IDLE_WATTS + 45 }],
      processes: process(61_000),
      cpuCores: 1,
    })),
  },
  {
    name: "MIG",
    story: "Training in a slice of an A100, of which the driver tells no utilization.",
    truth: "works",
    powerLimitWatts: 400,
    start: steady(() => ({
      ...NOTHING,
      works: true,
      gpus: [{ percent: null, watts: 180 }],
      processes: process(8000),
      cpuCores: 1,
      diskKb: 4000,
    })),
  },
  {
    name: "MIG, unused",
    story: "A slice with nothing on it. Its owner is told after an hour that its GPU cannot be read.",
    truth: "unreadable",
    powerLimitWatts: 400,
    start: steady(() => ({ ...NOTHING, gpus: [{ percent: null, watts: 60 }] })),
  },
  {
    name: "MIG, unused, by the CPU",
    story: "The same, with `idle.metric` = `cpu`. Training for 20 minutes first.",
    truth: "unused",
    powerLimitWatts: 400,
    idle: { metric: "cpu" },
    start: steady((chance, second) => ({
      ...NOTHING,
      gpus: [{ percent: null, watts: 60 }],
      ...(second < 20 * MINUTE ? { works: true, cpuCores: 2 + chance(), processes: process(8000) } : {}),
    })),
  },
  {
    name: "two GPUs, one busy",
    story: "Training on the second, nothing on the first.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    start: steady((chance) => ({
      ...trains(chance),
      gpus: [QUIET_GPU, gpu(88 + Math.floor(12 * chance()))],
      cpuCores: 0.3,
      diskKb: 100,
    })),
  },
  {
    name: "no GPU",
    story:
      "A machine of 64 cores without a GPU, on which one to two of them compute. `idle.metric` is `auto`.",
    truth: "works",
    powerLimitWatts: LIMIT_WATTS,
    cores: 64,
    idle: { metric: "auto" },
    start: steady((chance) => ({ ...NOTHING, works: true, cpuCores: 1 + chance() })),
  },
  {
    name: "no GPU, unused",
    story: "The same machine; twenty minutes of computing, then nothing.",
    truth: "unused",
    powerLimitWatts: LIMIT_WATTS,
    cores: 64,
    idle: { metric: "auto" },
    start: steady((chance, second) =>
      second < 20 * MINUTE ? { ...NOTHING, works: true, cpuCores: 1 + chance() } : NOTHING,
    ),
  },
  {
    name: "a server that spins, unused",
    story:
      "Inference for 20 minutes; then nobody asks the server, which keeps a core busy all the same. `idle.sources.cpu_cores` is 1.5.",
    truth: "unused",
    powerLimitWatts: LIMIT_WATTS,
    idle: { sources: { cpu_cores: 1.5 } },
    start: steady((chance, second) => ({
      ...NOTHING,
      works: second < 20 * MINUTE,
      gpus: [second < 20 * MINUTE ? gpu(20 + Math.round(70 * chance())) : QUIET_GPU],
      processes: process(72_000),
      cpuCores: 1 + 0.1 * chance(),
    })),
  },
  {
    name: "nothing at all",
    story: "Training for 20 minutes, then nothing but what any system does.",
    truth: "unused",
    powerLimitWatts: LIMIT_WATTS,
    start: abandoned((chance, second) => ({
      ...NOTHING,
      gpus: [gpu(second % 37 === 0 ? 2 : 0)],
      // A package manager looks for news once an hour.
      ...(second % HOUR < 15 ? { cpuCores: 0.9 * chance(), networkKb: 900, diskKb: 3000 } : {}),
    })),
  },
];
