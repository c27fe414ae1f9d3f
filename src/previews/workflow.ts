import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { PreviewRow } from "../fleet/tables/preview-rows.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { replayPage } from "./page.ts";

/**
 * Goes on with a preview, page by page, each of them a step: cut off anywhere, it goes on at the same page. The fleet knows how far
 * it has come, so a page that runs twice changes nothing.
 */

interface Walk {
  readonly userId: string;
  readonly previewId: string;
  /** The platform grants each workflow so many calls, and no more: a large fleet goes through several, one after the other. */
  readonly workflow: number;
  readonly callsPerWorkflow: number;
  /** Of one that takes the place of a lost one: when. Absent else. */
  readonly again?: number | undefined;
}

/** The platform grants a workflow 10,000 calls. Tries that failed are not counted here. */
const CALLS_PER_WORKFLOW = 5000;

/** The object of an instance, and what is asked of the databases. */
const CALLS_PER_INSTANCE = 8;

const INSTANCES_PER_STEP = 25;

/** A step must not come near its time limit, nor, with its last instance, near what the platform grants it of the processor: 30 s. */
const STEP_BUDGET_MS = 10 * SECOND_MS;

const STEP = {
  retries: { limit: 10, delay: "10 seconds", backoff: "exponential" },
  timeout: "15 minutes",
} as const;

/** Within about a minute: an instance that stays out of reach must not keep the others from it. */
const TRIES_OF_AN_INSTANCE = 3;

export class PolicyPreview extends WorkflowEntrypoint<Env, Walk> {
  override async run(event: Readonly<WorkflowEvent<Walk>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const walk = event.payload;
    let calls = 0;
    for (let page = 1; calls < walk.callsPerWorkflow; page++) {
      const done = await step.do(`page ${page}`, STEP, ({ attempt }) =>
        replayPage(this.env, walk.userId, walk.previewId, {
          instances: INSTANCES_PER_STEP,
          budgetMs: STEP_BUDGET_MS,
          skipsUnreachable: attempt >= TRIES_OF_AN_INSTANCE,
        }),
      );
      if (done.isOver) return;
      calls += 2 + done.instances * CALLS_PER_INSTANCE;
    }
    await step.do("go on in another workflow", STEP, () =>
      begin(this.env, { ...walk, workflow: walk.workflow + 1 }),
    );
  }
}

/** Starts it, unless it was started before. */
export async function startWorkflow(
  env: Pick<Env, "POLICY_PREVIEW">,
  userId: string,
  previewId: string,
  callsPerWorkflow = CALLS_PER_WORKFLOW,
): Promise<void> {
  await begin(env, { userId, previewId, workflow: 1, callsPerWorkflow });
}

/** A page is done, or tried again, within this time. */
const MOVES_WITHIN_MS = MINUTE_MS;

/** So often, at most, another workflow takes the place of one that may be lost. */
const AGAIN_EVERY_MS = 5 * MINUTE_MS;

/**
 * Has a workflow go on with a preview that has not come on since `movedAt`: that of before may be lost. If it is not, both go on, and
 * a page counts once.
 */
export async function goOnIfLost(
  env: Pick<Env, "POLICY_PREVIEW">,
  userId: string,
  { id, state, movedAt }: Pick<PreviewRow, "id" | "state" | "movedAt">,
  now: number,
): Promise<void> {
  if (state !== "running" || now - movedAt <= MOVES_WITHIN_MS) return;
  const again = Math.floor(now / AGAIN_EVERY_MS);
  await begin(env, { userId, previewId: id, workflow: 1, callsPerWorkflow: CALLS_PER_WORKFLOW, again });
}

async function begin(env: Pick<Env, "POLICY_PREVIEW">, walk: Walk): Promise<void> {
  const name = walk.again === undefined ? "" : `${walk.again}-`;
  await createOnce(env.POLICY_PREVIEW, `preview-${walk.previewId}-${name}${walk.workflow}`, walk);
}
