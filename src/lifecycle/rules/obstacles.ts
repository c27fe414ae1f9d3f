import type { Status } from "../model/phase.ts";
import { abilitiesOf, type ConnectedProvider, kindOf } from "../model/provider.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Phrase } from "../model/words/said.ts";

/** What stands against an order of the owner, without the words for it: the page asks this, and has words of its own. */

export interface Obstacle {
  readonly code: "hibernated" | "hibernating" | "deleted" | "not_possible" | "no_provider" | "busy";
  readonly said: Phrase;
}

const obstacle = (code: Obstacle["code"], said: Phrase): Obstacle => ({ code, said });

/** Why an instance of this provider and status can't be hibernated; null when it can. */
export function hibernationObstacle(provider: ConnectedProvider, status: Status): Obstacle | null {
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  switch (status) {
    case "hibernating":
    case "hibernated":
      return obstacle(status, phrase("refusal.is_already", { status: phrase(`status.${status}`) }));
    case "deleted":
      return obstacle("deleted", phrase("refusal.deleted"));
    case "waking":
    case "deleting":
      return obstacle("busy", phrase("refusal.is", { status: phrase(`status.${status}`) }));
    case "pending":
    case "orphaned":
      if (!reachesSilent) {
        return obstacle("no_provider", phrase("refusal.silent", { provider: kindOf(provider) }));
      }
      return onlyDeletes(provider) ? cannotStop(provider) : null;
    case "running":
      if (onlyDeletes(provider)) return cannotStop(provider);
      return hibernates === "never" ? obstacle("no_provider", phrase("refusal.no_provider")) : null;
  }
}

function cannotStop(provider: ConnectedProvider): Obstacle {
  return obstacle("no_provider", phrase("refusal.delete_there", { why: whyNotStopped(provider) }));
}

/** Why an instance of this provider and status can't be woken; null when it can. */
export function wakeObstacle(provider: ConnectedProvider, status: Status): Obstacle | null {
  if (status === "deleted") return obstacle("deleted", phrase("refusal.deleted"));
  if (status !== "hibernated") {
    return obstacle("not_possible", phrase("refusal.not_hibernated", { status: phrase(`status.${status}`) }));
  }
  return stopsSilent(provider)
    ? null
    : obstacle("no_provider", phrase("refusal.cannot_wake", { provider: kindOf(provider) }));
}
