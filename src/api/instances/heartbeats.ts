import { z } from "zod";
import { readDays, readHours } from "../../history/hours.ts";
import { readHeartbeats } from "../../history/read.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { encodePosition, pageLimit, positionCursor } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { heartbeatExample } from "./examples.ts";
import { heartbeatPlace } from "./history.ts";
import { instantQuery } from "./instant.ts";
import { heartbeatViewSchema, instanceParams } from "./schemas.ts";

const heartbeatsQuery = z.object({
  from: instantQuery.optional(),
  to: instantQuery.optional(),
  limit: pageLimit(100),
  cursor: positionCursor.optional(),
  resolution: z.enum(["raw", "hour", "day"]).default("raw"),
});

const spanFields = {
  heartbeats: z.number(),
  avg_gpu_utilization: z.number().nullable(),
  max_gpu_utilization: z
    .number()
    .nullable()
    .describe("The highest that was told, also between two heartbeats"),
  avg_cpu_utilization: z.number().nullable(),
  max_vram_used_gb: z.number().nullable(),
  max_ram_used_gb: z.number().nullable(),
  max_cost_accumulated: z.number().nullable(),
  work_heartbeats: z
    .number()
    .nullable()
    .describe(
      "How many of them showed work: a GPU at 3 % or more, a source of activity at its default threshold, or something that could not be read; without a reading of a GPU, the CPU at 5 % or more. Null where a former release rolled up hours",
    ),
};

const hourSchema = component(
  "HeartbeatHour",
  z.object({ hour: z.string().describe("The hour's first moment"), ...spanFields }),
);

const daySchema = component(
  "HeartbeatDay",
  z.object({ day: z.string().describe("A UTC day, as `2025-12-31`"), ...spanFields }),
);

const heartbeatsSchema = component(
  "HeartbeatList",
  z.object({
    instance_id: z.string(),
    heartbeats: z.array(heartbeatViewSchema).optional(),
    hours: z.array(hourSchema).optional(),
    days: z.array(daySchema).optional(),
    next_cursor: z.string().nullable(),
  }),
);

export class ListHeartbeats extends Endpoint {
  override schema = {
    operationId: "listHeartbeats",
    tags: ["History"],
    summary: "Read an instance's heartbeats, newest first",
    description:
      "Both ends of the range are included. `resolution=hour` answers `hours` in place of `heartbeats`: one entry an hour, also whole for the hours in which the range begins and ends; the newest heartbeats are in it within an hour. `resolution=day` answers `days` in the same way, by UTC days. What was kept of an instance that was removed can be read until it expires.",
    security: security("user"),
    request: { params: instanceParams, query: heartbeatsQuery },
    responses: {
      200: jsonResponse("A page of the history", heartbeatsSchema, {
        instance_id: "28864630",
        heartbeats: [heartbeatExample],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const from = query.from ?? 0;
    const to = query.to ?? Date.now();
    if (from > to) throw invalid([{ path: "query.from", message: text("must.not_be_after_to") }]);
    const before =
      query.cursor === undefined
        ? { at: to, sequence: Number.MAX_SAFE_INTEGER }
        : { at: query.cursor.at, sequence: Number(query.cursor.tie) };
    const { database, waiting } = await heartbeatPlace(c.env, userId, params.id, {
      from,
      before,
      limit: query.limit + 1,
    });
    const range = {
      userId,
      instanceId: params.id,
      from,
      to,
      limit: query.limit,
      before: query.cursor ?? null,
    };
    if (query.resolution === "hour") {
      const { entries: hours, next } = await readHours(database, range);
      return c.json({ instance_id: params.id, hours, next_cursor: encodePosition(next) });
    }
    if (query.resolution === "day") {
      const { entries: days, next } = await readDays(database, range);
      return c.json({ instance_id: params.id, days, next_cursor: encodePosition(next) });
    }
    const { entries: heartbeats, next } = await readHeartbeats(database, range, waiting);
    return c.json({ instance_id: params.id, heartbeats, next_cursor: encodePosition(next) });
  }
}
