import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { awaitSettings } from "../platform/await-settings.ts";
import { logInfo } from "../platform/log.ts";
import { count } from "../service/meter.ts";
import { deleteMachine } from "./delete.ts";
import { hibernate } from "./hibernate.ts";
import { type ActionOutcome, type ActionParameters, failed } from "./order.ts";
import { OrderSteps, reasonOf } from "./steps.ts";
import { wake } from "./wake.ts";

/**
 * Carries one order out at its provider, step by step. Each step is kept once it is done, so after a crash the workflow
 * goes on where it was. Its outcome goes back to the actor.
 */
export class InstanceAction extends WorkflowEntrypoint<Env, ActionParameters> {
  override async run(event: Readonly<WorkflowEvent<ActionParameters>>, step: WorkflowStep): Promise<void> {
    await awaitSettings(this.env, step);
    const { kind, actionId } = event.payload.order;
    const steps = new OrderSteps(this.env, event.payload, event.instanceId, step);
    logInfo("order under way", { ...steps.ids, kind });
    const outcome = await carryOut(steps).catch((error: unknown) => failed(reasonOf(error)));
    count(this.env, this.ctx, "actions", { kind, outcome: outcome?.type ?? "called_off" });
    const because = outcome?.type === "failed" ? outcome.because : undefined;
    logInfo("order carried out", { ...steps.ids, kind, outcome: outcome?.type ?? "called_off", because });
    if (outcome === null) return;
    await steps.tellActor("tell the instance", (actor) => actor.endAction(actionId, outcome));
  }
}

/** Null: the order was called off in time, and there is nothing to tell. */
async function carryOut(steps: OrderSteps): Promise<ActionOutcome | null> {
  const { kind } = steps.parameters.order;
  switch (kind) {
    case "hibernate":
    case "force_hibernate":
      return hibernate(steps, kind);
    case "wake":
      return wake(steps);
    case "delete":
      return deleteMachine(steps);
  }
}
