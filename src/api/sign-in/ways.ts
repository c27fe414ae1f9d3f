import { z } from "zod";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { errorResponses } from "../../http/errors.ts";
import { component, jsonResponse } from "../../http/openapi.ts";
import { openIdProviderOf } from "../../openid/provider.ts";
import { readSettings } from "../../platform/settings.ts";

const waysSchema = component(
  "WaysToSignIn",
  z.object({
    token: z.literal(true).describe("With a user's token: always"),
    email: z.boolean().describe("With a link that is sent by e-mail"),
    openid: z
      .object({ name: z.string() })
      .nullable()
      .describe("With an OpenID provider, and what to call it"),
  }),
);

/** What the sign-in page may offer. */
export class ListWaysToSignIn extends Endpoint {
  override schema = {
    operationId: "listWaysToSignIn",
    tags: ["Access"],
    summary: "How one may sign in here",
    responses: {
      200: jsonResponse("The ways that there are, besides a link", waysSchema, {
        token: true,
        email: true,
        openid: { name: "Example Accounts" },
      }),
      ...errorResponses(),
    },
  };

  override handle(c: ApiContext): Response {
    const provider = openIdProviderOf(c.env);
    return c.json({
      token: true as const,
      email: readSettings(c.env).MAIL_FROM !== "",
      openid: provider === null ? null : { name: provider.name },
    });
  }
}
