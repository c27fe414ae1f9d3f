import type { Status } from "../model/phase.ts";
import type { ConnectedProvider } from "../model/provider.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Phrase } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";
import { hibernationObstacle, type Obstacle, wakeObstacle } from "./obstacles.ts";

/** Why what the owner asks for is refused. */

export interface Refusal {
  readonly code:
    | Obstacle["code"]
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
  return worded(hibernationObstacle(provider, status));
}

/** Why an instance of this provider and status can't be woken; null when it can. */
export function wakeRefusal(provider: ConnectedProvider, status: Status): Refusal | null {
  return worded(wakeObstacle(provider, status));
}

function worded(obstacle: Obstacle | null): Refusal | null {
  return obstacle === null ? null : refusal(obstacle.code, obstacle.said);
}
