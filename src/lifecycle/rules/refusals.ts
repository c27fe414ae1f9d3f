import type { Status } from "../model/phase.ts";
import { abilitiesOf, type ConnectedProvider, kindOf } from "../model/provider.ts";
import { onlyDeletes, stopsSilent, whyNotStopped } from "../model/stopping.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Phrase } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";

/** Why what the owner asks for is refused. */

export interface Refusal {
  readonly code:
    | "hibernated"
    | "hibernating"
    | "deleted"
    | "not_possible"
    | "no_provider"
    | "busy"
    | "suspended"
    // Why a round spares one.
    | "pending"
    | "kept_alive"
    | "not_idle"
    | "changed";
  /** In English. */
  readonly message: string;
  /** It, for any language; absent where a former release refuses. */
  readonly said?: Phrase | undefined;
}

export function refusal(code: Refusal["code"], said: Phrase): Refusal {
  return { code, message: say("en", said), said };
}

/** What the owner, or whoever has a link, is told while the user is suspended. */
export const SUSPENDED: Refusal = refusal("suspended", phrase("refusal.suspended"));

/** Why an instance of this provider and status can't be hibernated; null when it can. */
export function hibernationRefusal(provider: ConnectedProvider, status: Status): Refusal | null {
  const { hibernates, reachesSilent } = abilitiesOf(provider);
  switch (status) {
    case "hibernating":
    case "hibernated":
      return refusal(status, phrase("refusal.is_already", { status: phrase(`status.${status}`) }));
    case "deleted":
      return refusal("deleted", phrase("refusal.deleted"));
    case "waking":
    case "deleting":
      return refusal("busy", phrase("refusal.is", { status: phrase(`status.${status}`) }));
    case "pending":
    case "orphaned":
      if (!reachesSilent) {
        return refusal("no_provider", phrase("refusal.silent", { provider: kindOf(provider) }));
      }
      return onlyDeletes(provider) ? cannotStop(provider) : null;
    case "running":
      if (onlyDeletes(provider)) return cannotStop(provider);
      return hibernates === "never" ? refusal("no_provider", phrase("refusal.no_provider")) : null;
  }
}

function cannotStop(provider: ConnectedProvider): Refusal {
  return refusal("no_provider", phrase("refusal.delete_there", { why: whyNotStopped(provider) }));
}

/** Why an instance of this provider and status can't be woken; null when it can. */
export function wakeRefusal(provider: ConnectedProvider, status: Status): Refusal | null {
  if (status === "deleted") return refusal("deleted", phrase("refusal.deleted"));
  if (status !== "hibernated") {
    return refusal("not_possible", phrase("refusal.not_hibernated", { status: phrase(`status.${status}`) }));
  }
  return stopsSilent(provider)
    ? null
    : refusal("no_provider", phrase("refusal.cannot_wake", { provider: kindOf(provider) }));
}
