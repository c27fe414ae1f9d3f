import { z } from "zod";
import { mergePolicy, type PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { Tag, Tags } from "../../lifecycle/model/tags.ts";
import type { Compared } from "../../replay/compare.ts";
import {
  addOutcomes,
  type Basis,
  byLength,
  type Interruption,
  NOTHING,
  type Outcome,
} from "../../replay/outcome.ts";
import type { Proposal } from "../../replay/proposal.ts";
import {
  addFrontiers,
  type Frontier,
  type IdleSetting,
  NO_FRONTIER,
  presentSetting,
  type RatedPoint,
} from "../../replay/proposal-points.ts";
import type { Said } from "../../replay/say-proposal.ts";

/** What is kept of a preview: a candidate policy, replayed over the last days of instances. Pure. */

export type Outcomes = Readonly<Record<Compared, Outcome>>;

/** What was asked for. */
export interface PreviewRequest {
  /** The candidate, at the user's level. */
  readonly policy: PolicyOverrides;
  /** The user's policy as it stood then. */
  readonly inForce: PolicyOverrides;
  /** In place of the own overrides of each instance; null: they stand. */
  readonly instancePolicy: PolicyOverrides | null;
  readonly days: number;
  /** Null: all, or those of `tag`. */
  readonly instances: readonly string[] | null;
  readonly tag: Tag | null;
  readonly wantsProposal: boolean;
  readonly requestId: string;
}

/** What is in force for all of its instances, as their proposal names it; null where that is not what was tried. */
export function presentOf({ inForce, policy, instancePolicy }: PreviewRequest): IdleSetting | null {
  return instancePolicy === null ? presentSetting(mergePolicy(inForce), mergePolicy(policy)) : null;
}

/** What became of one instance. */
export interface PreviewLine {
  readonly instanceId: string;
  readonly name: string;
  readonly tags: Tags;
  readonly outcomes: Outcomes;
  /** Of the candidate. */
  readonly interruptions: readonly Interruption[];
  readonly basis: Basis;
  /** Of no setting where none is to be proposed. */
  readonly frontier: Frontier;
  /** For it alone; null where nothing can be proposed. */
  readonly proposal: KeptProposal | null;
}

/** A proposal without the points that were tried. */
export type KeptProposal = Pick<Proposal, "says" | "proposed" | "measure">;

/** What of a line can be read again. */
export interface KeptLine extends Pick<PreviewLine, "instanceId" | "name" | "tags" | "proposal"> {
  readonly actual: Outcome;
  readonly candidate: Outcome;
}

/** Why an instance is in no sum. */
export const SKIPPED_BECAUSE = [
  "removed",
  "unreadable",
  "out_of_reach",
  "history_out_of_reach",
  "failed",
] as const;

/**
 * Why a preview failed.
 * - `stalled`: it has not come on for half an hour.
 * - `suspended`: its user was.
 * - `out_of_reach`: too many of its instances were.
 */
export const FAILED_BECAUSE = ["stalled", "suspended", "out_of_reach"] as const;
export type FailedBecause = (typeof FAILED_BECAUSE)[number];

export interface PreviewSkip {
  readonly instanceId: string;
  readonly because: (typeof SKIPPED_BECAUSE)[number];
}

export interface NamedInterruption extends Interruption {
  readonly instanceId: string;
  readonly name: string;
}

/** All lines together. */
export interface PreviewSum {
  readonly outcomes: Outcomes;
  readonly basis: Basis;
  /** Of the candidate: the longest, longest first. */
  readonly interruptions: readonly NamedInterruption[];
  readonly frontier: Frontier;
}

/** So many interruptions are named. */
const INTERRUPTIONS_NAMED = 50;

const NO_BASIS: Basis = { readings: 0, coarseMs: 0, assumedIdleMs: 0, readingsWithoutUse: 0 };

export const NO_SUM: PreviewSum = {
  outcomes: eachCompared(() => NOTHING),
  basis: NO_BASIS,
  interruptions: [],
  frontier: NO_FRONTIER,
};

/** The sum with one line more. */
export function addLine(sum: PreviewSum, line: PreviewLine): PreviewSum {
  const { instanceId, name } = line;
  const named = line.interruptions.map((interruption) => ({ ...interruption, instanceId, name }));
  return {
    outcomes: eachCompared((of) => addOutcomes(sum.outcomes[of], line.outcomes[of])),
    basis: addBasis(sum.basis, line.basis),
    interruptions: [...sum.interruptions, ...named].sort(byLengthAndId).slice(0, INTERRUPTIONS_NAMED),
    frontier: addFrontiers(sum.frontier, line.frontier),
  };
}

function byLengthAndId(one: NamedInterruption, other: NamedInterruption): number {
  return byLength(one, other) || (one.instanceId < other.instanceId ? -1 : 1);
}

function addBasis(one: Basis, other: Basis): Basis {
  return {
    readings: one.readings + other.readings,
    coarseMs: one.coarseMs + other.coarseMs,
    assumedIdleMs: one.assumedIdleMs + other.assumedIdleMs,
    readingsWithoutUse: one.readingsWithoutUse + other.readingsWithoutUse,
  };
}

/** The same of each. */
export function eachCompared<T>(make: (of: Compared) => T): Record<Compared, T> {
  return {
    actual: make("actual"),
    candidate: make("candidate"),
    in_force: make("in_force"),
    thrifty: make("thrifty"),
    balanced: make("balanced"),
    careful: make("careful"),
  };
}

/** How it is stored. What a newer release adds is left out. */

const numbersOf = <T extends object>(example: T) =>
  z.object(Object.fromEntries(Object.keys(example).map((key) => [key, z.number()])));

/** Checked by the example, whose fields are all numbers. */
function numbersLike<T extends object>(example: T): z.ZodType<T> {
  const numbers = numbersOf(example);
  return z.custom<T>((value) => numbers.safeParse(value).success);
}

const outcomeSchema = numbersLike(NOTHING);

const pointFields = {
  thresholdPercent: z.number(),
  hibernateAfterMinutes: z.number(),
  saved: z.number(),
  hibernatedMs: z.number(),
  hibernations: z.number(),
  interruptions: z.number(),
  delayedMs: z.number(),
  workCutMs: z.number(),
};

export const frontierSchema = z.object({
  points: z.array(z.object(pointFields)),
  instances: z.number(),
  knownMs: z.number(),
}) satisfies z.ZodType<Frontier>;

export const SAID_CODES = [
  "spares",
  "keep",
  "spares_some",
  "interrupts",
  "alike",
  "nothing_to_save",
] as const satisfies readonly Said["code"][];

const said = z.object({ code: z.enum(SAID_CODES), parameters: z.record(z.string(), z.unknown()) });

const proposalSchema = z.object({
  measure: z.enum(["dollars", "hours"]),
  proposed: z
    .object({ ...pointFields, sharePercent: z.number(), isOnFrontier: z.boolean() })
    .nullable() satisfies z.ZodType<RatedPoint | null>,
  says: z.custom<Said>((value) => said.safeParse(value).success),
}) satisfies z.ZodType<KeptProposal>;

export const keptLineSchema = z.object({
  instanceId: z.string(),
  name: z.string(),
  tags: z.record(z.string(), z.string()),
  actual: outcomeSchema,
  candidate: outcomeSchema,
  proposal: proposalSchema.nullable().catch(null),
}) satisfies z.ZodType<KeptLine>;

export const sumSchema = z.object({
  outcomes: z.object(eachCompared(() => outcomeSchema)),
  basis: numbersLike(NO_BASIS),
  interruptions: z.array(
    z.object({
      instanceId: z.string(),
      name: z.string(),
      hibernatedAt: z.number(),
      at: z.number(),
      evidence: z.string(),
      delayedMs: z.number(),
      workCutMs: z.number(),
    }),
  ),
  frontier: frontierSchema,
}) satisfies z.ZodType<PreviewSum>;

/** As it is written: ms and dollars to what anybody could tell apart. */
export function writeSmall(kept: object): string {
  return JSON.stringify(kept, (_, value: unknown) =>
    typeof value === "number" ? Math.round(value * 1_000_000) / 1_000_000 : value,
  );
}
