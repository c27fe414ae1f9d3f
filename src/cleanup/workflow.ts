import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { logWarning } from "../platform/log.ts";
import type { Tally } from "../service/aggregate.ts";
import { noteCleanupPart } from "../service/service.ts";
import { visitFleets } from "./fleets.ts";
import { ageHistory } from "./history.ts";
import { runCleanup, startPart } from "./run.ts";
import { type CleanupParameters, type CleanupTask, LAST_WORD, PAGE, Progress, partOf } from "./task.ts";

/**
 * The daily job, in parts (`task.ts`). Each part walks in pages, each of them a step, so that no query, invocation or workflow
 * grows with the fleet. If it is cut off, it goes on at the same page, and a page that runs twice does nothing more. What fails
 * is passed over, counted and told, and tried again tomorrow.
 */
export class DailyCleanup extends WorkflowEntrypoint<Env, CleanupParameters | FormerParameters> {
  override async run(
    event: Readonly<WorkflowEvent<CleanupParameters | FormerParameters>>,
    step: WorkflowStep,
  ): Promise<Tally> {
    await awaitSettings(this.env, step);
    const parameters = "task" in event.payload ? event.payload : fromFormer(event.payload, event.instanceId);
    const { task } = parameters;
    if (task.kind === "run") return runCleanup(this.env, step, parameters);
    const progress = new Progress(parameters.figures);
    const rest = await this.#work(step, parameters, progress);
    const { figures } = progress;
    if (rest === null) {
      await step.do("report", LAST_WORD, () =>
        noteCleanupPart(this.env, parameters.runId, partOf(task), figures),
      );
    } else {
      const next = { ...parameters, task: rest, leg: parameters.leg + 1, figures };
      await step.do("go on in another workflow", PAGE, () => startPart(this.env, next));
    }
    return figures;
  }

  /** What is left to another workflow; null when nothing is. A part that fails as a whole has at least told what it did. */
  async #work(
    step: WorkflowStep,
    { task, startedAt }: CleanupParameters,
    progress: Progress,
  ): Promise<CleanupTask | null> {
    try {
      switch (task.kind) {
        case "run":
          return null;
        case "fleets":
          return await visitFleets(this.env, step, task, progress);
        case "history":
          return await ageHistory(this.env, step, task, startedAt, progress);
      }
    } catch (error) {
      logWarning("a part of the cleanup ended early", { part: partOf(task) }, error);
      progress.add({ unfinished: 1 }, 1);
      return null;
    }
  }
}

/** What the release before the parts began is done anew: whatever it has done by then is found done. */
interface FormerParameters {
  readonly part: unknown;
  readonly report: { readonly startedAt: number };
}

function fromFormer({ report: { startedAt } }: FormerParameters, runId: string): CleanupParameters {
  return { runId, startedAt, task: { kind: "run" }, leg: 1, figures: {} };
}

/** Starts a run, unless one of this id was started before. */
export async function startCleanup(
  env: Pick<Env, "DAILY_CLEANUP">,
  runId: string,
  startedAt: number,
): Promise<void> {
  const parameters: CleanupParameters = { runId, startedAt, task: { kind: "run" }, leg: 1, figures: {} };
  await createOnce(env.DAILY_CLEANUP, runId, parameters);
}
