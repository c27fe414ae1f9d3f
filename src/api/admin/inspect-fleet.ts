import { z } from "zod";
import type { FleetInspection } from "../../fleet/views/inspection.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { fleetOf } from "../../platform/address.ts";
import { instant } from "../instances/instant.ts";
import { demandUser, userParams } from "./act.ts";

const moment = instant.nullable();

const guardSchema = component("InspectedGuard", z.object({ closed_at: moment, opened_at: moment }));

const inspectionSchema = component(
  "FleetInspection",
  z.object({
    instances_by_status: z.record(z.string(), z.number()),
    awake: z.number().describe("Awake and heard"),
    policy_version: z.number(),
    guard: guardSchema,
    vote: guardSchema,
    service_guard: guardSchema,
    service_answered_at: moment.describe("When the service last said how its guard stands"),
    service_silent_from: moment.describe("Since when the service does not answer; null while it does"),
    alarm_at: moment,
    due: z.record(z.string(), moment).describe("When each task is due; null for one that is not"),
    waiting_alerts: z.object({ critical: z.number(), others: z.number(), oldest_at: moment }),
    waiting_deliveries: z.number(),
    deliveries: z
      .array(
        component(
          "InspectedDelivery",
          z.object({
            delivery_id: z.string(),
            channel_id: z.string(),
            digest_id: z.string(),
            retry_at: moment,
            postponed_since: moment.describe("Since when it could not be sent"),
          }),
        ),
      )
      .readonly()
      .describe("Messages that are still to be sent: the 50 that are due first"),
    digests: z
      .array(
        component(
          "InspectedDigest",
          z.object({ digest_id: z.string(), alerts: z.number(), last_alert_at: moment }),
        ),
      )
      .readonly()
      .describe("The newest, which can be delivered again"),
    tables: z.record(z.string(), z.number()).describe("Rows of each table"),
    database_bytes: z.number(),
  }) satisfies z.ZodType<FleetInspection>,
);

const OPEN = { closed_at: null, opened_at: null };

export class InspectFleet extends Endpoint {
  override schema = {
    operationId: "inspectFleet",
    tags: ["Administration"],
    summary: "Look into a user's fleet",
    description: "Its guard, what is due, what waits to be told, and how large it is.",
    security: security("admin"),
    request: { params: userParams },
    responses: {
      200: jsonResponse("The fleet", inspectionSchema, {
        instances_by_status: { running: 12, hibernated: 3 },
        awake: 12,
        policy_version: 3,
        guard: OPEN,
        vote: OPEN,
        service_guard: OPEN,
        service_answered_at: "2025-12-19T03:25:30Z",
        service_silent_from: null,
        alarm_at: "2025-12-19T23:25:30Z",
        due: { deliveries: null, totals: "2025-12-19T23:25:30Z" },
        waiting_alerts: { critical: 0, others: 0, oldest_at: null },
        waiting_deliveries: 0,
        deliveries: [],
        digests: [{ digest_id: "u-1-ordinary-7", alerts: 2, last_alert_at: "2025-12-19T02:20:00Z" }],
        tables: { instances: 15, events: 120, channels: 1 },
        database_bytes: 204_800,
      }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const answer = await fleetOf(c.env, params.id).operate({ type: "inspect" });
    if (answer.type !== "inspected") throw new Error(`the fleet answered ${answer.type}`);
    return c.json(answer.inspection);
  }
}
