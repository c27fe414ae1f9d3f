import { z } from "zod";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { InstanceState } from "../../lifecycle/model/state.ts";
import { storedOverridesSchema } from "../../lifecycle/model/stored.ts";
import {
  type Attempts,
  type EffectProgress,
  type FailingTarget,
  TARGETS,
  type TriedEffect,
} from "../attempts.ts";
import { exactly } from "./fields.ts";
import { stateSchema } from "./state-schema.ts";

/** Everything an actor keeps, as one JSON row. A change of its shape needs a migration: see `versions.ts`. */
export interface StoredInstance {
  readonly userId: string;
  readonly instanceId: string;
  /** Instance tokens of another generation are refused. It grows, also over removal and new registration. */
  readonly tokenGeneration: number;
  /** Which database keeps its history: see `history/shards.ts`. */
  readonly historyShard: number;
  /** The instance's own overrides, and the user's as its fleet last gave it. */
  readonly overrides: PolicyOverrides;
  readonly userPolicy: PolicyOverrides;
  readonly userPolicyVersion: number;
  /** The operator has suspended the user, as the fleet last said. */
  readonly suspended: boolean;
  /** Links of alerts that were used, for as long as they would be good. */
  readonly usedLinks: readonly { readonly id: string; readonly expiresAt: number }[];
  /** By what the machine that enrolled it is known again, or `BY_HAND`; null where none did. */
  readonly enrollment: { readonly keyDigest: string } | null;
  readonly state: InstanceState;
  readonly delivery: DeliveryStanding;
}

/** How the delivery of its effects stands. */
export interface DeliveryStanding {
  readonly attempts: Attempts;
  /** How many effects wait in rows of their own, since the state's row can't hold them: see `held.ts`. */
  readonly held: number;
  /** Null while no effect is parked. */
  readonly parked: { readonly tryAt: number } | null;
  /** Since when the instance is removed, and only what it still has to deliver keeps it here; null while it is not. */
  readonly leavingSince: number | null;
}

export const NOTHING_WAITS: DeliveryStanding = {
  attempts: { targets: [], effects: [] },
  held: 0,
  parked: null,
  leavingSince: null,
};

export function isNothingWaiting({ attempts, held, parked, leavingSince }: DeliveryStanding): boolean {
  const count = attempts.targets.length + attempts.effects.length + held;
  return count === 0 && parked === null && leavingSince === null;
}

const target = z.enum(TARGETS);

const failing = z.array(
  exactly<FailingTarget>({
    target,
    failures: z.number(),
    retryAt: z.number(),
    /** Absent in rows of before: it has failed for no one knows how long. */
    since: z.number().default(0),
    unanswered: z.number().default(0),
  }),
);

const progress = { delivered: z.array(target), failing } satisfies Record<keyof EffectProgress, z.ZodType>;

export const progressSchema = exactly<EffectProgress>(progress);

const attempts = exactly<Attempts>({
  targets: failing,
  effects: z.array(exactly<TriedEffect>({ id: z.number(), ...progress })),
});

/** A row: the instance as the release before this one reads it too, which leaves out what it does not know. */
export const rowSchema = z.object({
  userId: z.string(),
  instanceId: z.string(),
  tokenGeneration: z.number(),
  historyShard: z.int().min(0),
  overrides: storedOverridesSchema,
  userPolicy: storedOverridesSchema,
  userPolicyVersion: z.number(),
  /** Absent while the user is not suspended, and after a release that did not know of it has written the row. */
  suspended: z.boolean().default(false),
  usedLinks: z.array(z.object({ id: z.string(), expiresAt: z.number() })),
  /** Absent for most, and after a release that did not know of it has written the row. */
  enrollment: z.object({ keyDigest: z.string() }).nullable().default(null),
  state: stateSchema,
  /** Absent while nothing waits, and after that release has written the row. */
  delivery: exactly<DeliveryStanding>({
    attempts,
    held: z.int().min(0),
    parked: z.object({ tryAt: z.number() }).nullable(),
    leavingSince: z.number().nullable(),
  }).default(NOTHING_WAITS),
  /** See `waiting-heartbeats.ts`. */
  waitingFrom: z.number().optional(),
} satisfies Record<keyof StoredInstance | "waitingFrom", z.ZodType>);
