import type { PendingEffect } from "../lifecycle/model/effects.ts";
import { countHeartbeats } from "../lifecycle/model/outbox.ts";
import { toIso } from "../lifecycle/model/time.ts";
import type { FailingTarget, WaitingEffect } from "./attempts.ts";
import { withProgress } from "./attempts.ts";
import type { InstanceLife } from "./life.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What the operator sees of an instance: all that is stored of it, so far as it is bounded and no secret. */

/** So many effects are shown of those that wait, and of those that are parked. */
const EFFECTS_SHOWN = 100;

export interface InstanceInspection {
  /** Why the row can't be read; null when it can. All that only the row says is empty then. */
  readonly unreadable_because: string | null;
  /** Removed, and only here until all of it is delivered. */
  readonly is_leaving: boolean;
  readonly alarm_at: string | null;
  readonly database_bytes: number;
  readonly history_shard: number | null;
  readonly token_generation: number | null;
  readonly user_policy_version: number | null;
  /** JSON: the state as it is stored, without its heartbeats and its outbox. */
  readonly state: string;
  readonly heartbeats: { readonly kept: number; readonly waiting: number };
  /** Targets of deliveries that are down. */
  readonly targets_down: readonly Failing[];
  /** How many effects wait in the row, in rows of their own, and parked; the oldest are shown. */
  readonly waiting: number;
  readonly held: number;
  readonly parked: number;
  readonly waiting_effects: readonly ShownEffect[];
  readonly parked_effects: readonly ShownEffect[];
  readonly parked_tried_at: string | null;
}

export interface Failing {
  readonly target: string;
  readonly failures: number;
  readonly since: string;
  readonly retry_at: string;
}

export interface ShownEffect {
  readonly id: number;
  readonly type: string;
  /** The kind of an event, the id of an order, the step that the guard is asked for, the number of heartbeats of a chunk. */
  readonly what: string | null;
  readonly delivered: readonly string[];
  readonly failing: readonly Failing[];
}

export async function inspectInstance(
  life: InstanceLife,
  storage: DurableObjectStorage,
): Promise<InstanceInspection | null> {
  const alarmAt = await storage.getAlarm();
  const common = {
    alarm_at: alarmAt === null ? null : toIso(alarmAt),
    database_bytes: storage.sql.databaseSize,
  };
  const unreadable = life.unreadable();
  if (unreadable !== null) return { ...NOTHING_KNOWN, ...common, unreadable_because: unreadable.because };
  const stored = life.stored();
  return stored === null ? null : { ...inspect(life, stored), ...common };
}

const NOTHING_KNOWN: InstanceInspection = {
  unreadable_because: null,
  is_leaving: false,
  alarm_at: null,
  database_bytes: 0,
  history_shard: null,
  token_generation: null,
  user_policy_version: null,
  state: "{}",
  heartbeats: { kept: 0, waiting: 0 },
  targets_down: [],
  waiting: 0,
  held: 0,
  parked: 0,
  waiting_effects: [],
  parked_effects: [],
  parked_tried_at: null,
};

function inspect(life: InstanceLife, stored: StoredInstance): InstanceInspection {
  const { state, delivery } = stored;
  const { recent, outbox, ...rest } = state;
  const held = life.outbox.heldRows(stored);
  return {
    ...NOTHING_KNOWN,
    is_leaving: life.known() === null,
    history_shard: stored.historyShard,
    token_generation: stored.tokenGeneration,
    user_policy_version: stored.userPolicyVersion,
    state: JSON.stringify(rest),
    heartbeats: { kept: recent.length, waiting: state.unflushed },
    targets_down: delivery.attempts.targets.map(failing),
    waiting: outbox.length,
    held: held.waiting,
    parked: held.parked.length,
    waiting_effects: withProgress(outbox, delivery.attempts.effects).slice(0, EFFECTS_SHOWN).map(shown),
    parked_effects: held.parked.slice(0, EFFECTS_SHOWN).map(shown),
    parked_tried_at: delivery.parked === null ? null : toIso(delivery.parked.tryAt),
  };
}

function shown(one: WaitingEffect): ShownEffect {
  const { id, effect } = one.pending;
  return {
    id,
    type: effect.type,
    what: whatOf(one.pending),
    delivered: one.delivered,
    failing: one.failing.map(failing),
  };
}

function whatOf(pending: PendingEffect): string | null {
  const { effect } = pending;
  switch (effect.type) {
    case "chunk":
      return `${countHeartbeats([pending])} heartbeats`;
    case "event":
      return effect.event.kind;
    case "action":
      return effect.order.actionId;
    case "guard":
      return effect.step;
    case "projection":
    case "forget":
      return null;
  }
}

function failing({ target, failures, since, retryAt }: FailingTarget): Failing {
  return { target, failures, since: toIso(since), retry_at: toIso(retryAt) };
}
