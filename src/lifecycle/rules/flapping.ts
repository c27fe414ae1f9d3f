import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import type { InstanceState } from "../model/state.ts";
import { toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";

/** An instance is flapping when it becomes an orphan this often within `flappingWindowMs`. */
const FLAPPING_TURNS = 4;

/** Counts one more turn to orphan at `at`, and tells the owner when the instance starts flapping. */
export function countTurn(state: InstanceState, at: number, policy: Policy): InstanceState {
  const turns = [...state.flaps.turns.filter((turn) => turn > at - policy.flappingWindowMs), at];
  const flapping = turns.length >= FLAPPING_TURNS;
  const counted: InstanceState = {
    ...state,
    flaps: { turns: turns.slice(-FLAPPING_TURNS), told: flapping },
  };
  if (!flapping || state.flaps.told) return counted;
  return record(counted, {
    at,
    kind: "flapping",
    severity: "warning",
    message: phrase("silence.flapping", { turns: turns.length }),
    detail: { rule: "flapping", turns: turns.length, first_turn: toIso(turns[0] ?? at) },
  });
}
