import { lookUpProfile } from "../../accounts/users.ts";
import { DAY_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { LANGUAGES } from "../../lifecycle/model/words/said.ts";
import { logInfo } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { doubted } from "../rules/addressee.ts";

/**
 * In whose words and time a fleet tells. It stands in D1, with the account. A fleet keeps what it was told, and asks again when it
 * is about to tell something: after a change of the account, and after a day, should it not have heard of one.
 */

const GOOD_FOR_MS = DAY_MS;

/** No message waits longer for its language. */
const D1_LIMIT_MS = 2 * SECOND_MS;

/** While D1 does not answer, the last that it said goes on. Never throws. */
export async function refreshAddressee(
  env: Pick<Env, "DB">,
  userId: string,
  fleet: Fleet,
  now: number,
): Promise<void> {
  const asked = fleet.state.addressee;
  if (asked !== null && now - asked.asOf < GOOD_FOR_MS) return;
  try {
    const profile = await within(D1_LIMIT_MS, lookUpProfile(env.DB, userId));
    // What was read before a change is not taken for what is after it.
    const asOf = fleet.state.addressee === asked ? now : 0;
    const known = LANGUAGES.find((each) => each === profile?.language) ?? null;
    const addressee = { language: known, timeZone: profile?.timeZone ?? null, asOf };
    fleet.update((state) => ({ ...state, addressee }));
  } catch (error) {
    logInfo("the language of an account is not known now", { user_id: userId, because: String(error) });
  }
}

/** The account has changed: before anything else is told, D1 is asked. */
export function doubtAddressee(fleet: Fleet): void {
  fleet.update((state) => ({ ...state, addressee: doubted(state.addressee) }));
}
