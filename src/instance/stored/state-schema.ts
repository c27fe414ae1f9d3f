import { z } from "zod";
import type { Costs, Counters, Savings } from "../../lifecycle/model/counters.ts";
import type { GpuReading } from "../../lifecycle/model/heartbeat.ts";
import type { HookStage } from "../../lifecycle/model/heartbeat-use.ts";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import type {
  Agent,
  Clock,
  Flaps,
  InstanceState,
  Profile,
  Reclaimed,
  ToldCosts,
} from "../../lifecycle/model/state.ts";
import { openEnum } from "../../lifecycle/model/stored.ts";
import type { GpuSeen, SourceSeen, UseSeen } from "../../lifecycle/model/use.ts";
import { heartbeatSchema, pendingEffectSchema, sightedSchema } from "./effect-schema.ts";
import { exactly } from "./fields.ts";
import { ledgerSchema } from "./ledger-schema.ts";
import { endedPreparationSchema, phaseSchema, plannedStopSchema } from "./phase-schema.ts";

/**
 * What a stored state must be. It follows the types of `lifecycle/` field by field, or it does not compile. A field that
 * is added there needs a line here and a migration: see `versions.ts`. A field of the row that is not named here is left
 * out.
 */

const number = z.number();
const numberOrNull = z.number().nullable();
const text = z.string();
const textOrNull = z.string().nullable();

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
  // No rule asks for them: what can't be read must not keep the rest from being read.
  tags: z.record(text, text).optional().catch(undefined),
});

const clock = exactly<Clock>({
  lastHeartbeatAt: numberOrNull,
  keepAliveUntil: numberOrNull,
  graceUntil: numberOrNull,
  countsFrom: numberOrNull,
  maintainedUntil: number.optional(),
  late: z.object({ from: number, until: number }).optional(),
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

const gpuReading = z.object({
  index: number,
  name: text.nullish(),
  utilization: number.nullish(),
  utilization_max: number.nullish(),
  vram_used_gb: number.nullish(),
  vram_total_gb: number.nullish(),
  power_watts: number.nullish(),
  power_limit_watts: number.nullish(),
  compute_processes: number.nullish(),
} satisfies { [Key in keyof GpuReading]-?: z.ZodType<GpuReading[Key]> });

const seenSource = exactly<SourceSeen>({
  name: text,
  value: numberOrNull,
  note: textOrNull,
  quietSince: numberOrNull,
});

const seenGpu = exactly<GpuSeen>({
  index: number,
  quietSince: number.optional(),
  stuckSince: number.optional(),
});

const seenUse = exactly<UseSeen>({
  at: number,
  gpuPercent: numberOrNull,
  hasUnreadGpu: z.boolean(),
  cpuPercent: numberOrNull,
  activity: textOrNull,
  quietSince: numberOrNull,
  sources: z.array(seenSource),
  gpus: z.array(seenGpu),
  unreadSince: numberOrNull,
  unreadToldAt: number.optional(),
  stuckToldAt: number.optional(),
});

export const stateSchema = exactly<InstanceState>({
  profile,
  phase: phaseSchema,
  clock,
  counters,
  ledger: ledgerSchema.optional(),
  toldCosts: exactly<ToldCosts>({ at: number, dollars: number, hourlyCost: numberOrNull }).optional(),
  recent: z.array(heartbeatSchema),
  unflushed: number,
  // The next heartbeat shows it anew: what can't be read must not keep the rest from being read.
  use: seenUse.optional().catch(undefined),
  gpuTrend: z.array(numberOrNull),
  outbox: z.array(pendingEffectSchema),
  nextEffectId: number,
  flaps: exactly<Flaps>({ turns: z.array(number), told: z.boolean() }),
  agent: exactly<Agent>({
    bootId: textOrNull,
    sequence: numberOrNull,
    gpus: z.array(gpuReading),
    // What can't be read must not keep the rest from being read.
    hooks: z.array(openEnum<HookStage>()).optional().catch(undefined),
    hasGpu: z.boolean(),
    rebootToldAt: numberOrNull,
    lastWordAt: numberOrNull,
    nextInHistory: number,
  }),
  sighted: sightedSchema.nullable(),
  listedHourlyCost: number.optional(),
  stoppedHourlyCost: number.optional(),
  meantToRunSince: number.optional(),
  runningSince: number.optional(),
  windowsFrom: number.optional(),
  plannedStops: z.array(plannedStopSchema).optional(),
  // No rule asks for it.
  lastPreparation: endedPreparationSchema.optional().catch(undefined),
  reclaimed: exactly<Reclaimed>({
    by: textOrNull,
    action: textOrNull,
    at: number,
    endsAt: numberOrNull,
  }).optional(),
  noticedFrom: number.optional(),
  noticeToldAt: number.optional(),
  deadManActedAt: number.optional(),
  deadManToldAt: number.optional(),
  reminders: exactly<InstanceState["reminders"]>({
    wouldHibernateAt: numberOrNull,
    wouldDeleteAt: numberOrNull,
    wouldWakeAt: number.optional(),
  }),
}) satisfies z.ZodType<InstanceState>;
