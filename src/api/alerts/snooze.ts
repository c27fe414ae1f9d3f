import { z } from "zod";
import { LONGEST_SNOOZE_MS } from "../../fleet/tables/snoozes.ts";
import { userIdOf, userOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses, invalid, notFound, unavailable } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../../http/openapi.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { snoozeExample, snoozeSchema, snoozeView } from "./schemas.ts";

/** Quiet for a while about an instance that somebody knows of. */

const params = z.object({ instance_id: z.string().min(1).max(200) });

const snoozeRequest = component(
  "SnoozeRequest",
  z.strictObject({
    until: z.iso.datetime({ offset: true }).max(40).describe("A moment, at most a week from now"),
  }),
);

export class SnoozeAlerts extends Endpoint {
  override schema = {
    operationId: "snoozeAlerts",
    tags: ["Alerts"],
    summary: "Tell only critical alerts of an instance until a moment",
    description:
      "Everything is listed all the same, and every step is taken. Critical alerts are told whatever is snoozed. A later call takes the place of this one.",
    security: security("user"),
    request: { params, body: jsonBody(snoozeRequest, { until: snoozeExample.until }) },
    responses: {
      200: jsonResponse("The snooze", snoozeSchema, snoozeExample),
      ...errorResponses(400, 401, 403, 404, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const { principal } = c.var;
    const [until, at] = [Date.parse(body.until), Date.now()];
    if (until <= at || until > at + LONGEST_SNOOZE_MS) {
      throw invalid([{ path: "body.until", message: text("must.be_ahead") }]);
    }
    const snooze = { instanceId: params.instance_id, until, at, by: userOf(principal).by.name };
    const isSet = await answerOr(fleetOf(c.env, userIdOf(principal)).snoozeAlerts(snooze), null);
    if (isSet === null) throw unavailable(5);
    if (!isSet) throw notFound();
    return c.json(snoozeView(snooze));
  }
}

export class EndSnooze extends Endpoint {
  override schema = {
    operationId: "endSnooze",
    tags: ["Alerts"],
    summary: "Tell all alerts of an instance again",
    security: security("user"),
    request: { params },
    responses: { 200: successResponse("All its alerts are told"), ...errorResponses(400, 401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const ended = await answerOr(
      fleetOf(c.env, userIdOf(c.var.principal)).endSnooze(params.instance_id),
      null,
    );
    if (ended === null) throw unavailable(5);
    if (!ended) throw notFound();
    return c.json({ success: true });
  }
}
