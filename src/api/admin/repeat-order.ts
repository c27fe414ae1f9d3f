import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses } from "../../http/errors.ts";
import { jsonBody, security, successResponse } from "../../http/openapi.ts";
import { isReadable } from "../../instance/outcomes.ts";
import { isBeingCarriedOut, repeatAction } from "../../orders/repeat.ts";
import { actorOf } from "../../platform/address.ts";
import { refusalError } from "../instances/refusals.ts";
import { demandUser, orderActExample, orderActSchema, userInstanceParams, wordOf } from "./act.ts";

export class RepeatOrder extends Endpoint {
  override schema = {
    operationId: "repeatOrder",
    tags: ["Administration"],
    summary: "Have an order that is stuck carried out anew",
    description:
      "For an order that stands while its workflow has ended or was lost. The workflow begins from the start: it looks at the machine, and asks the instance before each try whether the order still stands, so that any sign of life calls it off as before. 409 `busy` while the workflow goes on.",
    security: security("admin"),
    request: { params: userInstanceParams, body: jsonBody(orderActSchema, orderActExample) },
    responses: { 202: successResponse("It has begun"), ...errorResponses(400, 401, 403, 404, 409, 413) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    await demandUser(c, params.id);
    const actor = actorOf(c.env, params.id, params.instance_id);
    const order = await actor.orderUnderWay();
    const isRepeatable = order !== null && isReadable(order) && order.order.actionId === body.order_id;
    if (isRepeatable && (await isBeingCarriedOut(c.env, order))) {
      throw new ApiError("busy", "Its workflow goes on: wait for it, or end the order");
    }
    // Also says why none can be repeated. What is noted and then fails is noted again by whoever repeats the request.
    const acted = await actor.actAsOperator("repeat_order", body.order_id, wordOf(c, body));
    if (acted.outcome !== "accepted") throw refusalError(acted);
    if (isRepeatable) await repeatAction(c.env, order);
    return c.json({ success: true }, 202);
  }
}
