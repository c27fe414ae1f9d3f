import type { ConnectedProvider } from "../lifecycle/model/provider.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { fleetOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { logWarning } from "../platform/log.ts";
import { sleep } from "../platform/sleep.ts";
import { within } from "../platform/within.ts";
import { type CallUse, type LaneCall, SHORT_WAIT_MS, type Turn } from "../providers/pace.ts";
import { ProviderError } from "../providers/provider.ts";

/** How calls ask for their turns: all orders of a user, and looks that somebody waits for, share the lanes of the user's fleet. */

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

/** Somebody who waits for an answer waits at most this long for the turn. */
const TURN_LIMIT_MS = 15 * SECOND_MS;

/** There was no turn in time, so nothing was called. */
export class NoTurn extends Error {
  readonly afterMs: number;

  constructor(afterMs: number) {
    super("other calls to the provider come first");
    this.afterMs = afterMs;
  }
}

/**
 * Makes harmless calls that somebody waits for, when it is their turn. Throws `NoTurn` where that does not come soon. If the provider
 * finds them too much, all others wait.
 */
export async function inTurn<T>(
  env: Pick<Env, "FLEETS">,
  userId: string,
  connection: ConnectedProvider,
  uses: readonly CallUse[],
  make: () => Promise<T>,
): Promise<T> {
  const call: LaneCall = { connection, uses, id: `now-${crypto.randomUUID()}`, isUrgent: true };
  await awaitTurn(env, userId, call);
  try {
    return await make();
  } catch (error) {
    if (error instanceof ProviderError && error.code === "rate_limited") {
      await noteLimited(env, userId, call, error.retryAfterSeconds);
    }
    throw error;
  }
}

async function awaitTurn(env: Pick<Env, "FLEETS">, userId: string, call: LaneCall): Promise<void> {
  let waitedMs = 0;
  for (;;) {
    const turn = await askForTurn(env, userId, call);
    if (turn.type === "given up") throw new NoTurn(0);
    if (waitedMs + turn.afterMs > TURN_LIMIT_MS) throw new NoTurn(turn.afterMs);
    await sleep(turn.afterMs);
    if (turn.type === "go") return;
    waitedMs += turn.afterMs;
  }
}
