import { z } from "zod";
import { userIdOf } from "../http/authenticate.ts";
import { encodePosition, pageLimit, positionCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { readerOfRequest } from "../http/language.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";
import { severitySchema } from "../lifecycle/model/history-event.ts";
import { type EventView, eventView } from "../lifecycle/views/event-view.ts";
import { fleetOf } from "../platform/address.ts";

/** The events of all of a user's instances, and what every list of events shares. */

export const eventsQuery = z.object({ limit: pageLimit(100), cursor: positionCursor.optional() });

export const eventSchema = component(
  "Event",
  z.object({
    id: z.string(),
    at: z.string(),
    instance_id: z.string().nullable().describe("Null for what concerns no single instance"),
    kind: z.string(),
    severity: severitySchema,
    message: z.string(),
    detail: z
      .record(z.string(), z.unknown())
      .describe(
        "Rule, threshold, evidence, times; and what the machine costs, in dollars, as far as that is known: `rate`, `running_cost`, `hibernated_cost`, `would_save_hourly`, `saves_hourly` (an hour), `wasted`, `cost_total`, `wasted_total`",
      ),
  }) satisfies z.ZodType<EventView>,
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
      detail: {
        rule: "orphan.orphan_after_seconds",
        last_heartbeat: "2025-12-19T02:15:00Z",
        rate: 0.4,
        hibernated_cost: 0.01,
        would_save_hourly: 0.39,
      },
    },
  ],
  next_cursor: null,
});

export class ListEvents extends Endpoint {
  override schema = {
    operationId: "listEvents",
    tags: ["History"],
    summary: "Read what happened to any of the user's instances, newest first",
    description:
      "The last 30 days. Of events that bear on alerts at least the last week, up to 500,000; of each sort otherwise the newest 20,000. What happened to one instance is kept longer: see its own events.",
    security: security("user"),
    request: { query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const reader = readerOfRequest(c);
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const { entries, next } = await fleet.events(query.cursor ?? null, query.limit);
    return c.json({
      events: entries.map((event) => eventView(event, reader)),
      next_cursor: encodePosition(next),
    });
  }
}
