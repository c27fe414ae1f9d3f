import { z } from "zod";
import type { Machine, PlannedCause, StopCause } from "../../lifecycle/model/effects.ts";
import type {
  Action,
  Awake,
  Failures,
  GuardQuestion,
  Handover,
  Hibernated,
  IdleRun,
  OpenLook,
  Orphan,
  Phase,
  PlannedStop,
  Unheard,
  WakeFailed,
} from "../../lifecycle/model/phase.ts";
import type {
  EndedPreparation,
  Preparation,
  PreparationCause,
  PreparationHeard,
  PreparedOrder,
} from "../../lifecycle/model/preparation.ts";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import { openEnum } from "../../lifecycle/model/stored.ts";
import { phraseSchema } from "../../lifecycle/model/words/said.ts";
import { exactly } from "./fields.ts";

/** What the phase of a stored state must be. */

const number = z.number();
const numberOrNull = z.number().nullable();
const text = z.string();
const textOrNull = z.string().nullable();

export const actionKind = z.enum(["hibernate", "force_hibernate", "wake", "delete"]);
export const actionReason = z.enum(["idle", "silence", "owner", "instance"]);
export const guardedStep = z.enum(["hibernate", "force_hibernate", "delete"]);

const cause = openEnum<StopCause>().optional();

const failures = exactly<Failures>({ count: number, retryAt: number });

const idleRun = exactly<IdleRun>({
  since: number,
  metric: z.enum(["GPU", "CPU"]),
  highestPercent: number,
  heartbeats: number,
  warnedAt: numberOrNull,
  failed: failures.nullable(),
});

export const plannedStopSchema = exactly<PlannedStop>({
  because: openEnum<PlannedCause>(),
  dueAt: number,
  warnedAt: numberOrNull,
  toldAt: numberOrNull,
  failed: failures.nullable(),
});

const guardQuestion = exactly<GuardQuestion>({
  step: guardedStep,
  heldSince: numberOrNull,
  askAgainAt: number,
});

const orphan = exactly<Orphan>({
  since: number,
  clockFrom: number,
  step: z.enum(["orphaned", "hibernate", "force_hibernate"]),
  guard: guardQuestion.nullable(),
  failed: failures.nullable(),
  deleteFailed: failures.nullable(),
});

export const machineSchema = exactly<Machine>({
  provider: openEnum<ConnectedProvider>(),
  providerRef: textOrNull,
});

type Handed<S extends Handover["state"]> = Extract<Handover, { readonly state: S }>;

const handover = z.discriminatedUnion("state", [
  exactly<Handed<"waiting">>({ state: z.literal("waiting") }),
  exactly<Handed<"trying">>({ state: z.literal("trying"), calledOffBecause: textOrNull }),
  exactly<Handed<"accepted">>({ state: z.literal("accepted"), at: number }),
]) satisfies z.ZodType<Handover>;

const action = exactly<Action>({
  id: text,
  kind: actionKind,
  orderedAt: number,
  machine: machineSchema,
  handover,
  tries: number.optional(),
});

const openLook = exactly<OpenLook>({
  askAt: number,
  tries: number,
  failingSince: numberOrNull,
  isTold: z.boolean(),
  because: z.literal("wake").optional(),
});

const wakeFailed = exactly<WakeFailed>({ at: number, because: text, actionId: text });

const unheard = exactly<Unheard>({ because: openEnum<Unheard["because"]>(), from: number });

const hibernated = exactly<Hibernated>({
  status: z.literal("hibernated"),
  since: number,
  unsavedFrom: number,
  reason: actionReason,
  because: cause,
  orphan: orphan.nullable(),
  openLook: openLook.optional(),
  wakeFailed: wakeFailed.optional(),
});

const preparation = exactly<Preparation>({
  id: text,
  beganAt: number,
  limitAt: number,
  order: exactly<PreparedOrder>({
    reason: z.enum(["idle", "owner"]),
    because: openEnum<PreparationCause>(),
    message: text,
    said: phraseSchema.optional().catch(undefined),
    detail: z.record(text, z.union([text, number, z.boolean(), z.null()])),
  }),
  heard: exactly<PreparationHeard>({
    state: z.enum(["running", "succeeded", "failed"]),
    seconds: number,
    line: textOrNull,
    log: textOrNull,
  }).optional(),
  isFailureTold: z.boolean(),
});

export const endedPreparationSchema = exactly<EndedPreparation>({
  id: text,
  because: openEnum<PreparationCause>(),
  beganAt: number,
  endedAt: number,
  outcome: openEnum<EndedPreparation["outcome"]>(),
  seconds: numberOrNull,
  line: textOrNull,
  log: textOrNull,
});

type Standing<S extends Phase["status"]> = Extract<Phase, { readonly status: S }>;

const standings = {
  pending: exactly<Standing<"pending">>({
    status: z.literal("pending"),
    unheard: unheard.optional(),
    orphan: orphan.optional(),
  }),
  running: exactly<Standing<"running">>({
    status: z.literal("running"),
    idle: idleRun.nullable(),
    preparation: preparation.optional(),
  }),
  orphaned: exactly<Standing<"orphaned">>({ status: z.literal("orphaned"), orphan }),
} satisfies { [S in Awake["status"]]: z.ZodType<Standing<S>> };

const awake = z.discriminatedUnion("status", [standings.pending, standings.running, standings.orphaned]);

const phases = {
  ...standings,
  hibernating: exactly<Standing<"hibernating">>({
    status: z.literal("hibernating"),
    action,
    reason: actionReason,
    because: cause,
    before: awake,
  }),
  hibernated,
  waking: exactly<Standing<"waking">>({
    status: z.literal("waking"),
    action,
    reason: actionReason,
    because: cause,
    confirmedAt: numberOrNull,
    openLook: openLook.optional(),
  }),
  deleting: exactly<Standing<"deleting">>({
    status: z.literal("deleting"),
    action,
    orphan,
    hibernated: hibernated.nullable(),
  }),
  deleted: exactly<Standing<"deleted">>({ status: z.literal("deleted"), at: number }),
} satisfies { [S in Phase["status"]]: z.ZodType<Standing<S>> };

export const phaseSchema = z.discriminatedUnion("status", [
  phases.pending,
  phases.running,
  phases.orphaned,
  phases.hibernating,
  phases.hibernated,
  phases.waking,
  phases.deleting,
  phases.deleted,
]);
