import type { EventDetail } from "../model/history-event.ts";
import { messageOf, record } from "../model/outbox.ts";
import { preparationOf } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import type {
  EndedPreparation,
  Preparation,
  PreparationCause,
  PreparationHeard,
  PreparedOrder,
} from "../model/preparation.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { isHeardInTime } from "./heard-in-time.ts";
import { beginHibernation } from "./hibernation.ts";

/**
 * The stage before a hibernation that the policy or a person orders: the hooks on the machine save what they want to save, and the
 * order waits for them, to the limit of the policy. What is silent is not prepared: nobody is there. `preparation-end.ts` has how the
 * order is given, `preparation-cancelled.ts` how it is not.
 */

export interface PreparedHibernation extends Omit<PreparedOrder, "message" | "said"> {
  readonly message: Said;
  readonly at: number;
  /** Its owner does not want to wait for the hooks. */
  readonly isSkipped?: boolean | undefined;
}

/** Prepares the machine for its hibernation, or orders that at once where nothing is to be prepared. */
export function prepareOrHibernate(
  state: InstanceState,
  start: PreparedHibernation,
  policy: Policy,
): InstanceState {
  const { at, isSkipped = false, message, ...told } = start;
  const order: PreparedOrder = { ...told, ...messageOf(message) };
  const standing = preparationOf(state.phase);
  if (standing !== null) {
    if (isSkipped) {
      const ended = endPreparation(state, standing, "cancelled", at);
      return orderHibernation(ended, order, at, { unprepared: "asked", preparation_id: standing.id });
    }
    if (!isStronger(order, standing.order)) return state;
    const next = { ...standing, order };
    return tellPreparing(withPreparation(state, next), next, at);
  }
  const unprepared = isSkipped ? "asked" : whyUnprepared(state, policy, at);
  if (unprepared === null) return beginPreparation(state, order, policy, at);
  return orderHibernation(state, order, at, hasHooks(state) ? { unprepared } : {});
}

/** Why nothing is prepared; null where it is. */
function whyUnprepared(
  state: InstanceState,
  policy: Policy,
  at: number,
): "no_hooks" | "silent" | "policy" | null {
  if (!hasHooks(state)) return "no_hooks";
  if (state.phase.status !== "running" || !isHeardInTime(state, policy, at)) return "silent";
  return policy.idle.prepareMaxMs <= 0 ? "policy" : null;
}

function hasHooks({ agent }: InstanceState): boolean {
  return agent.hooks?.includes("prepare") === true;
}

/**
 * A person's word outweighs the policy's, and what is ordered whatever the machine does outweighs idleness. Of those that are idle, who
 * is meant by a budget or a person is hibernated for that: no schedule wakes it.
 */
function isStronger(order: PreparedOrder, standing: PreparedOrder): boolean {
  return weightOf(order) > weightOf(standing);
}

function weightOf({ reason, because }: PreparedOrder): number {
  const byWhom = isByPerson(because) ? 2 : because === "idle" ? 0 : 1;
  return reason === "idle" ? byWhom : 3 + byWhom;
}

/** Whether a person asked for it by name, and not the policy. */
export function isByPerson(because: PreparationCause): boolean {
  return because === "owner" || because === "kill_switch";
}

function beginPreparation(
  state: InstanceState,
  order: PreparedOrder,
  policy: Policy,
  at: number,
): InstanceState {
  const preparation: Preparation = {
    id: `prepare-${state.nextEffectId.toString(36)}`,
    beganAt: at,
    limitAt: at + policy.idle.prepareMaxMs,
    order,
    isFailureTold: false,
  };
  return tellPreparing(withPreparation(state, preparation), preparation, at);
}

function tellPreparing(state: InstanceState, { id, limitAt, order }: Preparation, at: number): InstanceState {
  return record(state, {
    at,
    kind: "preparing",
    severity: "info",
    message: phrase("preparation.begun", { order: sayOrder(order), limit: limitAt - at }),
    detail: { ...order.detail, because: order.because, preparation_id: id, limit_at: toIso(limitAt) },
  });
}

/** Gives the order. `how` says how it was prepared, or why it was not. */
export function orderHibernation(
  state: InstanceState,
  order: PreparedOrder,
  at: number,
  how: EventDetail,
): InstanceState {
  const { reason, because, detail } = order;
  return beginHibernation(state, {
    kind: "hibernate",
    reason,
    cause: because === "idle" || because === "owner" ? undefined : because,
    at,
    message: sayOrder(order),
    detail: { ...detail, ...how },
  });
}

/** What was said when it was decided on. */
export function sayOrder({ message, said }: PreparedOrder): Said {
  return said ?? message;
}

/** The same state with this preparation; unchanged where nothing runs. */
export function withPreparation(state: InstanceState, preparation: Preparation | undefined): InstanceState {
  const { phase } = state;
  return phase.status === "running" ? { ...state, phase: { ...phase, preparation } } : state;
}

/** The preparation is over, and kept as the last one. */
export function endPreparation(
  state: InstanceState,
  preparation: Preparation,
  outcome: EndedPreparation["outcome"],
  endedAt: number,
): InstanceState {
  const { id, beganAt, order, heard } = preparation;
  return {
    ...withPreparation(state, undefined),
    lastPreparation: {
      id,
      because: order.because,
      beganAt,
      endedAt,
      outcome,
      seconds: heard?.seconds ?? null,
      line: heard?.line ?? null,
      log: heard?.log ?? null,
    },
  };
}

/** What the events of a preparation say beside their messages. */
export function detailOf(
  { id, order, limitAt }: Preparation,
  heard: PreparationHeard | undefined,
): EventDetail {
  return {
    preparation_id: id,
    because: order.because,
    limit_at: toIso(limitAt),
    ...(heard === undefined ? {} : { prepare_seconds: Math.round(heard.seconds), line: heard.line }),
  };
}
