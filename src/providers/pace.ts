import { type CalledProvider, calledKind } from "../lifecycle/model/provider.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";

/** How fast each provider may be asked, and how a call asks for its turn in the lane of its user and connection. */

/** What a call is for. One that looks before it orders is both. */
export type CallUse = "look" | "order" | "delete" | "list";

/** For how long a call of each use keeps the lane to itself; as calls of `burstMs` may be made at once after a rest. */
export type Pace = Readonly<Record<`${CallUse}Ms`, number>> & { readonly burstMs: number };

/** Of a provider that documents no number. */
const CAREFUL: Pace = { lookMs: 1_000, orderMs: 2_000, deleteMs: 2_000, listMs: 1_000, burstMs: 6_000 };

/**
 * With some time to spare, since calls travel for unequal times. A driver that looks before it orders has its look counted in the
 * order. Sources, read in November 2026:
 * - Vast.ai: intervals by endpoint and key, https://docs.vast.ai/api-reference/rate-limits-and-errors.
 * - RunPod: 60 a minute and user, https://docs.runpod.io/api-reference-v2 (`RateLimit`).
 * - EC2: buckets by action and region; the smallest, of StartInstances, holds 5 and gains 2 a second,
 *   https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html.
 * - Google: by minute and project, 1,500 reads and fewer changes, https://cloud.google.com/compute/docs/api-rate-limits.
 * - Azure: by subscription, region and minute, and 12 changes a machine,
 *   https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits.
 * - Hyperstack: 500 a minute and source address, which all users of the service share,
 *   https://docs.hyperstack.cloud/docs/api-reference/rate-limits.
 * - TensorDock: 100 a minute and organization, https://dashboard.tensordock.com/api/docs/getting-started.
 * - Lambda Cloud: one a second, https://docs.lambda.ai/api/cloud.
 * - DigitalOcean: 5,000 an hour and 250 a minute by token, https://docs.digitalocean.com/reference/api. A snapshot is four calls.
 * - Scaleway documents none for its Instances, and Verda none at all. A page of Scaleway's list also asks for types.
 * - A webhook is the user's own: it is spared a flood, and can say more by 429 and `Retry-After`.
 */
const PACES: Readonly<Partial<Record<string, Pace>>> = {
  webhook: { lookMs: 100, orderMs: 100, deleteMs: 100, listMs: 100, burstMs: 5_000 },
  vast: { lookMs: 2_300, orderMs: 1_300, deleteMs: 3_300, listMs: 1_300, burstMs: 0 },
  runpod: { lookMs: 1_100, orderMs: 2_200, deleteMs: 2_200, listMs: 1_100, burstMs: 8_800 },
  ec2: { lookMs: 200, orderMs: 550, deleteMs: 550, listMs: 200, burstMs: 2_000 },
  gcp: { lookMs: 100, orderMs: 200, deleteMs: 200, listMs: 100, burstMs: 2_000 },
  azure: { lookMs: 200, orderMs: 400, deleteMs: 400, listMs: 200, burstMs: 2_000 },
  hyperstack: { lookMs: 400, orderMs: 800, deleteMs: 800, listMs: 1_200, burstMs: 4_000 },
  scaleway: { ...CAREFUL, listMs: 2_000 },
  tensordock: { lookMs: 700, orderMs: 1_400, deleteMs: 1_400, listMs: 700, burstMs: 4_200 },
  lambda: { lookMs: 1_100, orderMs: 2_200, deleteMs: 2_200, listMs: 1_100, burstMs: 0 },
  digitalocean: { lookMs: 800, orderMs: 3_200, deleteMs: 1_600, listMs: 800, burstMs: 16_000 },
  verda: CAREFUL,
};

/** The pace at a connection, by the text that `openProvider` takes: a kind, and after an `@` which of the user's connections. */
export function paceOf(connection: string): Pace {
  return PACES[kindIn(connection) ?? ""] ?? CAREFUL;
}

/** Null for a kind that this version does not know. */
export function kindIn(connection: string): CalledProvider | null {
  const [kind = connection] = connection.split("@", 1);
  return calledKind(kind);
}

/** A call that asks for its turn. */
export interface LaneCall {
  /** As `openProvider` takes it. */
  readonly connection: string;
  readonly uses: readonly CallUse[];
  /** Tells the call from all others; the same when it asks again. */
  readonly id: string;
  /** It may not wait behind everybody else. */
  readonly isUrgent: boolean;
}

/** When a call may be made. `waits`: how many of its tries so far have ended with waiting, and are no failures. */
export type Turn =
  | { readonly type: "go"; readonly afterMs: number; readonly waits: number }
  /** Not soon: it is to ask again then. */
  | { readonly type: "ask again"; readonly afterMs: number; readonly waits: number }
  /** It has waited for so long that it is better to say so. */
  | { readonly type: "given up"; readonly waits: number };

/** A wait up to here is not worth a sleep of its own. */
export const SHORT_WAIT_MS = 5 * SECOND_MS;
