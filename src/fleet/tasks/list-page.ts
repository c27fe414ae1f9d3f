import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { sleep } from "../../platform/sleep.ts";
import { within } from "../../platform/within.ts";
import type { LaneCall, Turn } from "../../providers/pace.ts";
import { type MachinePage, type Provider, ProviderError } from "../../providers/provider.ts";

/** Reads a page of a provider's list in its turn. */

/** A call to a provider has failed after this long. */
const CALL_LIMIT_MS = 15 * SECOND_MS;

/** The lanes in which calls to providers take turns. All calls to a connection share its lane. */
export interface CallLanes {
  takeTurn(call: LaneCall): Promise<Turn>;
  /** The provider said all the same that it was too much. */
  noteLimited(
    call: LaneCall,
    retryAfterSeconds: number | null,
  ): Promise<{ readonly afterMs: number; readonly isFailure: boolean }>;
}

/** The next page is asked for after this long. */
export interface Later {
  readonly waitMs: number;
}

/** The page; how long to come back later, where its turn is not soon, or it was too much for its provider. */
export async function readPage(
  lanes: CallLanes,
  call: LaneCall,
  after: string | null,
  list: NonNullable<Provider["list"]>,
): Promise<MachinePage | Later> {
  const waitMs = await waitForTurn(lanes, call);
  if (waitMs > 0) return { waitMs };
  try {
    return await within(CALL_LIMIT_MS, list(after, true));
  } catch (error) {
    if (!(error instanceof ProviderError && error.code === "rate_limited")) throw error;
    const { afterMs, isFailure } = await lanes.noteLimited(call, error.retryAfterSeconds);
    if (isFailure) throw error;
    return { waitMs: afterMs };
  }
}

/** Waits until the call may be made; how long to come back later, where that is not soon. */
async function waitForTurn(lanes: CallLanes, call: LaneCall): Promise<number> {
  const turn = await lanes.takeTurn(call);
  switch (turn.type) {
    case "go":
      if (turn.afterMs > 0) await sleep(turn.afterMs);
      return 0;
    case "ask again":
      return Math.max(1, turn.afterMs);
    case "given up":
      throw new ProviderError("unavailable", "too many other calls to it wait");
  }
}
