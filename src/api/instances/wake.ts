import { askedBy, userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { jsonResponse, security } from "../../http/openapi.ts";
import { actorOf } from "../../platform/address.ts";
import { detailSchema } from "./detail-schema.ts";
import { detailExample } from "./examples.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

export class Wake extends Endpoint {
  override schema = {
    operationId: "wake",
    tags: ["Commands"],
    summary: "Wake a hibernated instance",
    description: "For ten minutes no ladder step is taken.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      202: jsonResponse("The order is given", detailSchema, { ...detailExample, status: "waking" }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const command = await actorOf(c.env, userIdOf(c.var.principal), params.id).wake(
      c.var.requestId,
      askedBy(c),
    );
    if (command.outcome !== "accepted") throw refusalError(command);
    return c.json(command.detail, 202);
  }
}
