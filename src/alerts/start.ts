import { sha256Hex } from "../accounts/digest.ts";
import type { Severity } from "../lifecycle/model/history-event.ts";
import { createOnce } from "../platform/create-once.ts";

/** What the workflow of one digest is told. */
export interface DigestParameters {
  readonly userId: string;
  readonly urgency: Urgency;
}

/** `critical` alerts go at once and apart; the others wait for what else happens. */
export type Urgency = "critical" | "ordinary";

/** Alerts of one user within this time make one message a channel. */
export const DIGEST_WINDOW_MS = 30_000;

/** Starts the digests of the current window that the user's pending alerts need. Asked twice, each starts once. */
export async function startDigests(
  env: Pick<Env, "ALERT_DIGEST">,
  userId: string,
  pending: readonly Severity[],
): Promise<void> {
  const window = Math.floor(Date.now() / DIGEST_WINDOW_MS);
  const urgencies = new Set(
    pending.map((severity): Urgency => (severity === "critical" ? "critical" : "ordinary")),
  );
  for (const urgency of urgencies) {
    await createOnce(env.ALERT_DIGEST, await digestId(userId, urgency, window), { userId, urgency });
  }
}

async function digestId(userId: string, urgency: Urgency, window: number): Promise<string> {
  return `${(await sha256Hex(userId)).slice(0, 40)}-${urgency}-${window}`;
}
