import { selectUserPolicy, type UserPolicy, userPolicyRow } from "../accounts/users.ts";
import { startDigests } from "../alerts/start.ts";
import { reviewGuards } from "../fleet/outage-guard.ts";
import { deleteInstance, upsertInstance } from "../fleet/registry.ts";
import { appendChunk, appendEvent, pendingSeverities } from "../history/append.ts";
import { historyOf } from "../history/shards.ts";
import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { compilePolicy } from "../lifecycle/model/policy.ts";
import { DEFAULT_POLICY, mergePolicy } from "../lifecycle/model/policy-settings.ts";
import { abilitiesOf } from "../lifecycle/model/provider.ts";
import { guardAnswer, silentSince } from "../lifecycle/rules/outage-guard.ts";
import { startAction } from "../orders/order.ts";
import { simulationSpeed } from "../platform/simulation-speed.ts";
import { claimIfFree, releaseMachines } from "../providers/machines.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What came of carrying effects out. */
export interface Delivery {
  /** Effects that are done and may leave the outbox. */
  readonly done: ReadonlySet<number>;
  /** Answers to be decided upon. */
  readonly answers: readonly InstanceEvent[];
  /** The user's policy as the database has it now; null for an unknown user. */
  readonly userPolicy: UserPolicy | null;
  /** How many chunks of heartbeats the history has got. */
  readonly chunks: number;
  /** The registry has let go of the instance. */
  readonly forgotten: boolean;
}

/** Far below the 1,000 queries that D1 grants an invocation; a longer backlog goes in several batches. */
const EFFECTS_PER_BATCH = 100;

/**
 * Carries out the oldest effects of the outbox, each of which may have been carried out before. All that goes to one
 * database travels as one transaction, and brings the user's policy back: whatever change of it this instance has not heard
 * of reaches it here. Then the guards are reviewed, digests and actions started. Throws when anything is not taken;
 * nothing then counts as done.
 */
export async function deliver(env: Env, stored: StoredInstance): Promise<Delivery> {
  const batch = stored.state.outbox.slice(0, EFFECTS_PER_BATCH);
  const history = historyOf(env, stored.historyShard);
  const chunks = batch.flatMap((pending) => chunkStatements(history, stored, pending));
  const rest = batch.flatMap((pending) => statementsFor(env.DB, stored, pending));
  // Of a history in a database of its own, the chunks go first: twice is as once.
  if (stored.historyShard !== 0 && chunks.length > 0) await history.batch(chunks);
  const statements = stored.historyShard === 0 ? [...chunks, ...rest] : rest;
  const results = await env.DB.batch([...statements, selectUserPolicy(env.DB, stored.userId)]);
  const userPolicy = userPolicyRow.safeParse(results.at(-1)?.results[0]).data ?? null;

  const answers = await reviewSilence(env, stored, batch, userPolicy);
  if (batch.some(({ effect }) => effect.type === "event" || effect.type === "guard")) {
    await startDigests(env, stored.userId, await pendingSeverities(env.DB, stored.userId));
  }
  for (const { effect } of batch) {
    if (effect.type === "action") {
      await startAction(env.INSTANCE_ACTION, {
        userId: stored.userId,
        instanceId: stored.instanceId,
        provider: effect.order.machine.provider,
        providerRef: effect.order.machine.providerRef ?? stored.instanceId,
        order: effect.order,
      });
    }
  }
  return {
    done: new Set(batch.map(({ id }) => id)),
    answers,
    userPolicy,
    chunks: batch.filter(({ effect }) => effect.type === "chunk").length,
    forgotten: batch.some(({ effect }) => effect.type === "forget"),
  };
}

function chunkStatements(
  db: D1Database,
  { userId, instanceId }: StoredInstance,
  { effect }: PendingEffect,
): D1PreparedStatement[] {
  if (effect.type !== "chunk") return [];
  const [first, ...rest] = effect.heartbeats;
  return first === undefined ? [] : [appendChunk(db, userId, instanceId, [first, ...rest])];
}

function statementsFor(
  db: D1Database,
  stored: StoredInstance,
  { effect }: PendingEffect,
): D1PreparedStatement[] {
  const { userId, instanceId } = stored;
  switch (effect.type) {
    case "event":
      return [appendEvent(db, userId, instanceId, effect.event)];
    case "projection":
      return [upsertInstance(db, stored), ...holdingStatements(db, stored)];
    case "forget":
      return [deleteInstance(db, userId, instanceId), releaseMachines(db, userId, instanceId)];
    case "chunk":
    case "guard":
    case "action":
      return [];
  }
}

/** After the registry: a machine that is gone is nobody's; any other is held by who watches it. */
function holdingStatements(db: D1Database, { userId, instanceId, state }: StoredInstance) {
  if (state.phase.status === "deleted") return [releaseMachines(db, userId, instanceId)];
  if (!abilitiesOf(state.profile.provider).reachesSilent) return [];
  return [claimIfFree(db, userId, instanceId, Date.now())];
}

/** Reviews the guards after the registry knows who is silent, and brings back what they answer. */
async function reviewSilence(
  env: Env,
  stored: StoredInstance,
  batch: readonly PendingEffect[],
  userPolicy: UserPolicy | null,
): Promise<InstanceEvent[]> {
  const effects = batch.map(({ effect }) => effect);
  const questions = effects.filter((effect) => effect.type === "guard");
  const moved = effects.some(({ type }) => type === "projection" || type === "forget");
  if (!moved && questions.length === 0) return [];
  const now = Date.now();
  const speed = simulationSpeed(env);
  const standardRule = compilePolicy(DEFAULT_POLICY, speed).guard;
  const { user, service } = await reviewGuards(
    env.DB,
    {
      userId: stored.userId,
      // As the database has it, so that all of a user's instances review by one rule.
      userRule: compilePolicy(mergePolicy(userPolicy?.overrides ?? stored.userPolicy), speed).guard,
      standardRule,
      seenAt: silentSince(stored.state),
      asks: questions.length > 0,
    },
    now,
  );
  return questions.map(({ step }): InstanceEvent => {
    const answer = guardAnswer(step, user, service, standardRule.maxHoldMs, now);
    return answer.held
      ? { type: "guard.deferred", step }
      : { type: "guard.permitted", step, openedAt: answer.openedAt };
  });
}
