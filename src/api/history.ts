import { z } from "zod";
import { isRegistered } from "../fleet/registry.ts";
import { readEvents, readHeartbeats, readHours } from "../history/read.ts";
import { historyOf } from "../history/shards.ts";
import { security, userIdOf } from "../http/authenticate.ts";
import { encodePosition, positionCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint, errorResponses, jsonResponse } from "../http/endpoint.ts";
import { invalid, notFound, unreadable } from "../http/errors.ts";
import { isUnreadable } from "../instance/outcomes.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { actorOf } from "../platform/address.ts";
import { instanceParams } from "./instances.ts";
import { heartbeatExample, heartbeatViewSchema } from "./views.ts";

const instantQuery = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .describe("ISO 8601 with time zone");

const hourSchema = z.object({
  hour: z.string().describe("The hour's first moment"),
  heartbeats: z.number(),
  avg_gpu_utilization: z.number().nullable(),
  max_gpu_utilization: z.number().nullable(),
  avg_cpu_utilization: z.number().nullable(),
  max_vram_used_gb: z.number().nullable(),
  max_ram_used_gb: z.number().nullable(),
  max_cost_accumulated: z.number().nullable(),
});

export class ListHeartbeats extends Endpoint {
  override schema = {
    operationId: "listHeartbeats",
    tags: ["History"],
    summary: "Read an instance's heartbeats, newest first",
    description:
      "Both ends of the range are included. `resolution=hour` answers `hours` in place of `heartbeats`: one entry an hour; the newest heartbeats are in it some minutes later.",
    security: security("user"),
    request: {
      params: instanceParams,
      query: z.object({
        from: instantQuery.optional(),
        to: instantQuery.optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
        cursor: positionCursor.optional(),
        resolution: z.enum(["raw", "hour"]).default("raw"),
      }),
    },
    responses: {
      200: jsonResponse(
        "A page of the history",
        z.object({
          instance_id: z.string(),
          heartbeats: z.array(heartbeatViewSchema).optional(),
          hours: z.array(hourSchema).optional(),
          next_cursor: z.string().nullable(),
        }),
        { instance_id: "28864630", heartbeats: [heartbeatExample], next_cursor: null },
      ),
      ...errorResponses(400, 401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const from = query.from ?? 0;
    const to = query.to ?? Date.now();
    if (from > to) throw invalid([{ path: "query.from", message: "must not be after `to`" }]);
    const history = await actorOf(c.env, userId, params.id).history();
    if (history === null) throw notFound();
    if (isUnreadable(history)) throw unreadable();
    const database = historyOf(c.env, history.shard);
    const range = {
      userId,
      instanceId: params.id,
      from,
      to,
      limit: query.limit,
      before: query.cursor ?? null,
    };
    if (query.resolution === "hour") {
      const { hours, next } = await readHours(database, range);
      return c.json({ instance_id: params.id, hours, next_cursor: encodePosition(next) });
    }
    const { heartbeats, next } = await readHeartbeats(database, range, history.waiting);
    return c.json({ instance_id: params.id, heartbeats, next_cursor: encodePosition(next) });
  }
}

export const eventsQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: positionCursor.optional(),
});

export const eventsResponse = jsonResponse(
  "A page of events",
  z.object({
    events: z.array(
      z.object({
        id: z.string(),
        at: z.string(),
        instance_id: z.string().nullable().describe("Null for what concerns no single instance"),
        kind: z.string(),
        severity: severitySchema,
        message: z.string(),
        detail: z.record(z.string(), z.unknown()).describe("Rule, threshold, evidence, times"),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
  {
    events: [
      {
        id: "mb5k2x1c",
        at: "2025-12-19T02:20:00Z",
        instance_id: "98765432",
        kind: "orphaned",
        severity: "warning",
        message: "Instance Render Farm may be stuck: no heartbeat for 5 minutes",
        detail: { rule: "orphan.orphan_after_seconds", last_heartbeat: "2025-12-19T02:15:00Z" },
      },
    ],
    next_cursor: null,
  },
);

export class ListInstanceEvents extends Endpoint {
  override schema = {
    operationId: "listInstanceEvents",
    tags: ["History"],
    summary: "Read what happened to an instance, newest first",
    security: security("user"),
    request: { params: instanceParams, query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, query } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    if (!(await isRegistered(c.env.DB, userId, params.id))) throw notFound();
    return answerEvents(c, params.id, query);
  }
}

export class ListEvents extends Endpoint {
  override schema = {
    operationId: "listEvents",
    tags: ["History"],
    summary: "Read what happened to any of the user's instances, newest first",
    security: security("user"),
    request: { query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    return answerEvents(c, null, query);
  }
}

async function answerEvents(
  c: ApiContext,
  instanceId: string | null,
  query: z.infer<typeof eventsQuery>,
): Promise<Response> {
  return answerEventsOf(c, userIdOf(c.var.principal), instanceId, query);
}

/** Also for the service's own events, which stand under a user of their own. */
export async function answerEventsOf(
  c: ApiContext,
  userId: string,
  instanceId: string | null,
  query: z.infer<typeof eventsQuery>,
): Promise<Response> {
  const { events, next } = await readEvents(c.env.DB, {
    userId,
    instanceId,
    limit: query.limit,
    before: query.cursor ?? null,
  });
  return c.json({ events, next_cursor: encodePosition(next) });
}
