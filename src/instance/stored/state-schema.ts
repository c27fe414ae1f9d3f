import { z } from "zod";
import type { Costs, Counters, Savings } from "../../lifecycle/model/counters.ts";
import type { ActionOrder, Effect, Machine, PendingEffect, Sighted } from "../../lifecycle/model/effects.ts";
import type { GpuReading, Heartbeat } from "../../lifecycle/model/heartbeat.ts";
import {
  type HistoryEvent,
  type HistoryEventKind,
  severitySchema,
} from "../../lifecycle/model/history-event.ts";
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
  Unheard,
  WakeFailed,
} from "../../lifecycle/model/phase.ts";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import type { Agent, Clock, Flaps, InstanceState, Profile } from "../../lifecycle/model/state.ts";
import { openEnum } from "../../lifecycle/model/stored.ts";
import { exactly } from "./fields.ts";
import { ledgerSchema } from "./ledger-schema.ts";

/**
 * What a stored state must be. It follows the types of `lifecycle/` field by field, or it does not compile. A field that
 * is added there needs a line here and a migration: see `versions.ts`. A field of the row that is not named here is left
 * out.
 */

const number = z.number();
const numberOrNull = z.number().nullable();
const text = z.string();
const textOrNull = z.string().nullable();

const actionKind = z.enum(["hibernate", "force_hibernate", "wake", "delete"]);
const actionReason = z.enum(["idle", "silence", "owner", "instance"]);
const guardedStep = z.enum(["hibernate", "force_hibernate", "delete"]);

const costs = { hourlyCost: numberOrNull, hibernatedHourlyCost: numberOrNull } satisfies Record<
  keyof Costs,
  z.ZodType
>;

const profile = exactly<Profile>({
  ...costs,
  name: text,
  provider: openEnum<ConnectedProvider>(),
  providerRef: textOrNull,
  registeredAt: number,
});

const clock = exactly<Clock>({
  lastHeartbeatAt: numberOrNull,
  keepAliveUntil: numberOrNull,
  graceUntil: numberOrNull,
  countsFrom: numberOrNull,
});

const counters = exactly<Counters>({
  totalHeartbeats: number,
  firstHeartbeatAt: numberOrNull,
  missed: number,
  gapFrom: numberOrNull,
  gpuPercentSum: number,
  gpuHeartbeats: number,
  cost: exactly<Counters["cost"]>({ accumulated: numberOrNull, day: textOrNull, today: number }),
  saved: exactly<Savings>({
    totalMs: number,
    totalDollars: number,
    monthStart: number,
    monthMs: number,
    monthDollars: number,
  }),
});

const heartbeat = exactly<Heartbeat>({
  at: number,
  sequence: number,
  gpuPercent: numberOrNull,
  vramUsedGb: numberOrNull,
  cpuPercent: numberOrNull,
  ramUsedGb: numberOrNull,
  diskUsedGb: numberOrNull,
  costAccumulated: numberOrNull,
  uptimeSeconds: numberOrNull,
  status: textOrNull,
  activity: textOrNull,
});

const gpuReading = z.object({
  index: number,
  name: text.nullish(),
  utilization: number.nullish(),
  vram_used_gb: number.nullish(),
  vram_total_gb: number.nullish(),
} satisfies { [Key in keyof GpuReading]-?: z.ZodType<GpuReading[Key]> });

const failures = exactly<Failures>({ count: number, retryAt: number });

const idleRun = exactly<IdleRun>({
  since: number,
  metric: z.enum(["GPU", "CPU"]),
  highestPercent: number,
  heartbeats: number,
  warnedAt: numberOrNull,
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

const machine = exactly<Machine>({ provider: openEnum<ConnectedProvider>(), providerRef: textOrNull });

const sighted = exactly<Sighted>({
  at: number,
  credentialsSetAt: number,
  gpus: numberOrNull,
  missedAt: number.optional(),
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
  machine,
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
  orphan: orphan.nullable(),
  openLook: openLook.optional(),
  wakeFailed: wakeFailed.optional(),
});

type Standing<S extends Phase["status"]> = Extract<Phase, { readonly status: S }>;

const standings = {
  pending: exactly<Standing<"pending">>({
    status: z.literal("pending"),
    unheard: unheard.optional(),
    orphan: orphan.optional(),
  }),
  running: exactly<Standing<"running">>({ status: z.literal("running"), idle: idleRun.nullable() }),
  orphaned: exactly<Standing<"orphaned">>({ status: z.literal("orphaned"), orphan }),
} satisfies { [S in Awake["status"]]: z.ZodType<Standing<S>> };

const awake = z.discriminatedUnion("status", [standings.pending, standings.running, standings.orphaned]);

const phases = {
  ...standings,
  hibernating: exactly<Standing<"hibernating">>({
    status: z.literal("hibernating"),
    action,
    reason: actionReason,
    before: awake,
  }),
  hibernated,
  waking: exactly<Standing<"waking">>({
    status: z.literal("waking"),
    action,
    reason: actionReason,
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

const phase = z.discriminatedUnion("status", [
  phases.pending,
  phases.running,
  phases.orphaned,
  phases.hibernating,
  phases.hibernated,
  phases.waking,
  phases.deleting,
  phases.deleted,
]);

const historyEvent = exactly<HistoryEvent>({
  id: text,
  at: number,
  kind: openEnum<HistoryEventKind>(),
  severity: severitySchema,
  message: text,
  detail: z.record(text, z.union([text, number, z.boolean(), z.null()])),
});

const actionOrder = exactly<ActionOrder>({
  actionId: text,
  kind: actionKind,
  reason: actionReason,
  machine,
  sighted: sighted.nullable(),
  isHibernated: z.boolean(),
  neverHeard: z.boolean().optional(),
  snapshotFirst: z.boolean(),
  requestId: text.optional(),
});

type Asked<T extends Effect["type"]> = Extract<Effect, { readonly type: T }>;

const effects = {
  chunk: exactly<Asked<"chunk">>({ type: z.literal("chunk"), heartbeats: z.array(heartbeat) }),
  event: exactly<Asked<"event">>({ type: z.literal("event"), event: historyEvent }),
  projection: exactly<Asked<"projection">>({ type: z.literal("projection") }),
  forget: exactly<Asked<"forget">>({ type: z.literal("forget") }),
  guard: exactly<Asked<"guard">>({ type: z.literal("guard"), step: guardedStep }),
  action: exactly<Asked<"action">>({ type: z.literal("action"), order: actionOrder }),
} satisfies { [T in Effect["type"]]: z.ZodType<Asked<T>> };

const effect = z.discriminatedUnion("type", [
  effects.chunk,
  effects.event,
  effects.projection,
  effects.forget,
  effects.guard,
  effects.action,
]);

export const pendingEffectSchema = exactly<PendingEffect>({ id: number, effect });

export const stateSchema = exactly<InstanceState>({
  profile,
  phase,
  clock,
  counters,
  ledger: ledgerSchema.optional(),
  recent: z.array(heartbeat),
  unflushed: number,
  gpuTrend: z.array(numberOrNull),
  outbox: z.array(pendingEffectSchema),
  nextEffectId: number,
  flaps: exactly<Flaps>({ turns: z.array(number), told: z.boolean() }),
  agent: exactly<Agent>({
    bootId: textOrNull,
    sequence: numberOrNull,
    gpus: z.array(gpuReading),
    hasGpu: z.boolean(),
    rebootToldAt: numberOrNull,
    lastWordAt: numberOrNull,
    nextInHistory: number,
  }),
  sighted: sighted.nullable(),
  listedHourlyCost: number.optional(),
  stoppedHourlyCost: number.optional(),
  reminders: exactly<InstanceState["reminders"]>({
    wouldHibernateAt: numberOrNull,
    wouldDeleteAt: numberOrNull,
  }),
}) satisfies z.ZodType<InstanceState>;
