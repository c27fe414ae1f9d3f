import { z } from "zod";
import { userIdOf } from "../../http/authenticate.ts";
import { encodePosition, positionCursor } from "../../http/cursor.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, unavailable } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { severitySchema } from "../../lifecycle/model/history-event.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { alertExample, alertSchema, alertView, snoozeExample, snoozeSchema, snoozeView } from "./schemas.ts";

/** What its owner was told, and what of it still needs an eye. */

const alertListSchema = component(
  "AlertList",
  z.object({
    open: z
      .array(alertSchema)
      .describe(
        "What is so now: first what nobody has acknowledged, the critical ones ahead. On the first page, 500 at most",
      ),
    open_count: z.int().describe("Whatever the filter"),
    unacknowledged_count: z.int().describe("Of these"),
    alerts: z.array(alertSchema).describe("All, the newest first, the open ones among them"),
    snoozes: z.array(snoozeSchema).describe("Instances of which only critical alerts are told for now"),
    next_cursor: z.string().nullable(),
  }),
);

export class ListAlerts extends Endpoint {
  override schema = {
    operationId: "listAlerts",
    tags: ["Alerts"],
    summary: "Read the alerts: what is open now, and what was told before",
    description:
      "The events that were alerts, whether or not there was a channel. Those of the last 30 days, as far as they are kept: see the list of events. A page may hold fewer than `limit`, and go on all the same.",
    security: security("user"),
    request: {
      query: z.object({
        limit: z.coerce.number().int().min(1).max(200).default(50),
        cursor: positionCursor.optional(),
        status: z.enum(["open"]).optional().describe("Only what is open, and `alerts` empty"),
        severity: severitySchema.optional(),
        instance_id: z.string().min(1).max(200).optional(),
      }),
    },
    responses: {
      200: jsonResponse("A page of alerts", alertListSchema, {
        open: [alertExample],
        open_count: 1,
        unacknowledged_count: 1,
        alerts: [alertExample],
        snoozes: [snoozeExample],
        next_cursor: null,
      }),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const fleet = fleetOf(c.env, userIdOf(c.var.principal));
    const filter = {
      isOpen: query.status === "open",
      severity: query.severity,
      instanceId: query.instance_id,
    };
    const found = await answerOr(fleet.alerts(filter, query.cursor ?? null, query.limit), null);
    if (found === null) throw unavailable(5);
    const reader = readerOfRequest(c);
    return c.json({
      open: found.open.map((alert) => alertView(alert, reader)),
      open_count: found.openCount,
      unacknowledged_count: found.unseenCount,
      alerts: found.page.entries.map((alert) => alertView(alert, reader)),
      snoozes: found.snoozes.map(snoozeView),
      next_cursor: encodePosition(found.page.next),
    });
  }
}
