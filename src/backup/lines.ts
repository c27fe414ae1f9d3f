import { z } from "zod";
import { roleSchema } from "../accounts/roles.ts";
import { AT_LIMIT } from "../fleet/rules/budget.ts";
import { costFigures } from "../history/costs.ts";

/**
 * The format of an export: JSON lines, each with a `type`. The first one names the version, the last one says how many there
 * are. Times are milliseconds since the epoch, as they are stored. To keep more, add a line or an optional field; another
 * meaning needs another version.
 */

export const FORMAT_VERSION = 1;

const moment = z.int().min(0);
const id = z.string().min(1).max(200);
const text = z.string().max(4000);
const figure = z.number().nullable();

export const userIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "must be 1 to 64 of letters, digits, '_', '-'");

const exportLine = z.object({
  type: z.literal("export"),
  version: z.literal(FORMAT_VERSION),
  user_id: userIdSchema,
  exported_at: moment,
  note: text,
});

const userLine = z.object({
  type: z.literal("user"),
  name: z.string().max(200),
  created_at: moment,
  /** Since when the operator has suspended the user; null while that is not so. */
  suspended_at: moment.nullable().default(null),
  language: z.string().max(64).nullable().default(null),
  time_zone: z.string().max(64).nullable().default(null),
  /** When the last token ended, or way to sign in was disconnected, of which no record is left. */
  keys_forgotten_until: moment.nullable().default(null),
});

const tokenLine = z.object({
  type: z.literal("token"),
  id,
  name: z.string().max(200),
  /** Absent in older exports, as are the next two: then it is an owner's, and does not end. */
  role: roleSchema.default("owner"),
  created_at: moment,
  expires_at: moment.nullable().default(null),
  last_used_at: moment.nullable().default(null),
  revoked_at: moment.nullable(),
  made_by_id: id.nullable().default(null),
});

const enrollmentLine = z.object({
  type: z.literal("enrollment"),
  id,
  name: z.string().max(200),
  uses: z.int().min(1),
  expires_at: moment,
  /** JSON: what is registered of each machine. */
  defaults: text,
  created_at: moment,
  last_used_at: moment.nullable(),
});

const enrolledMachineLine = z.object({
  type: z.literal("enrolled_machine"),
  enrollment_id: id,
  machine: z.string().min(1).max(200),
  taken_at: moment,
  registered_at: moment.nullable(),
});

/** Somebody who may sign in, or might once. */
const personLine = z.object({
  type: z.literal("person"),
  id,
  name: z.string().max(200),
  email: z.string().max(254).nullable(),
  role: z.string().max(64),
  created_at: moment,
  last_seen_at: moment.nullable(),
  removed_at: moment.nullable(),
});

/** How a person is known when signing in: by a provider's name, or by an address that was proven. */
const identityLine = z.object({
  type: z.literal("identity"),
  issuer: z.string().min(1).max(2000),
  subject: z.string().min(1).max(2000),
  person_id: id,
  bound_at: moment,
});

/** Something that somebody did in the account. */
const actLine = z.object({
  type: z.literal("act"),
  at: moment,
  id,
  /** JSON. */
  who: text,
  act: z.string().max(200),
  subject: z.string().max(200).nullable(),
  /** JSON. */
  detail: text,
});

const fleetLine = z.object({
  type: z.literal("fleet"),
  policy: z.record(z.string(), z.unknown()),
  policy_version: z.int().min(0),
  hibernations: z.record(
    z.string().max(64),
    z.object({ hibernations: z.int().min(0), regretted: z.int().min(0) }),
  ),
  /** Absent in older exports. */
  hibernations_by_month: z
    .object({
      since: moment.nullable(),
      months: z
        .array(z.object({ month: moment, hibernations: z.int().min(0), regretted: z.int().min(0) }))
        .max(14),
    })
    .optional(),
  budget: z
    .object({
      day: z.number().positive().nullable(),
      month: z.number().positive().nullable(),
      at_limit: z.enum(AT_LIMIT),
    })
    .optional(),
});

const channelLine = z.object({
  type: z.literal("channel"),
  id: z.string().min(1).max(64),
  kind: z.string().max(64),
  name: z.string().max(200),
  minimum_severity: z.string().max(64),
  created_at: moment,
  /** Sealed by SEAL_KEY for this user and channel. */
  settings: z.string().max(8000),
  origin: z.string().max(2000),
  /** Whether its address may be written to: see confirmations. */
  confirmed: z.boolean().default(true),
  /** Since when it is told of nothing, and why. */
  paused: z.object({ at: moment, because: z.string().max(64) }).optional(),
});

const credentialsLine = z.object({
  type: z.literal("credentials"),
  /** The id of the connection, which is the kind of its provider for the first of a kind. */
  kind: z.string().max(64),
  /** Sealed by SEAL_KEY for this user and connection. */
  sealed: z.string().max(8000),
  set_at: moment,
  /** Of the connection; absent in an export of a service that had only one of each kind. */
  provider: z.string().max(64).optional(),
  name: z.string().max(200).optional(),
  created_at: moment.optional(),
});

const instanceLine = z.object({
  type: z.literal("instance"),
  instance_id: id,
  /** What the registry says; for whoever reads the file. */
  listed: z.record(z.string(), z.unknown()),
  /** What its actor keeps, with the version of that; null when there is none, or it can't be read. */
  state: z.record(z.string(), z.unknown()).nullable(),
  /** Of its owner, when it was exported; absent in older exports. */
  policy_version: z.int().min(0).optional(),
});

const eventLine = z.object({
  type: z.literal("event"),
  /** Empty for an event of the fleet itself. */
  instance_id: z.string().max(200),
  id,
  at: moment,
  kind: z.string().max(64),
  severity: z.string().max(64),
  message: text,
  /** JSON. */
  detail: z.string().max(16_000),
});

const heartbeatsLine = z.object({
  type: z.literal("heartbeats"),
  instance_id: id,
  first_at: moment,
  first_sequence: z.int().min(0),
  last_at: moment,
  /** JSON: an array for each heartbeat, in the columns of `heartbeat_chunks`. */
  samples: z.string().max(64_000),
});

const hourLine = z.object({
  type: z.literal("hour"),
  instance_id: id,
  hour: moment,
  heartbeats: z.int().min(0),
  gpu_sum: z.number(),
  gpu_heartbeats: z.int().min(0),
  gpu_max: figure,
  cpu_sum: z.number(),
  cpu_heartbeats: z.int().min(0),
  vram_max: figure,
  cost_max: figure,
  ram_max: figure,
  /** Unknown to a former release, which leaves it out. */
  quiet_heartbeats: z.int().min(0).nullish(),
});

/** What an instance has cost on a day that is over, in the columns of `cost_days`. */
const costDayLine = z.object({
  type: z.literal("cost_day"),
  /** Its first instant. */
  day: moment,
  instance_id: id,
  ...costFigures,
  provider: z.string().max(64),
  /** JSON. */
  tags: text,
  closed_at: moment,
});

/** A line that a service writes and takes. */
export const lineSchema = z.discriminatedUnion("type", [
  exportLine,
  userLine,
  tokenLine,
  enrollmentLine,
  enrolledMachineLine,
  personLine,
  identityLine,
  actLine,
  fleetLine,
  channelLine,
  credentialsLine,
  instanceLine,
  eventLine,
  heartbeatsLine,
  hourLine,
  costDayLine,
]);

const endLine = z.object({ type: z.literal("end"), lines: z.int().min(0) });

/** A line of a file. */
export const fileLineSchema = z.discriminatedUnion("type", [...lineSchema.options, endLine]);

export type Line = Readonly<z.infer<typeof lineSchema>>;
export type FileLine = Readonly<z.infer<typeof fileLineSchema>>;
export type LineOf<T extends Line["type"]> = Extract<Line, { type: T }>;
