import type { PreviewLine, PreviewRequest, PreviewSkip } from "../fleet/rules/preview.ts";
import { fleetOf } from "../platform/address.ts";
import { logError, logWarning } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import { sleep } from "../platform/sleep.ts";
import { TooManyTurns } from "../replay/replay.ts";
import { lineOf } from "./preview-line.ts";
import { HistoryOutOfReach, type StoryFound, storyOf } from "./story.ts";

/** Replays some instances of a preview, one after the other, so that the memory of one is enough. */

export interface Pace {
  readonly instances: number;
  /** No further instance is begun after so long. */
  readonly budgetMs: number;
  /** One that is out of reach is skipped; else the page ends before it, and fails. */
  readonly skipsUnreachable: boolean;
}

export interface PageDone {
  /** Nothing more is to be done. */
  readonly isOver: boolean;
  readonly instances: number;
}

/** Each page goes on where the last one ended. Throws if an instance was out of reach: what came before it is kept. */
export async function replayPage(env: Env, userId: string, previewId: string, pace: Pace): Promise<PageDone> {
  const fleet = fleetOf(env, userId);
  const task = await fleet.nextOfPreview(previewId, pace.instances);
  if (task === null) return { isOver: true, instances: 0 };
  const speed = readSettings(env).SIMULATION_SPEED;
  const endsAt = Date.now() + pace.budgetMs;
  const lines: PreviewLine[] = [];
  const skips: PreviewSkip[] = [];
  let after = "";
  let failure: unknown;
  for (const instanceId of task.instanceIds) {
    if (after !== "" && Date.now() >= endsAt) break;
    // Where one processor does all, whatever else waits comes in between.
    await sleep(1);
    try {
      const found = await storyOf(env, userId, instanceId, task, task.guardClosed);
      const line = found.outcome === "found" ? lineOrNull(found, task.request, speed, userId) : null;
      if (line !== null) lines.push(line);
      else skips.push({ instanceId, because: found.outcome === "found" ? "failed" : found.outcome });
    } catch (error) {
      if (!pace.skipsUnreachable) {
        failure = error;
        break;
      }
      logWarning("a preview leaves an instance out", { user_id: userId, instance_id: instanceId }, error);
      skips.push({ instanceId, because: reasonOf(error) });
    }
    after = instanceId;
  }
  const isOver = task.isLast && after === (task.instanceIds.at(-1) ?? "");
  await fleet.takeOfPreview(previewId, { lines, skips, after }, isOver);
  if (failure !== undefined) throw failure;
  return { isOver, instances: lines.length + skips.length };
}

/** Null if its past makes the replay fail: it would fail again. */
function lineOrNull(
  { story, basis }: Extract<StoryFound, { outcome: "found" }>,
  request: PreviewRequest,
  speed: number,
  userId: string,
): PreviewLine | null {
  try {
    return lineOf(story, basis, request, speed);
  } catch (error) {
    // Who sends its heartbeats can make a past that takes too much: that is no defect.
    const log = error instanceof TooManyTurns ? logWarning : logError;
    log("a replay failed", { user_id: userId, instance_id: story.instanceId }, error);
    return null;
  }
}

function reasonOf(error: unknown): PreviewSkip["because"] {
  return error instanceof HistoryOutOfReach ? "history_out_of_reach" : "out_of_reach";
}
