import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import type { Sighting } from "../providers/provider.ts";
import { count } from "../service/meter.ts";
import type { ActionOutcome, ActionParameters, Failed } from "./order.ts";
import { type End, OrderSteps, reasonOf, type Seen, TELL } from "./order-steps.ts";

/**
 * Carries one order out at its provider, step by step: each is kept once it is done, so that a crash between any two
 * goes on where it was. What ends it goes back to the actor as an event.
 */
export class InstanceAction extends WorkflowEntrypoint<Env, ActionParameters> {
  override async run(event: Readonly<WorkflowEvent<ActionParameters>>, step: WorkflowStep): Promise<void> {
    const parameters = event.payload;
    const steps = new OrderSteps(this.env, parameters, event.instanceId, step);
    const outcome = await carryOut(steps, parameters).catch(
      (error: unknown): ActionOutcome => ({ type: "failed", because: reasonOf(error) }),
    );
    const { kind, actionId } = parameters.order;
    count(this.env, this.ctx, "actions", { kind, outcome: outcome?.type ?? "called_off" });
    if (outcome === null) return;
    await step.do("tell the instance", TELL, async () => {
      await steps.actor.endAction(actionId, outcome);
    });
  }
}

/** Null: the order was called off in time, and there is nothing to tell. */
async function carryOut(steps: OrderSteps, parameters: ActionParameters): Promise<ActionOutcome | null> {
  const { kind } = parameters.order;
  switch (kind) {
    case "hibernate":
    case "force_hibernate":
      return hibernate(steps, parameters, kind);
    case "wake":
      return wake(steps, parameters);
    case "delete":
      return remove(steps, parameters);
  }
}

async function hibernate(
  steps: OrderSteps,
  { order, provider }: ActionParameters,
  kind: "hibernate" | "force_hibernate",
): Promise<ActionOutcome | null> {
  const before = await steps
    .see("look at the machine")
    .catch((error: unknown): Seen => ({ state: "unknown", because: reasonOf(error) }));
  const sighted = before.state === "shown" ? before.sighted : null;
  if (!(await steps.stands("ask before acting", sighted))) return null;
  const obstacle = order.reason === "silence" ? obstacleOfSilence(before, kind) : obstacleOf(before);
  if (obstacle !== null) return obstacle;
  if (order.reason === "silence" && before.state === "shown" && before.shown.state === "stopped") {
    return {
      type: "succeeded",
      confirmedBy: `${provider}: it was stopped already, nothing was done`,
      snapshotId: null,
    };
  }
  const told = await steps.tell(
    "hibernate",
    (each, target) => (kind === "hibernate" ? each.hibernate(target) : each.forceHibernate(target)),
    (seen) => isShownAs(seen, "stopping", "stopped"),
  );
  if (told === "called_off") return null;
  if (told === "gone") return { type: "gone" };
  const evidence = before.state === "shown" ? ` (before: ${before.shown.state})` : "";
  if (told === "done")
    return { type: "succeeded", confirmedBy: `${provider} at once${evidence}`, snapshotId: null };
  const end = await steps.until(kind, judgeStop);
  return end.type === "reached"
    ? { type: "succeeded", confirmedBy: `${provider}${evidence}`, snapshotId: null }
    : outcomeOf(end);
}

/** Why an instance that is heard must not be stopped. That its provider does not know its state is no reason. */
function obstacleOf(before: Seen): Failed | null {
  return before.state === "shown" && before.shown.obstacle !== null
    ? { type: "failed", because: before.shown.obstacle }
    : null;
}

/** Acting on silence takes knowing how the machine is. */
function obstacleOfSilence(before: Seen, kind: "hibernate" | "force_hibernate"): ActionOutcome | null {
  switch (before.state) {
    case "gone":
      return { type: "gone" };
    case "unknown":
      return {
        type: "failed",
        because: `nothing was done, because it is not known how the machine is: ${before.because}`,
      };
    case "shown":
      return before.shown.state === "starting" && kind === "hibernate"
        ? { type: "failed", because: "nothing was done, because it is just being started" }
        : obstacleOf(before);
  }
}

function judgeStop({ state }: Sighting) {
  switch (state) {
    case "stopped":
      return "reached";
    case "terminated":
      return "gone";
    case "running":
    case "starting":
      return "contradicted";
    case "stopping":
    case "missing":
    case "unknown":
      return "not yet";
  }
}

async function wake(steps: OrderSteps, parameters: ActionParameters): Promise<ActionOutcome | null> {
  if (!(await steps.stands("ask before acting", null))) return null;
  const outcome = await tryToWake(steps, parameters).catch(
    (error: unknown): ActionOutcome => ({ type: "failed", because: reasonOf(error) }),
  );
  if (outcome?.type !== "failed") return outcome;
  // A start that is queued, or that came without its GPUs, would cost money some day: unless it is heard by now.
  // What nobody can say of it is no proof of a failed start.
  const formerGpus = parameters.order.sighted?.gpus ?? null;
  const cancelled = await steps
    .cancelStart("cancel", (sighting) => isFailedStart(sighting, formerGpus))
    .catch((error: unknown) => `it could not be cancelled either (${reasonOf(error)}): look after it`);
  switch (cancelled) {
    case "called_off":
      return null;
    case "cancelled":
      return { type: "failed", because: `${outcome.because}; the start was cancelled` };
    case "left":
      return { type: "failed", because: `${outcome.because}; it may still start: look after it` };
    default:
      return { type: "failed", because: `${outcome.because}; ${cancelled}` };
  }
}

async function tryToWake(
  steps: OrderSteps,
  { order, provider }: ActionParameters,
): Promise<ActionOutcome | null> {
  const told = await steps.tell(
    "wake",
    (each, target) => each.wake(target),
    (seen) => isShownAs(seen, "starting", "running"),
  );
  if (told === "called_off") return null;
  if (told === "gone") return { type: "gone" };
  if (told === "done") return { type: "succeeded", confirmedBy: `${provider} at once`, snapshotId: null };
  const end = await steps.until("wake", (sighting) => judgeStart(sighting, order.sighted?.gpus ?? null));
  // An accepted start of which nobody can say how it ended is not taken for a machine that sleeps: it must be watched.
  const mayRun = end.type === "undecided" && end.state === "unknown";
  return end.type === "reached" || mayRun
    ? { type: "succeeded", confirmedBy: provider, snapshotId: null }
    : outcomeOf(end);
}

/** The outcome of an order whose wait ended without what it waited for. */
function outcomeOf(end: Exclude<End, { type: "reached" }>): ActionOutcome {
  return end.type === "undecided" ? { type: "failed", because: end.because } : end;
}

function isFailedStart(sighting: Sighting, formerGpus: number | null): boolean {
  const verdict = judgeStart(sighting, formerGpus);
  return typeof verdict === "object" || sighting.state === "starting" || verdict === "contradicted";
}

function judgeStart(sighting: Sighting, formerGpus: number | null) {
  switch (sighting.state) {
    case "running": {
      const { gpus } = sighting;
      return gpus !== null && formerGpus !== null && gpus < formerGpus
        ? ({ type: "failed", because: `it started with ${gpus} GPUs in place of ${formerGpus}` } as const)
        : "reached";
    }
    case "terminated":
      return "gone";
    case "stopped":
    case "stopping":
      return "contradicted";
    case "starting":
    case "missing":
    case "unknown":
      return "not yet";
  }
}

async function remove(steps: OrderSteps, parameters: ActionParameters): Promise<ActionOutcome | null> {
  const { order, provider } = parameters;
  const before = await mayBeDeleted(steps, parameters, "look at the machine");
  if (before !== "yes") return before;
  let snapshotId: string | null = null;
  if (order.snapshotFirst) {
    const snapshot = await steps.snapshot();
    if (snapshot.type === "failed") return snapshot;
    snapshotId = snapshot.snapshotId;
    // The snapshot may have taken hours: a heartbeat in between calls the deletion off, and so does a start by hand.
    const after = await mayBeDeleted(steps, parameters, "look after the snapshot");
    if (after !== "yes") return after;
  }
  const told = await steps.tell(
    "delete",
    async (each, target) => {
      // Minutes may lie between two tries: whoever starts it meanwhile uses it.
      const { state } = await each.status(target);
      return isUsed(order, state) ? "found_running" : each.delete(target);
    },
    (seen) => seen.state === "gone",
  );
  if (told === "called_off") return null;
  if (told === "found_running") return { type: "found_running" };
  if (told === "accepted") {
    const end = await steps.until("delete", judgeDelete);
    if (end.type === "failed" || end.type === "undecided") return outcomeOf(end);
  }
  return { type: "succeeded", confirmedBy: provider, snapshotId };
}

/** A hibernated machine that runs is used by somebody. One whose state is unknown is not deleted either. */
async function mayBeDeleted(
  steps: OrderSteps,
  { order }: ActionParameters,
  name: string,
): Promise<"yes" | ActionOutcome | null> {
  const seen = await steps.see(name);
  const sighted = seen.state === "shown" ? seen.sighted : null;
  if (!(await steps.stands(`${name}, ask`, sighted))) return null;
  switch (seen.state) {
    case "gone":
      return { type: "gone" };
    case "unknown":
      return { type: "failed", because: `it is not known how the machine is: ${seen.because}` };
    case "shown":
      if (isUsed(order, seen.shown.state)) return { type: "found_running" };
      return isShownAs(seen, "starting") ? { type: "failed", because: "it is just being started" } : "yes";
  }
}

/** Whether somebody has started what counts as stopped. An order of the former code does not say: then whatever runs is used. */
function isUsed({ isHibernated }: ActionParameters["order"], state: Sighting["state"]): boolean {
  return isHibernated !== false && (state === "running" || state === "starting");
}

function judgeDelete({ state }: Sighting) {
  switch (state) {
    // The delete was taken, so what is not shown any more is deleted.
    case "terminated":
    case "missing":
      return "reached";
    case "running":
    case "starting":
    case "stopped":
      return "contradicted";
    case "stopping":
    case "unknown":
      return "not yet";
  }
}

function isShownAs(seen: Seen, ...states: readonly Sighting["state"][]): boolean {
  return seen.state === "shown" && states.includes(seen.shown.state);
}
