import type { InstanceRow } from "../fleet/report.ts";
import { appendChunk, appendEvent } from "../history/append.ts";
import { historyOf } from "../history/shards.ts";
import { orphanedSince } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { silentSince } from "../lifecycle/rules/outage-guard.ts";
import { costsBasis } from "../lifecycle/views/costs.ts";
import { lineWords, liveView } from "../lifecycle/views/instance-view.ts";
import { savingsBasis } from "../lifecycle/views/savings.ts";
import { type ActionParameters, startAction } from "../orders/order.ts";
import { fleetOf } from "../platform/address.ts";
import { readSettings } from "../platform/settings.ts";
import type { Targets } from "./delivery.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/**
 * The targets of an instance's outbox as they are in the service. Stubs are fetched anew each time: one that outlives a reset
 * of its object fails for good.
 */
export function targetsIn(env: Env, stored: StoredInstance, policy: Policy): Targets {
  const { userId, instanceId, delivery } = stored;
  const unreached = delivery.attempts.targets.find(({ target }) => target === "fleet");
  return {
    history: historyIn(env, stored),
    async fleet(report) {
      return fleetOf(env, userId).report({
        ...report,
        instanceId,
        row: rowOf(stored, policy, Date.now()),
        policyVersion: stored.userPolicyVersion,
        unreachedSince: unreached?.since ?? null,
      });
    },
    async order(order) {
      await startAction(env, orderParameters(stored, order));
    },
    async forget() {
      // Whoever is registered under this id next begins above both.
      const lastId = Math.max(stored.state.nextEffectId, stored.tokenGeneration);
      await fleetOf(env, userId).remove(instanceId, lastId);
    },
  };
}

/** What the workflow of an order is told. */
export function orderParameters(
  { userId, instanceId }: Pick<StoredInstance, "userId" | "instanceId">,
  order: ActionParameters["order"],
): ActionParameters {
  const { provider, providerRef } = order.machine;
  return { userId, instanceId, provider, providerRef: providerRef ?? instanceId, order };
}

/** The history of an instance. */
export function historyIn(
  env: Env,
  { userId, instanceId, historyShard }: Pick<StoredInstance, "userId" | "instanceId" | "historyShard">,
): Targets["history"] {
  return async (chunks, events) => {
    const database = historyOf(env, historyShard);
    const { EVENTS_PER_DAY } = readSettings(env);
    const statements = [
      ...chunks.flatMap(([first, ...rest]) =>
        first === undefined ? [] : [appendChunk(database, userId, instanceId, [first, ...rest])],
      ),
      ...events.map((event) => appendEvent(database, userId, instanceId, event, EVENTS_PER_DAY)),
    ];
    if (statements.length > 0) await database.batch(statements);
  };
}

/** The instance as its fleet knows it. */
export function rowOf(
  { instanceId, overrides, state }: StoredInstance,
  policy: Policy,
  now: number,
): InstanceRow {
  return {
    revision: state.nextEffectId,
    asOf: now,
    registeredAt: state.profile.registeredAt,
    view: liveView(instanceId, state, policy, now),
    words: lineWords(state, policy, now),
    savings: savingsBasis(state),
    costs: costsBasis(state, now),
    overrides,
    orphanedSince: orphanedSince(state.phase),
    silentSince: silentSince(state),
  };
}
