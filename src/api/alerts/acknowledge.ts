import { z } from "zod";
import type { AcknowledgeOutcome } from "../../fleet/alerts.ts";
import { userIdOf, userOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound, unavailable } from "../../http/errors.ts";
import { readerOfRequest } from "../../http/language.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { fleetOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { alertExample, alertSchema, alertView } from "./schemas.ts";

/** Somebody has seen to an alert. */

export class AcknowledgeAlert extends Endpoint {
  override schema = {
    operationId: "acknowledgeAlert",
    tags: ["Alerts"],
    summary: "Say that somebody has seen the alert",
    description:
      "It is not told again by repetition: a further step of the same trouble is told, and so is its end. What nobody can tell the end of, such as a used-up budget, is over with that.",
    security: security("user"),
    request: { params: z.object({ id: z.string().regex(/^\d{1,15}$/, text("must.be_alert")) }) },
    responses: {
      200: jsonResponse("The alert", alertSchema, {
        ...alertExample,
        status: "acknowledged",
        acknowledged: { at: "2025-12-19T02:31:00Z", by: "Ada" },
      }),
      ...errorResponses(400, 401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const { principal } = c.var;
    const fleet = fleetOf(c.env, userIdOf(principal));
    const acknowledged = { at: Date.now(), by: userOf(principal).by.name };
    const ask = async (): Promise<AcknowledgeOutcome> =>
      fleet.acknowledgeAlert(Number(params.id), acknowledged);
    const answer = await answerOr<AcknowledgeOutcome | null>(ask(), null);
    switch (answer?.outcome) {
      case undefined:
        throw unavailable(5);
      case "acknowledged":
        return c.json(alertView(answer.alert, readerOfRequest(c)));
      case "over":
        throw new ApiError("not_possible", text("error.alert_over"));
      case "unknown":
        throw notFound();
    }
  }
}
