import { z } from "zod";
import type { UserPrincipal } from "../accounts/principal.ts";
import { roleSchema } from "../accounts/roles.ts";
import { findProfile } from "../accounts/users.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses } from "../http/errors.ts";
import { component, jsonResponse, security } from "../http/openapi.ts";

export const whoAmISchema = component(
  "WhoAmI",
  z.object({
    user: z.object({ id: z.string(), name: z.string() }).describe("The account"),
    role: roleSchema.describe("What you may do in it"),
    by: z
      .object({
        kind: z.enum(["token", "person"]),
        id: z.string(),
        name: z.string(),
      })
      .describe("What your requests are known by: the token, or the person, that you signed in as"),
    session_id: z.string().nullable().describe("Of a browser that is signed in; null for a token itself"),
    language: z.string().nullable().describe("In which the account is told; null: not chosen"),
    time_zone: z.string().nullable().describe("Of the account; null: not chosen"),
  }),
);

export const whoAmIExample: z.infer<typeof whoAmISchema> = {
  user: { id: "u-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f", name: "Ada" },
  role: "operator",
  by: { kind: "token", id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11", name: "laptop" },
  session_id: "s-6f1e0d5c-2b3a-4c5d-8e7f-9a0b1c2d3e4f",
  language: "en",
  time_zone: "Europe/Lisbon",
};

/** Says to whoever asks who they are here. */
export async function whoAmI(
  env: Env,
  { userId, role, by }: UserPrincipal,
): Promise<z.infer<typeof whoAmISchema>> {
  const { name, language, timeZone } = await findProfile(env.DB, userId);
  return {
    user: { id: userId, name },
    role,
    by: { kind: by.kind, id: by.id, name: by.name },
    session_id: by.sessionId,
    language,
    time_zone: timeZone,
  };
}

export class WhoAmI extends Endpoint {
  override schema = {
    operationId: "whoAmI",
    tags: ["Access"],
    summary: "Who you are, and what you may do",
    security: security("user"),
    responses: { 200: jsonResponse("You", whoAmISchema, whoAmIExample), ...errorResponses(401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    return c.json(await whoAmI(c.env, userOf(c.var.principal)));
  }
}
