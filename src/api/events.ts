import { z } from "zod";
import { readEvents } from "../history/read.ts";
import { userIdOf } from "../http/authenticate.ts";
import { encodePosition, pageLimit, positionCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";

/** The events of all of a user's instances, and what every list of events shares. */

export const eventsQuery = z.object({ limit: pageLimit(100), cursor: positionCursor.optional() });

const eventSchema = component(
  "Event",
  z.object({
    id: z.string(),
    at: z.string(),
    instance_id: z.string().nullable().describe("Null for what concerns no single instance"),
    kind: z.string(),
    severity: severitySchema,
    message: z.string(),
    detail: z.record(z.string(), z.unknown()).describe("Rule, threshold, evidence, times"),
  }),
);

const eventListSchema = component(
  "EventList",
  z.object({ events: z.array(eventSchema), next_cursor: z.string().nullable() }),
);

export const eventsResponse = jsonResponse("A page of events", eventListSchema, {
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
});

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
    return answerEvents(c, { userId: userIdOf(c.var.principal), instanceId: null }, query);
  }
}

/** A page of a user's events, or of one instance's. The service's own events belong to a user of their own. */
export async function answerEvents(
  c: ApiContext,
  whose: { readonly userId: string; readonly instanceId: string | null },
  query: z.infer<typeof eventsQuery>,
): Promise<Response> {
  const { events, next } = await readEvents(c.env.DB, {
    ...whose,
    limit: query.limit,
    before: query.cursor ?? null,
  });
  return c.json({ events, next_cursor: encodePosition(next) });
}
