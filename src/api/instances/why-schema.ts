import { z } from "zod";
import { component } from "../../http/openapi.ts";
import { STATUSES } from "../../lifecycle/model/phase.ts";
import { presetOf } from "../../lifecycle/model/presets.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { SOURCE_STATES } from "../../lifecycle/rules/use.ts";
import type { EventView } from "../../lifecycle/views/event-view.ts";
import { REASONS } from "../../replay/differences.ts";
import { type JudgedReading, VERDICTS, type Why } from "../../replay/why.ts";
import { eventSchema } from "../events.ts";
import { policySchema } from "../policy.ts";
import { shownPresetSchema } from "../presets.ts";
import { instant } from "./instant.ts";
import { explanationSchema } from "./schemas.ts";

/** What the policy saw and thought at a moment of the past. */

const judgedReadingSchema = component(
  "JudgedReading",
  z
    .object({
      at: instant,
      verdict: z
        .enum(["quiet", "active", "unknown"])
        .describe("Whether it showed use; `unknown` counts as use: nothing did but what could not be read"),
      because: z.string().nullable().describe("What shows use, or cannot be read; null where it is quiet"),
      metric: z.enum(["GPU", "CPU"]).nullable().describe("What idleness went by; null: it could not be read"),
      percent: z.number().nullable().describe("The highest since the heartbeat before"),
      threshold_percent: z.number(),
      sources: z
        .array(
          z.object({
            name: z
              .string()
              .describe("Of counters of work and of scripts only the kind is kept: `work`, `scripts`"),
            value: z.number().nullable().describe("The highest of its kind. Null: it could not be read"),
            threshold: z.number().nullable().describe("Null: it is ignored"),
            state: z.enum(SOURCE_STATES),
          }),
        )
        .readonly(),
      activity: z.string().nullable().describe("In the words of an agent that knows no sources"),
      is_late: z.boolean().describe("It was taken while the service was out of reach, and came later"),
      is_preparing: z.boolean().describe("Its owner's hooks ran"),
    })
    .describe("A reading, judged by the policy of its time"),
);

type JudgedReadingView = z.infer<typeof judgedReadingSchema>;

const policyThenSchema = component(
  "PolicyThen",
  z
    .object({
      since: instant.describe("It was in force since then, or since before what was looked at"),
      unknown_because: z
        .string()
        .nullable()
        .describe("Null: it is known. Else why the settings of a later time stand here"),
      preset: shownPresetSchema,
      settings: policySchema,
    })
    .describe("The policy that was in force"),
);

const keptHourSchema = component(
  "KeptHour",
  z
    .object({
      hour: instant,
      heartbeats: z.number(),
      work_heartbeats: z.number().nullable().describe("How many of them showed work; null: not kept"),
      max_gpu_utilization: z.number().nullable(),
    })
    .describe("An hour of which only sums are kept"),
);

const differenceSchema = component(
  "RetraceDifference",
  z
    .object({
      at: instant,
      kind: z.string().describe("Of the event"),
      was: z.enum(["not predicted", "only predicted"]),
      reason: z.enum(REASONS),
      because: z.string().describe("What shows the reason; empty where it is unexplained"),
    })
    .describe("An event that does not follow from what is kept, or that would and did not happen"),
);

export const whySchema = component(
  "InstanceWhy",
  z.object({
    instance_id: z.string(),
    at: instant,
    status: z.enum(STATUSES).describe("How it stood then"),
    verdict: z
      .enum(VERDICTS)
      .describe(
        "What the policy made of it. `unknown`: nothing showed use but what could not be read, which counts as use. `not_judged`: idleness was switched off. `silent`: nothing fresh was heard. `off`: it was hibernated or deleted, or on its way. `not_kept`: of that time only hours are kept",
      ),
    idle_since: instant.nullable().describe("Of the idle run of that moment; null without one"),
    idle_at_least: z.boolean().describe("It may have been idle for longer: nothing before was looked at"),
    lifecycle: explanationSchema,
    policy: z.union([policyThenSchema, z.null()]),
    heard: z.union([judgedReadingSchema, z.null()]).describe("The newest reading by then"),
    readings: z
      .array(judgedReadingSchema)
      .readonly()
      .describe("Oldest first: at most 40 up to the moment, and 20 after it"),
    hour: z
      .union([keptHourSchema, z.null()])
      .describe("The hour of the moment, where no single reading is kept"),
    differences: z
      .array(differenceSchema)
      .readonly()
      .describe("Of the six hours before, where retracing them does not give what happened: at most 10"),
    events: z.array(eventSchema).readonly().describe("Around the moment, newest first: at most 50"),
  }),
);

type WhyView = z.infer<typeof whySchema>;

export function whyView(instanceId: string, why: Why, events: readonly EventView[]): WhyView {
  const { policy, hour } = why;
  return {
    instance_id: instanceId,
    at: toIso(why.at),
    status: why.status,
    verdict: why.verdict,
    idle_since: why.idleSince === null ? null : toIso(why.idleSince),
    idle_at_least: why.isIdleLonger,
    lifecycle: why.lifecycle,
    policy:
      policy === null
        ? null
        : {
            since: toIso(policy.from),
            unknown_because: policy.unknownBecause,
            preset: presetOf(policy.settings),
            settings: policy.settings,
          },
    heard: why.heard === null ? null : readingView(why.heard),
    readings: why.readings.map(readingView),
    hour:
      hour === null
        ? null
        : {
            hour: toIso(hour.at),
            heartbeats: hour.heartbeats,
            work_heartbeats: hour.workHeartbeats,
            max_gpu_utilization: hour.gpuMaxPercent,
          },
    differences: why.differences.map((difference) => ({ ...difference, at: toIso(difference.at) })),
    events,
  };
}

function readingView(reading: JudgedReading): JudgedReadingView {
  return {
    at: toIso(reading.at),
    verdict: reading.verdict,
    because: reading.because,
    metric: reading.metric,
    percent: reading.percent,
    threshold_percent: reading.thresholdPercent,
    sources: reading.sources,
    activity: reading.activity,
    is_late: reading.isLate,
    is_preparing: reading.isPreparing,
  };
}
