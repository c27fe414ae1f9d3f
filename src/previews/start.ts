import type { PreviewAsked, PreviewStarted } from "../fleet/previews.ts";
import { DAY_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { fleetOf } from "../platform/address.ts";
import { logWarning } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import { type PageDone, replayPage } from "./page.ts";
import { startWorkflow } from "./workflow.ts";

/** What the request itself replays: small fleets are answered at once. */
const FIRST_PAGE = { instances: 10, budgetMs: 2 * SECOND_MS, skipsUnreachable: false };

/** Begins a preview. Its first instances are replayed before the answer; a workflow goes on with the others. */
export async function startPreview(env: Env, userId: string, request: PreviewAsked): Promise<PreviewStarted> {
  const to = Date.now();
  const from = to - (request.days * DAY_MS) / readSettings(env).SIMULATION_SPEED;
  const started = await fleetOf(env, userId).startPreview(request, { from, to });
  if (started.outcome !== "started") return started;
  const { isOver } = await firstPage(env, userId, started.id);
  if (!isOver) await goOn(env, userId, started.id);
  return started;
}

/** What nobody would go on with is deleted. */
async function goOn(env: Env, userId: string, previewId: string): Promise<void> {
  try {
    await startWorkflow(env, userId, previewId);
  } catch (error) {
    await fleetOf(env, userId).deletePreview(previewId);
    throw error;
  }
}

/** What fails here, the workflow tries again. */
async function firstPage(env: Env, userId: string, previewId: string): Promise<PageDone> {
  try {
    return await replayPage(env, userId, previewId, FIRST_PAGE);
  } catch (error) {
    logWarning("the first page of a preview failed", { user_id: userId, preview_id: previewId }, error);
    return { isOver: false, instances: 0 };
  }
}
