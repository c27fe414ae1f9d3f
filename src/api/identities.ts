import { z } from "zod";
import {
  disconnectIdentity,
  type HeldIdentity,
  identitiesOf,
  idOfIdentity,
  isAddress,
} from "../accounts/identities.ts";
import { noteAct } from "../http/audit.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../http/errors.ts";
import { component, security, successResponse } from "../http/openapi.ts";
import { demandRole } from "../http/roles.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { openIdProviderOf } from "../openid/provider.ts";

/** How people are known when they sign in. */

export const identitySchema = component(
  "Identity",
  z.object({
    id: z.string(),
    kind: z.enum(["openid", "email"]).describe("By an OpenID provider, or by an address that is proven"),
    name: z.string().describe("What the provider is called, or the address"),
    since: z.string(),
  }),
);

/** An identity as an owner and the person see it. */
export async function identityViewOf(
  c: ApiContext,
  identity: HeldIdentity,
): Promise<z.infer<typeof identitySchema>> {
  return {
    id: await idOfIdentity(identity),
    kind: isAddress(identity) ? "email" : "openid",
    name: nameOf(c, identity),
    since: toIso(identity.boundAt),
  };
}

function nameOf(c: ApiContext, identity: HeldIdentity): string {
  if (isAddress(identity)) return identity.subject;
  const provider = openIdProviderOf(c.env);
  const issuer = URL.parse(identity.issuer);
  if (provider !== null && issuer?.href === provider.issuer.href) return provider.name;
  return issuer?.host ?? identity.issuer;
}

export class DisconnectIdentity extends Endpoint {
  override schema = {
    operationId: "disconnectIdentity",
    tags: ["Access"],
    summary: "Disconnect a way to sign in from a person",
    description:
      "One of your own, or, as an owner, anybody's. The OpenID provider no longer lets the person in, unless a proven address remains that it has verified. No link is sent to a disconnected address, and none that was lets anybody in. Browsers that are signed in stay so. 409 `last_owner` where no owner of the account would have a way to sign in.",
    security: security("user"),
    request: {
      params: z.object({ id: z.string().max(64), identityId: z.string().max(64) }),
    },
    responses: {
      200: successResponse("It no longer stands for the person"),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const principal = userOf(c.var.principal);
    const { userId, by } = principal;
    const isOwn = by.kind === "person" && by.id === params.id;
    if (!isOwn) demandRole(principal, "owner");
    const held = (await identitiesOf(c.env.DB, userId)).filter(({ personId }) => personId === params.id);
    const identity = await named(held, params.identityId);
    const person = { userId, personId: params.id };
    if ((await disconnectIdentity(c.env.DB, person, identity, Date.now())) === "last_owner") {
      throw new ApiError("last_owner", phrase("error.last_way_in"));
    }
    noteAct(c, { sort: isOwn ? "session" : "owner", detail: { name: nameOf(c, identity) } });
    return c.json({ success: true });
  }
}

async function named(identities: readonly HeldIdentity[], id: string): Promise<HeldIdentity> {
  for (const identity of identities) if ((await idOfIdentity(identity)) === id) return identity;
  throw notFound();
}
