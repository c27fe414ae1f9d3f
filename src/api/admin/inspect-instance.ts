import { z } from "zod";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import type { InstanceInspection } from "../../instance/inspection.ts";
import { actorOf } from "../../platform/address.ts";
import { instant } from "../instances/instant.ts";
import { demandUser, userInstanceParams } from "./act.ts";

const failingSchema = component(
  "FailingTarget",
  z.object({
    target: z.string(),
    failures: z.number().describe("In a row"),
    since: instant,
    retry_at: instant,
  }),
);

const effectSchema = component(
  "WaitingEffect",
  z.object({
    id: z.number(),
    type: z.string(),
    what: z
      .string()
      .nullable()
      .describe("The kind of an event, the id of an order, the step that the guard is asked for"),
    delivered: z.array(z.string()).readonly().describe("The targets that have it"),
    failing: z.array(failingSchema).readonly(),
  }),
);

const inspectionSchema = component(
  "InstanceInspection",
  z.object({
    unreadable_because: z.string().nullable().describe("Why its row can't be read; null when it can"),
    is_leaving: z.boolean().describe("Removed, and here until all of it is delivered"),
    alarm_at: instant.nullable(),
    database_bytes: z.number(),
    history_shard: z.number().nullable(),
    token_generation: z.number().nullable(),
    user_policy_version: z.number().nullable(),
    state: z.record(z.string(), z.unknown()).describe("As it is stored: its shape changes with the versions"),
    heartbeats: z.object({
      kept: z.number(),
      waiting: z.number().describe("In no chunk for the history yet"),
    }),
    targets_down: z.array(failingSchema).readonly(),
    waiting: z.number().describe("Effects in the row"),
    held: z.number().describe("Effects in rows of their own"),
    parked: z.number().describe("Effects that failed ten times, and are tried once an hour"),
    waiting_effects: z.array(effectSchema).readonly().describe("The oldest 100"),
    parked_effects: z.array(effectSchema).readonly().describe("The oldest 100"),
    parked_tried_at: instant.nullable(),
  }) satisfies z.ZodType<Omit<InstanceInspection, "state">>,
);

export class InspectInstance extends Endpoint {
  override schema = {
    operationId: "inspectInstance",
    tags: ["Administration"],
    summary: "Look into an instance",
    description:
      "What its object has stored, and when its alarm fires. It shows no token and no credentials.",
    security: security("admin"),
    request: { params: userInstanceParams },
    responses: {
      200: jsonResponse("The instance", inspectionSchema, {
        unreadable_because: null,
        is_leaving: false,
        alarm_at: "2025-12-19T03:30:00Z",
        database_bytes: 8192,
        history_shard: 0,
        token_generation: 1766114730000,
        user_policy_version: 3,
        state: { phase: { status: "running", idle: null } },
        heartbeats: { kept: 30, waiting: 12 },
        targets_down: [
          {
            target: "history",
            failures: 3,
            since: "2025-12-19T03:20:00Z",
            retry_at: "2025-12-19T03:28:00Z",
          },
        ],
        waiting: 1,
        held: 0,
        parked: 0,
        waiting_effects: [
          { id: 1766114730012, type: "event", what: "idle", delivered: ["fleet"], failing: [] },
        ],
        parked_effects: [],
        parked_tried_at: null,
      }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const inspection = await actorOf(c.env, params.id, params.instance_id).inspect();
    if (inspection === null) throw notFound();
    return c.json({ ...inspection, state: JSON.parse(inspection.state) });
  }
}
