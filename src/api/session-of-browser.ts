import { z } from "zod";
import { identifySession, type UserPrincipal } from "../accounts/principal.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, tooManyRequests } from "../http/errors.ts";
import { component, jsonResponse } from "../http/openapi.ts";
import { sessionSecretOf } from "../http/session-cookie.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { whoAmI, whoAmIExample, whoAmISchema } from "./whoami.ts";

const sessionSchema = component("BrowserSession", z.object({ session: z.union([whoAmISchema, z.null()]) }));

/** For a page that begins: it cannot see the cookie itself, and a refusal would be an error in its console. */
export class GetSession extends Endpoint {
  override schema = {
    operationId: "getSession",
    tags: ["Access"],
    summary: "Who is signed in in this browser",
    description: "By its cookie alone. Null: nobody.",
    responses: {
      200: jsonResponse("Who is signed in", sessionSchema, { session: whoAmIExample }),
      ...errorResponses(429),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    c.header("Cache-Control", "no-store");
    const principal = await principalOfBrowser(c);
    return c.json({ session: principal === null ? null : await whoAmI(c.env, principal) });
  }
}

async function principalOfBrowser(c: ApiContext): Promise<UserPrincipal | null> {
  const secret = sessionSecretOf(c);
  if (secret === undefined || secret === "") return null;
  const identity = await identifySession(c.env, secret);
  if (identity.outcome === "too_many_requests") throw tooManyRequests(text("error.session_too_fast"));
  if (identity.outcome !== "known" || identity.principal.scope !== "user") return null;
  return identity.principal;
}
