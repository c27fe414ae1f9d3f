import { z } from "zod";
import { cutText, lastLines } from "./plain-text.ts";

/** What a heartbeat says beside its readings: what the machine is used for, its owner's hooks, and its near end. */

export const MAXIMUM_SOURCES = 32;

const sourceSchema = z.object({
  name: z.string().regex(/^[a-z0-9_]{1,32}$/, "must be 1 to 32 of lower-case letters, digits, '_'"),
  value: z
    .number()
    .min(0)
    .max(1_000_000_000)
    .nullable()
    .describe("Null: it could not be read, and so counts as use"),
  note: cutText(120).nullish(),
});

/** One source of activity, as a heartbeat has it. */
export type SourceReading = z.infer<typeof sourceSchema>;

/** Each name once. Of one that comes twice the higher value counts, and an unknown one above all. */
export function distinctSources(readings: readonly SourceReading[]): readonly SourceReading[] {
  const distinct = new Map<string, SourceReading>();
  for (const reading of readings) {
    const known = distinct.get(reading.name);
    if (known === undefined || counts(reading.value) > counts(known.value))
      distinct.set(reading.name, reading);
  }
  return [...distinct.values()];
}

function counts(value: number | null): number {
  return value ?? Number.POSITIVE_INFINITY;
}

export const sourcesSchema = z
  .array(sourceSchema)
  .max(MAXIMUM_SOURCES)
  .describe(
    "Sources of activity since the last heartbeat that was accepted, each once: ssh_connections, notebook_connections, busy_kernels, cpu_cores, network_kb_per_second, disk_kb_per_second, compute_processes, work_NAME, script_NAME, or others of your own. With it `activity` is ignored",
  );

/** When the owner's hooks run. */
const HOOK_STAGES = ["warning", "prepare", "resume"] as const;

export type HookStage = (typeof HOOK_STAGES)[number];

export const hooksSchema = z
  .array(z.enum(HOOK_STAGES))
  .max(HOOK_STAGES.length)
  .describe("The stages for which the machine has hooks of its owner");

export const preparationSchema = z.object({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/, "must be 1 to 64 of letters, digits, '.', '_', ':', '-'")
    .nullish()
    .describe("The `preparation_id` of the answer that asked for it"),
  state: z.enum(["running", "succeeded", "failed"]),
  seconds: z.number().min(0).max(1_000_000).describe("For how long the hooks have run"),
  line: cutText(200).nullish(),
  log: lastLines(4000).nullish(),
});

/** How far the owner's hooks have come. */
export type PreparationReport = z.infer<typeof preparationSchema>;

export const reclaimSchema = z.object({
  by: z.enum(["ec2", "gcp", "azure"]),
  action: cutText(32).nullish(),
  in_seconds: z.number().min(0).max(86_400).nullish(),
});

export const deadManSchema = z.object({
  hours: z.number().min(0).max(10_000),
  acted_seconds_ago: z
    .number()
    .min(0)
    .max(100_000_000)
    .nullish()
    .describe("Since it hibernated its machine by itself; null where it has not"),
});
