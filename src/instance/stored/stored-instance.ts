import { z } from "zod";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { InstanceState } from "../../lifecycle/model/state.ts";
import { storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import { exactly } from "./fields.ts";
import { stateSchema } from "./state-schema.ts";

/** Everything an actor keeps, as one JSON row. A change of its shape needs a migration: see `versions.ts`. */
export interface StoredInstance {
  readonly userId: string;
  readonly instanceId: string;
  /** Instance tokens of another generation are refused. It grows, also over removal and new registration. */
  readonly tokenGeneration: number;
  /** Which database keeps its heartbeats: see `history/shards.ts`. */
  readonly historyShard: number;
  /** The instance's own overrides, and the user's as last read from the database. */
  readonly overrides: PolicyOverrides;
  readonly userPolicy: PolicyOverrides;
  readonly userPolicyVersion: number;
  /** Links of alerts that were used, for as long as they would be good. */
  readonly usedLinks: readonly { readonly id: string; readonly expiresAt: number }[];
  readonly state: InstanceState;
}

export const storedInstanceSchema = exactly<StoredInstance>({
  userId: z.string(),
  instanceId: z.string(),
  tokenGeneration: z.number(),
  historyShard: z.int().min(0),
  overrides: storedOverridesSchema,
  userPolicy: storedOverridesSchema,
  userPolicyVersion: z.number(),
  usedLinks: z.array(z.object({ id: z.string(), expiresAt: z.number() })),
  state: stateSchema,
}) satisfies z.ZodType<StoredInstance>;
