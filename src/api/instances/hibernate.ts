import { z } from "zod";
import { askedBy, userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { actorOf } from "../../platform/address.ts";
import { detailSchema } from "./detail-schema.ts";
import { detailExample } from "./examples.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

const requestSchema = component(
  "HibernateRequest",
  z.strictObject({
    prepare: z
      .boolean()
      .optional()
      .describe("`false`: its hooks are left out, and it is hibernated at once. Otherwise they run first"),
  }),
);

export class Hibernate extends Endpoint {
  override schema = {
    operationId: "hibernate",
    tags: ["Commands"],
    summary: "Hibernate an instance",
    description:
      "A machine with hooks that was just heard prepares itself first: the answer is then of a running instance, with its `preparation`, which says until when at the latest. Asked again it goes on; a keep-alive or a wake calls it off.",
    security: security("user"),
    request: {
      params: instanceParams,
      body: jsonBody(requestSchema.optional(), { prepare: true }, false),
    },
    responses: {
      202: jsonResponse("The order is given, or is once it is prepared", detailSchema, {
        ...detailExample,
        status: "hibernating",
      }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const actor = actorOf(c.env, userIdOf(c.var.principal), params.id);
    const command = await actor.hibernate(c.var.requestId, body?.prepare ?? true, askedBy(c));
    if (command.outcome !== "accepted") throw refusalError(command);
    return c.json(command.detail, 202);
  }
}
