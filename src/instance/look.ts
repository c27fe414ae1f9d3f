import type { Machine, Sighted } from "../lifecycle/model/effects.ts";
import type { LookAnswer } from "../lifecycle/model/instance-event.ts";
import type { WakeFailed } from "../lifecycle/model/phase.ts";
import { kindOf } from "../lifecycle/model/provider.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { dueLook, startToCancel } from "../lifecycle/rules/look.ts";
import { AnotherWatches, demandToWatch } from "../orders/hand-over.ts";
import { actionWorkflowId } from "../orders/order.ts";
import { mayStillStart } from "../orders/start.ts";
import { logInfo, logWarning } from "../platform/log.ts";
import { wrongSettings } from "../platform/settings.ts";
import { NoAnswer, within } from "../platform/within.ts";
import { ProviderError } from "../providers/provider.ts";
import { openProvider } from "../providers/registry.ts";
import { count } from "../service/meter.ts";
import type { InstanceLife } from "./life.ts";
import { idsOf } from "./outbox.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** Whoever waits for the answer keeps the object awake, and its next alarm waiting. */
const LOOK_LIMIT_MS = 25 * SECOND_MS;

interface Seen {
  readonly answer: LookAnswer;
  readonly sighted: Sighted | null;
}

/**
 * Asks the provider how the machine is, if the instance waits for that. It is one read, but after a wake that failed: then its start
 * is cancelled first. That it is asked is noted before: so nobody asks twice at once, and one that never comes back with an answer is
 * asked again later. Never throws.
 */
export async function lookIfDue(
  life: InstanceLife,
  env: Env,
  context: Pick<DurableObjectState, "waitUntil">,
): Promise<void> {
  // The alarm has failed for that already, and has said so.
  if (wrongSettings(env) !== null) return;
  try {
    const stored = life.known();
    const machine = stored === null ? null : dueLook(stored.state, life.policy(stored), Date.now());
    if (stored === null || machine === null) return;
    const begun = await life.decide(stored, { type: "look.begun" }, Date.now());
    if (begun.outcome === "unavailable") return;
    const { answer, sighted } = await look(life, env, stored, machine);
    count(env, context, "looks", { outcome: answer.shows });
    const because = answer.shows === "unknown" ? answer.because : undefined;
    logInfo("machine looked at", {
      ...idsOf(stored),
      provider: machine.provider,
      shows: answer.shows,
      because,
    });
    await life.decideIfKnown({ type: "looked", machine, answer, sighted });
    life.outbox.emptySoon();
  } catch (error) {
    logWarning("the machine could not be looked at, will be tried again", idsOf(life.stored()), error);
  }
}

async function look(life: InstanceLife, env: Env, stored: StoredInstance, machine: Machine): Promise<Seen> {
  try {
    return await within(LOOK_LIMIT_MS, askProvider(life, env, stored, machine));
  } catch (error) {
    const kind = kindOf(machine.provider);
    if (error instanceof ProviderError) {
      return unknown(`${kind} does not say: ${error.message}`, error.isPassing);
    }
    // What is no error of the provider is our own, and passes.
    if (!(error instanceof NoAnswer)) logWarning("the provider could not be asked", idsOf(stored), error);
    return unknown(`${kind} has not answered in time`, true);
  }
}

async function askProvider(
  life: InstanceLife,
  env: Env,
  stored: StoredInstance,
  machine: Machine,
): Promise<Seen> {
  const { userId, instanceId, state } = stored;
  const { provider, credentialsSetAt } = await openProvider(env, userId, machine.provider);
  const ref = machine.providerRef ?? instanceId;
  const look = () => provider.status({ ref, instanceId, actionId: `look-${crypto.randomUUID()}` });
  const wake = startToCancel(state);
  let sighting = await look();
  // One that runs is its owner's to judge, who may have started it: to fetch the data, with fewer GPUs too.
  if (
    wake !== null &&
    mayStillStart(sighting) &&
    (await watches(env, { userId, instanceId, provider: machine.provider, providerRef: ref })) &&
    isStillOpen(life, wake)
  ) {
    const workflowId = await actionWorkflowId(userId, instanceId, wake.actionId);
    // Told to stop by another id than before: whoever knows that one does nothing more.
    const actionId = `${workflowId}-cancel-${Date.now()}`;
    if (
      (await provider.hibernate({ ref, instanceId, actionId })) !== "done" ||
      sighting.state !== "stopped"
    ) {
      sighting = await look();
    }
    logInfo("a start was cancelled", { ...idsOf(stored), workflow_id: workflowId });
  }
  const [at, kind] = [Date.now(), kindOf(machine.provider)];
  switch (sighting.state) {
    case "running":
      return { answer: { shows: "running" }, sighted: { at, credentialsSetAt, gpus: sighting.gpus } };
    case "starting":
      if (wake !== null) return unknown(`${kind} still shows it as starting`, true);
      return { answer: { shows: "running" }, sighted: { at, credentialsSetAt, gpus: null } };
    case "stopped":
      return {
        answer: { shows: "stopped", hourlyCost: sighting.stoppedHourlyCost },
        sighted: { at, credentialsSetAt, gpus: null },
      };
    case "stopping":
      return unknown(`${kind} is still stopping it`, true);
    case "terminated":
      return { answer: { shows: "gone" }, sighted: null };
    case "missing":
      return unknown(`${kind} does not show it`, false);
    case "unknown":
      return unknown(`${kind} can't tell: ${sighting.because}`, false);
  }
}

/** Whether that start is still to be cancelled: the machine may have been heard, or woken anew, while its provider was asked. */
function isStillOpen(life: InstanceLife, { actionId }: WakeFailed): boolean {
  const stored = life.known();
  return stored !== null && startToCancel(stored.state)?.actionId === actionId;
}

/** Whether it may give orders to the machine; not where another instance watches it, and looks after it. */
async function watches(env: Env, parameters: Parameters<typeof demandToWatch>[1]): Promise<boolean> {
  try {
    await demandToWatch(env, parameters);
    return true;
  } catch (error) {
    if (error instanceof AnotherWatches) return false;
    throw error;
  }
}

function unknown(because: string, isPassing: boolean): Seen {
  return { answer: { shows: "unknown", because, isPassing }, sighted: null };
}
