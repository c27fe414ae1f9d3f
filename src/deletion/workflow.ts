import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { type DeletionProgress, findAccount, noteProgress } from "../accounts/standing.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { carryOn, type Done, PACE, type Pace, type Part } from "./parts.ts";

/**
 * Deletes a user with all that is the user's. It takes what is left, step by step, each of them bounded: cut off anywhere, or
 * begun anew, it goes on. No provider is called, and no machine touched.
 */

interface DeletionParameters {
  readonly userId: string;
  readonly turn: number;
  readonly pace: Pace;
}

/** Longer than any call that was on its way. */
const WAIT_MS = 2 * MINUTE_MS;

/** For about a day: after that the operator begins it again, and it goes on. */
const STEP = {
  retries: {
    limit: 150,
    delay: ({ ctx }: { ctx: { attempt: number } }) =>
      Math.min(10 * MINUTE_MS, 5 * SECOND_MS * 2 ** Math.min(ctx.attempt, 10)),
    backoff: "constant",
  },
  timeout: "10 minutes",
} as const;

export class UserDeletion extends WorkflowEntrypoint<Env, DeletionParameters> {
  override async run(event: Readonly<WorkflowEvent<DeletionParameters>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const { userId, turn, pace } = event.payload;
    let part: Part = { type: "leave" };
    let progress: DeletionProgress = { turn, instances: 0, rows: 0 };
    let calls = 0;
    let taken = 0;
    // The next workflow begins at the first part again. So one that has taken nothing goes on: it would be the same there.
    for (let count = 1; calls < pace.callsPerWorkflow || taken === 0; count++) {
      if (part.type === "wait") {
        await step.sleep("wait for what is on its way", WAIT_MS);
        part = { type: "rows", place: 0 };
      }
      const doing: Exclude<Part, { type: "wait" }> = part;
      const done: Done = await step.do(`${doing.type}, ${count}`, STEP, () =>
        carryOn(this.env, userId, doing, progress, pace),
      );
      if (done.next === null) return;
      if (doing.type !== "leave") taken += sizeOf(done.progress) - sizeOf(progress);
      progress = done.progress;
      part = done.next;
      calls += done.calls;
    }
    // First the note: whichever of the two fails for a day, the operator finds the workflow that has not ended well.
    const handedOver = { ...progress, turn: turn + 1 };
    await step.do("note the next workflow", STEP, () => noteProgress(this.env.DB, userId, handedOver));
    await step.do("go on in another workflow", STEP, () => begin(this.env, userId, turn + 1, pace));
  }
}

function sizeOf({ instances, rows }: DeletionProgress): number {
  return instances + rows;
}

/**
 * Begins the deletion, or goes on with one that has failed for too long. Asked twice, it is done once. `turn`: of the last
 * workflow that is known. One that is complete has handed over to the next.
 */
export async function startDeletion(
  env: Pick<Env, "USER_DELETION" | "DB">,
  userId: string,
  { turn }: Pick<DeletionProgress, "turn">,
  pace: Pace = PACE,
): Promise<void> {
  for (let last = turn; ; last++) {
    await begin(env, userId, last, pace);
    const workflow = await env.USER_DELETION.get(workflowId(userId, last));
    const { status } = await workflow.status();
    if (status === "errored" || status === "terminated") return workflow.restart();
    if (status !== "complete" || (await isFinished(env.DB, userId))) return;
  }
}

async function isFinished(db: D1Database, userId: string): Promise<boolean> {
  const account = await findAccount(db, userId);
  return account?.deletion == null || account.deletion.finishedAt !== null;
}

async function begin(
  env: Pick<Env, "USER_DELETION">,
  userId: string,
  turn: number,
  pace: Pace,
): Promise<void> {
  await createOnce(env.USER_DELETION, workflowId(userId, turn), { userId, turn, pace });
}

/** Ids of users are letters, digits and hyphens. */
function workflowId(userId: string, turn: number): string {
  return `delete-${userId}-${turn}`;
}
