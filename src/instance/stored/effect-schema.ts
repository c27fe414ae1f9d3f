import { z } from "zod";
import type { ActionOrder, Effect, PendingEffect, Sighted } from "../../lifecycle/model/effects.ts";
import type { Heartbeat } from "../../lifecycle/model/heartbeat.ts";
import type { PreparationReport } from "../../lifecycle/model/heartbeat-use.ts";
import {
  type HistoryEvent,
  type HistoryEventKind,
  severitySchema,
} from "../../lifecycle/model/history-event.ts";
import type { KeptUse } from "../../lifecycle/model/kept-use.ts";
import { openEnum } from "../../lifecycle/model/stored.ts";
import { phraseSchema } from "../../lifecycle/model/words/said.ts";
import { exactly } from "./fields.ts";
import { actionKind, actionReason, guardedStep, machineSchema } from "./phase-schema.ts";

/** What stored effects must be, and what they bring along. */

const number = z.number();
const numberOrNull = z.number().nullable();
const text = z.string();
const textOrNull = z.string().nullable();

const keptUse = exactly<KeptUse>({
  gpuMaxPercent: numberOrNull,
  sources: z.array(numberOrNull),
  unread: z.array(openEnum<KeptUse["unread"][number]>()),
  preparation: openEnum<PreparationReport["state"]>().nullable(),
});

export const heartbeatSchema = exactly<Heartbeat>({
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
  // What can't be read must not keep the rest from being read.
  use: keptUse.optional().catch(undefined),
  repeatedAt: number.optional(),
  isLate: z.boolean().optional(),
});

export const sightedSchema = exactly<Sighted>({
  at: number,
  credentialsSetAt: number,
  gpus: numberOrNull,
  vanishedAt: number.optional(),
});

const historyEvent = exactly<HistoryEvent>({
  id: text,
  at: number,
  kind: openEnum<HistoryEventKind>(),
  severity: severitySchema,
  message: text,
  // What can't be read is told in English.
  said: phraseSchema.optional().catch(undefined),
  detail: z.record(text, z.union([text, number, z.boolean(), z.null()])),
});

const actionOrder = exactly<ActionOrder>({
  actionId: text,
  kind: actionKind,
  reason: actionReason,
  machine: machineSchema,
  sighted: sightedSchema.nullable(),
  isHibernated: z.boolean(),
  neverHeard: z.boolean().optional(),
  snapshotFirst: z.boolean(),
  requestId: text.optional(),
});

type Asked<T extends Effect["type"]> = Extract<Effect, { readonly type: T }>;

const effects = {
  chunk: exactly<Asked<"chunk">>({ type: z.literal("chunk"), heartbeats: z.array(heartbeatSchema) }),
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
