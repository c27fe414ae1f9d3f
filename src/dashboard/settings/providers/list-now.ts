import { abilitiesOf } from "../../../lifecycle/model/provider.ts";
import { ask } from "../../api.ts";
import { say } from "../../parts/notice.tsx";
import { asApiError } from "../../poll.ts";
import type { Connection } from "../connections.tsx";
import type { Listing } from "./inventory.ts";
import { providersWords } from "./words.ts";

/** So that what is there is seen at once; else the next listing shows it. */
export async function listNow({ id, provider }: Pick<Connection, "id" | "provider">): Promise<void> {
  if (!abilitiesOf(provider).lists) return;
  try {
    const looked = await ask<Listing>("POST", `/api/agent/connections/${id}/sync`);
    if (looked.problem !== null) say(providersWords.value.found.looksFailed(looked.problem), true);
  } catch (error) {
    const refusal = asApiError(error);
    // It was listed a moment ago.
    if (refusal.status !== 429) say(refusal.message, true);
  }
}
