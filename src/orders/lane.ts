import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { logWarning } from "../platform/log.ts";
import { within } from "../platform/within.ts";
import { type LaneCall, SHORT_WAIT_MS, type Turn } from "../providers/pace.ts";

/** How the calls of orders ask for their turns: all orders of a user share the lanes of the user's fleet. */

/** The fleet answers at once, or is out of reach. */
const ASK_LIMIT_MS = 10_000;

/**
 * When this call may be made. A fleet that is out of reach, or of the release before the lanes, must hold nothing up: then it
 * is made after a random delay, so that many orders do not call at once.
 */
export async function askForTurn(env: Pick<Env, "FLEETS">, userId: string, call: LaneCall): Promise<Turn> {
  const byChance = { type: "go", afterMs: Math.random() * SHORT_WAIT_MS, waits: 0 } as const;
  try {
    return await within(ASK_LIMIT_MS, answerOr<Turn>(fleetOf(env, userId).takeTurn(call), byChance));
  } catch (error) {
    logWarning("no turn was given, calling after a while", { user_id: userId, call_id: call.id }, error);
    return byChance;
  }
}

/** What becomes of a call that its provider found too much: null when nobody can say. */
export async function noteLimited(
  env: Pick<Env, "FLEETS">,
  userId: string,
  call: LaneCall,
  retryAfterSeconds: number | null,
): Promise<{ readonly afterMs: number; readonly isFailure: boolean } | null> {
  try {
    return await within(
      ASK_LIMIT_MS,
      answerOr(fleetOf(env, userId).noteLimited(call, retryAfterSeconds), null),
    );
  } catch (error) {
    logWarning("a limit was not noted", { user_id: userId, call_id: call.id }, error);
    return null;
  }
}
