import type { HeartbeatReport } from "../model/heartbeat.ts";
import { record } from "../model/outbox.ts";
import { idleRunOf, preparationOf } from "../model/phase.ts";
import type { Preparation, PreparationHeard } from "../model/preparation.ts";
import type { InstanceState } from "../model/state.ts";
import { lastBytes } from "../model/text-bytes.ts";
import { SECOND_MS } from "../model/time.ts";
import type { Evidence } from "../model/use.ts";
import { phrase } from "../model/words/phrase.ts";
import { detailOf, withPreparation } from "./preparation.ts";

/** What the machine says of a preparation. */

/** One row holds all of an instance. */
const LOG_BYTES = 4000;

/** Whether the machine says that it is preparing, or has: saving is work, and no sign of use. */
export function saysPreparing(state: InstanceState, { status, preparation }: HeartbeatReport): boolean {
  const standing = preparationOf(state.phase);
  if (standing === null) return false;
  return status === "preparing" || status === "prepared" || preparation?.id === standing.id;
}

/** The machine says how far its hooks are. What it says of another preparation than this one says nothing. */
export function hearPreparation(state: InstanceState, report: HeartbeatReport, at: number): InstanceState {
  const standing = preparationOf(state.phase);
  const told = report.preparation;
  if (standing === null || told == null || told.id !== standing.id) return state;
  // A late heartbeat takes nothing back.
  if (standing.heard?.state === "succeeded") return state;
  const heard: PreparationHeard = {
    state: told.state,
    seconds: told.seconds,
    line: told.line ?? null,
    log: told.log == null ? (standing.heard?.log ?? null) : lastBytes(told.log, LOG_BYTES),
  };
  const known = withPreparation(withOneLog(state, heard), { ...standing, heard });
  switch (told.state) {
    case "running":
      return known;
    case "succeeded":
      return record(known, {
        at,
        kind: "prepared",
        severity: "info",
        message: phrase("preparation.prepared", { took: told.seconds * SECOND_MS }),
        detail: detailOf(standing, heard),
      });
    case "failed":
      return standing.isFailureTold ? known : tellFailure(known, { ...standing, heard }, heard, at);
  }
}

/** Logs are long, and one row holds all: the last one goes when another comes. */
function withOneLog(state: InstanceState, { log }: PreparationHeard): InstanceState {
  const { lastPreparation: last } = state;
  return log === null || last === undefined || last.log === null
    ? state
    : { ...state, lastPreparation: { ...last, log: null } };
}

function tellFailure(
  state: InstanceState,
  preparation: Preparation,
  heard: PreparationHeard,
  at: number,
): InstanceState {
  return record(withPreparation(state, { ...preparation, isFailureTold: true }), {
    at,
    kind: "preparation_failed",
    severity: "warning",
    message: phrase("preparation.hook_failed", { limit: preparation.limitAt }),
    detail: detailOf(preparation, heard),
  });
}

/** What people do at the machine. All else may be the saving itself. */
const BY_PEOPLE: ReadonlySet<string> = new Set(["ssh_connections", "notebook_connections", "busy_kernels"]);

/** What a heartbeat shows of use: of a machine that is being prepared, what people do there, and its readings as they were before. */
export function evidenceWhilePreparing(
  state: InstanceState,
  report: HeartbeatReport,
  evidence: Evidence,
): Evidence {
  const run = idleRunOf(state.phase);
  if (run === null || !saysPreparing(state, report)) return evidence;
  const { metric, highestPercent } = run;
  return {
    ...evidence,
    gpuPercent: metric === "GPU" ? highestPercent : null,
    hasUnreadGpu: false,
    cpuPercent: metric === "CPU" ? highestPercent : null,
    sources: evidence.sources.filter(({ name }) => BY_PEOPLE.has(name)),
  };
}
