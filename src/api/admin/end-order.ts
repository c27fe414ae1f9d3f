import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { jsonBody, security, successResponse } from "../../http/openapi.ts";
import { actorOf } from "../../platform/address.ts";
import { refusalError } from "../instances/refusals.ts";
import { demandUser, orderActExample, orderActSchema, userInstanceParams, wordOf } from "./act.ts";

export class EndOrder extends Endpoint {
  override schema = {
    operationId: "endOrder",
    tags: ["Administration"],
    summary: "End an order that is stuck",
    description:
      "It counts as failed: the instance returns to what its heartbeats say, its owner is told, and the policy decides what comes next. The machine is left as it is, and a provider that has accepted the order may still carry it out.",
    security: security("admin"),
    request: { params: userInstanceParams, body: jsonBody(orderActSchema, orderActExample) },
    responses: { 200: successResponse("It has ended"), ...errorResponses(400, 401, 403, 404, 409, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const actor = actorOf(c.env, params.id, params.instance_id);
    const acted = await actor.actAsOperator("end_order", body.order_id, wordOf(c, body));
    if (acted.outcome !== "accepted") throw refusalError(acted);
    return c.json({ success: true });
  }
}
