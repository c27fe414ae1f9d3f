import { toKept } from "../../lifecycle/model/observed-overrides.ts";
import { type FleetState, parseFleet } from "../rules/state.ts";

/** The stored state; null before the fleet's first start. Throws when this version of the service cannot read it. */
export function readFleet(sql: SqlStorage): FleetState | null {
  const [row] = sql.exec<{ json: string }>("SELECT json FROM fleet WHERE id = 1").toArray();
  return row === undefined ? null : parseFleet(row.json);
}

export function writeFleet(sql: SqlStorage, state: FleetState): void {
  const policy = { ...state.policy, overrides: toKept(state.policy.overrides) };
  sql.exec(
    "INSERT INTO fleet (id, json) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
    JSON.stringify({ ...state, policy }),
  );
}
