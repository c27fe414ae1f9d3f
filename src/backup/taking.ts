import type { BroughtKey } from "../accounts/user-tokens.ts";
import type { BringOutcome } from "../instance/bring.ts";
import { policyOverridesSchema } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";

/** What an import is asked for, and what becomes of its lines. */

export interface Import {
  /** Whose lines these become. */
  readonly userId: string;
  /** Whose they were. */
  readonly from: string;
  readonly exportedAt: number;
  /** How many channels and connections to providers a user may have. */
  readonly channels: number;
  readonly connections: number;
}

export const KNOWN: BringOutcome = { outcome: "known" };

/** Whatever an import asks answers within this time, or the import fails and is begun anew. */
export const CALL_LIMIT_MS = 20 * SECOND_MS;

export const refused = (because: string): BringOutcome => ({ outcome: "refused", because });
export const broughtIf = (isNew: boolean): BringOutcome => (isNew ? { outcome: "brought" } : KNOWN);

/** What becomes of a token or an identity: one that was taken back here must not be good again. */
export function keyBrought(brought: BroughtKey): BringOutcome {
  return brought === "over"
    ? refused("it was revoked since the export, or it ended")
    : broughtIf(brought === "brought");
}

/** Where one level of a policy says what this version does not know, as `.idle.metric: …`; null if it knows all of it. */
export function unreadIn(overrides: unknown): string | null {
  const [issue] = policyOverridesSchema.safeParse(overrides).error?.issues ?? [];
  return issue === undefined ? null : `${["", ...issue.path].join(".")}: ${issue.message}`;
}
