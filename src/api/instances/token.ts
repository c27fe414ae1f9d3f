import { z } from "zod";
import { issueToken } from "../../accounts/tokens.ts";
import { userIdOf } from "../../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse, security } from "../../http/openapi.ts";
import { actorOf } from "../../platform/address.ts";
import { refusalError } from "./refusals.ts";
import { instanceParams } from "./schemas.ts";

export const tokenSchema = component(
  "InstanceToken",
  z.object({
    success: z.literal(true),
    instance_id: z.string(),
    token: z.string().describe("The instance's token. It is shown this once"),
  }),
);

export const tokenExample: z.infer<typeof tokenSchema> = {
  success: true,
  instance_id: "28864630",
  token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6Imluc3RhbmNlIn0.c2lnbmF0dXJl",
};

export class RotateInstanceToken extends Endpoint {
  override schema = {
    operationId: "rotateInstanceToken",
    tags: ["Instances"],
    summary: "Replace an instance's token",
    description: "The former token is refused from this moment on.",
    security: security("user"),
    request: { params: instanceParams },
    responses: {
      200: jsonResponse("The new token", tokenSchema, tokenExample),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const userId = userIdOf(c.var.principal);
    const rotated = await actorOf(c.env, userId, params.id).rotateToken();
    if (rotated.outcome !== "rotated") throw refusalError(rotated);
    return c.json(await issueInstanceToken(c.env, userId, params.id, rotated.tokenGeneration));
  }
}

/** The answer with an instance's token of this generation; those of former generations are refused. */
export async function issueInstanceToken(
  env: Env,
  userId: string,
  instanceId: string,
  generation: number,
): Promise<z.infer<typeof tokenSchema>> {
  const token = await issueToken(env.TOKEN_KEY, {
    scope: "instance",
    sub: userId,
    instance: instanceId,
    generation,
  });
  return { success: true, instance_id: instanceId, token };
}
