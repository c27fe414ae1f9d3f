import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { DEFAULT_SOURCES, SOURCE_KINDS } from "../lifecycle/model/source-settings.ts";
import { evidenceOfKept } from "../lifecycle/model/use.ts";
import { say } from "../lifecycle/model/words/say.ts";
import { judge } from "../lifecycle/rules/use.ts";
import { isQuiet, judgeBy } from "./verdict.ts";

/**
 * Whether a reading shows work that an owner would miss. It is the same for all policies, so that what they interrupt can be
 * compared: what a policy takes for idle is its own matter.
 */

/** A choice: below it a GPU does what no owner misses, such as a display or monitoring. */
export const WORK_FROM_PERCENT = 3;

/** Of the CPU, which counts only where no GPU was ever reported. An idle system needs less. */
export const CPU_WORK_FROM_PERCENT = 5;

/** What shows work, as a policy for idleness has it. */
const RULES = {
  enabled: true,
  respectActivity: true,
  sources: DEFAULT_SOURCES,
  warnAfterMs: 0,
  hibernateAfterMs: 0,
  prepareMaxMs: 0,
} as const;

const WITH_GPU: Policy["idle"] = { ...RULES, metric: "gpu", thresholdPercent: WORK_FROM_PERCENT };
const WITHOUT_GPU: Policy["idle"] = { ...RULES, metric: "auto", thresholdPercent: CPU_WORK_FROM_PERCENT };

const JUDGES = { withGpu: judgeBy(WITH_GPU, true), withoutGpu: judgeBy(WITHOUT_GPU, false) };

/**
 * Whether the reading shows work, where nobody knows whether a hibernation was under way: of one that says that its hooks run, only
 * people at the machine do. Hours count so (`IS_QUIET`).
 */
export function showsWork(reading: Heartbeat, hasGpu: boolean): boolean {
  return saysPreparing(reading) ? showsPeople(reading) : showsUse(reading, hasGpu);
}

/** Whether the reading shows work, whatever it says of its hooks. What could not be read counts as work. */
export function showsUse(reading: Heartbeat, hasGpu: boolean): boolean {
  const judgeWork = hasGpu ? JUDGES.withGpu : JUDGES.withoutGpu;
  return !isQuiet(judgeWork(reading));
}

/** Whether it shows people at the machine, whatever else it does. */
export function showsPeople(reading: Heartbeat): boolean {
  return !isQuiet(JUDGES.withGpu(byPeople(reading)));
}

/** What shows it: `GPU at 97%`, `in use: 2 ssh_connections`, `GPU cannot be read`. */
export function sayWork(reading: Heartbeat, hasGpu: boolean): string {
  const shown = saysPreparing(reading) && showsPeople(reading) ? byPeople(reading) : reading;
  const judgement = judge(evidenceOfKept(shown), { idle: hasGpu ? WITH_GPU : WITHOUT_GPU }, hasGpu);
  switch (judgement.verdict) {
    case "quiet":
      return "nothing";
    case "active":
    case "unknown":
      return say("en", judgement.because);
  }
}

/** Whether it says that its hooks run. */
export function saysPreparing({ status, use }: Heartbeat): boolean {
  return status === "preparing" || use?.preparation === "running";
}

/** What people do at the machine comes first among the kinds. All else may be the saving itself. */
const KINDS_BY_PEOPLE = 3;

/** What people do there, and nothing else. */
function byPeople(reading: Heartbeat): Heartbeat {
  return { ...quieted(reading), gpuPercent: 0 };
}

/** A reading of a machine that was being prepared, without what that shows: by another policy it would have idled on. */
export function quieted(reading: Heartbeat): Heartbeat {
  const { use } = reading;
  return {
    ...reading,
    gpuPercent: reading.gpuPercent === null ? null : 0,
    cpuPercent: reading.cpuPercent === null ? null : 0,
    use:
      use === undefined
        ? undefined
        : {
            gpuMaxPercent: use.gpuMaxPercent === null ? null : 0,
            sources: use.sources.slice(0, KINDS_BY_PEOPLE),
            unread: use.unread.filter((kind) =>
              SOURCE_KINDS.slice(0, KINDS_BY_PEOPLE).some((by) => by === kind),
            ),
            preparation: null,
          },
  };
}
