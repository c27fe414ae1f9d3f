import { z } from "zod";
import { DAY_MS } from "./time.ts";
import { DAYS } from "./windows.ts";
import { isKnownZone } from "./zone.ts";

/** Windows of time in which a policy does something else, in the fields of the HTTP API. */

export const timeOfDaySchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day, as 09:30");

/** A window of every week. One whose end is not after its start ends on the next day. */
export const weeklyWindowSchema = z.strictObject({
  days: z.array(z.enum(DAYS)).min(1).max(7).describe("The days on which it begins"),
  from: timeOfDaySchema,
  to: timeOfDaySchema.describe("Not after `from`: on the next day"),
});

const LONGEST_DATED_WINDOW_MS = 7 * DAY_MS;

/** A window that comes once. */
export const datedWindowSchema = z
  .strictObject({ from: z.iso.datetime({ offset: true }), to: z.iso.datetime({ offset: true }) })
  .refine(
    ({ from, to }) => {
      const lengthMs = Date.parse(to) - Date.parse(from);
      return lengthMs > 0 && lengthMs <= LONGEST_DATED_WINDOW_MS;
    },
    { path: ["to"], message: "must be after `from`, and at most seven days" },
  );

/** The name of a time zone that this runtime knows, such as America/Sao_Paulo. */
export const timezoneSchema = z
  .string()
  .max(64)
  .refine(isKnownZone, "must be the name of a time zone, as America/Sao_Paulo")
  .describe("A name of the IANA time zone database, as America/Sao_Paulo");

export const scheduleSchema = z.strictObject({
  timezone: timezoneSchema,
  awake: z
    .array(weeklyWindowSchema)
    .max(14)
    .describe("Windows in which nothing is hibernated for idleness; none: there is no schedule"),
  outside: z
    .enum(["idle_rules", "hibernate"])
    .describe(
      "What happens outside these windows: idleness is judged as ever, or all that runs is hibernated at a window's end, whatever it does",
    ),
  wake_at_start: z
    .boolean()
    .describe("Whether a window's start wakes what was hibernated by the schedule or for idleness"),
});

export const maintenanceSchema = z.strictObject({
  timezone: timezoneSchema,
  windows: z
    .array(z.union([weeklyWindowSchema, datedWindowSchema]))
    .max(20)
    .describe("Windows in which nothing is done about silence; it counts from their end"),
});

export type WeeklyWindow = z.infer<typeof weeklyWindowSchema>;
export type DatedWindow = z.infer<typeof datedWindowSchema>;
export type ScheduleSettings = z.infer<typeof scheduleSchema>;
export type MaintenanceSettings = z.infer<typeof maintenanceSchema>;

export const NO_SCHEDULE: ScheduleSettings = {
  timezone: "UTC",
  awake: [],
  outside: "idle_rules",
  wake_at_start: false,
};

export const NO_MAINTENANCE: MaintenanceSettings = { timezone: "UTC", windows: [] };
