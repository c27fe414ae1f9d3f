import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { actorOf } from "../../platform/address.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { bringPolicy } from "./policy.ts";
import { leave, setSuspended } from "./standing.ts";
import { reportTotals } from "./totals.ts";

/** What the operator does with a user's account, as far as it is the fleet's. All of it may be asked again. */

export type AccountRequest =
  /** Nothing more is done for the user until `resume`. */
  | { readonly type: "suspend" }
  | { readonly type: "resume" }
  /** The user is being deleted: from now on no report is taken. */
  | { readonly type: "leave" }
  /** Erases at most so many of the instances that are left, at once. */
  | { readonly type: "erase_instances"; readonly limit: number }
  /** Erases the fleet, once no instance is left. */
  | { readonly type: "erase" };

export interface AccountAnswer {
  /** The fleet is to be erased now. */
  readonly isErased: boolean;
  /** How many instances were erased. */
  readonly instances: number;
  /** Whether there may be more of them. */
  readonly isMore: boolean;
}

const DONE: AccountAnswer = { isErased: false, instances: 0, isMore: false };

/** The fleet was erased before, and all its instances. */
export const ERASED: AccountAnswer = { ...DONE, isErased: true };

/** Whose account it is. */
interface Account {
  readonly env: Env;
  readonly userId: string;
  readonly fleet: Fleet;
  readonly closeConnections: () => void;
}

export async function carryOut(request: AccountRequest, account: Account): Promise<AccountAnswer> {
  const { env, userId, fleet, closeConnections } = account;
  switch (request.type) {
    case "suspend":
      setSuspended(fleet, true, Date.now());
      closeConnections();
      await bringPolicy(env, userId, fleet);
      return DONE;
    case "resume":
      if (fleet.state.leavingSince !== null) throw new Error("who is being deleted can't be resumed");
      setSuspended(fleet, false, Date.now());
      await bringPolicy(env, userId, fleet);
      return DONE;
    case "leave":
      leave(fleet, Date.now());
      closeConnections();
      return DONE;
    case "erase_instances":
      return eraseInstances(account, request.limit);
    case "erase":
      demandNobody(fleet);
      // What the service counts of this fleet goes, too.
      await reportTotals(env, userId, fleet);
      return ERASED;
  }
}

const ERASE_LIMIT_MS = 10 * SECOND_MS;
const AT_ONCE = 50;

/** Those that are out of reach stay, and the call fails once all others were tried. */
async function eraseInstances({ env, userId, fleet }: Account, limit: number): Promise<AccountAnswer> {
  if (fleet.state.leavingSince === null) throw new Error("the user is not being deleted");
  const ids = fleet.everyone.first(limit);
  const errors: unknown[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const some = ids.slice(start, start + AT_ONCE);
    const calls = await Promise.allSettled(
      some.map((id) => within(ERASE_LIMIT_MS, actorOf(env, userId, id).erase())),
    );
    for (const [index, call] of calls.entries()) {
      const id = some[index];
      if (call.status === "rejected") errors.push(call.reason);
      else if (id !== undefined) takeOut(fleet, id, Date.now());
    }
  }
  const [error] = errors;
  if (error !== undefined) throw error;
  return { ...DONE, instances: ids.length, isMore: ids.length === limit };
}

function takeOut(fleet: Fleet, instanceId: string, now: number): void {
  fleet.remove(instanceId, fleet.registry.lastRevision(instanceId) + 1, now);
  fleet.everyone.forget(instanceId);
}

function demandNobody(fleet: Fleet): void {
  if (fleet.state.leavingSince === null || fleet.everyone.first(1).length > 0) {
    throw new Error("a fleet is erased after its instances");
  }
}
