import { z } from "zod";
import { createOwnerLink } from "../../accounts/owner-link.ts";
import { findAccount } from "../../accounts/standing.ts";
import { type ApiContext, Endpoint } from "../../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../../http/openapi.ts";
import { MINUTE_MS, toIso } from "../../lifecycle/model/time.ts";
import { instant } from "../instances/instant.ts";
import { userParams } from "./act.ts";

/** A week. */
const LONGEST_MINUTES = 10_080;

const createSchema = component(
  "CreateSignInLinkRequest",
  z.strictObject({ expires_in_minutes: z.number().positive().max(LONGEST_MINUTES).default(60) }),
);

/** A link as whoever made it hands it on. */
const signInLinkSchema = component(
  "SignInLink",
  z.object({
    url: z.string().describe("It is shown this once. Its secret is in the fragment, which no server logs"),
    expires_at: instant,
  }),
);

const signInLinkExample: z.infer<typeof signInLinkSchema> = {
  url: "https://dumont.example.com/#/sign-in?link=Zm9vYmFyYmF6…",
  expires_at: "2025-12-19T04:25:45Z",
};

/** Where a link's secret leads on the page. Whoever is invited chooses there how to sign in from then on. */
export function signInUrl(c: ApiContext, secret: string, isInvitation = false): string {
  return `${new URL(c.req.url).origin}/#/sign-in?${isInvitation ? "invited=true&" : ""}link=${secret}`;
}

export class CreateSignInLink extends Endpoint {
  override schema = {
    operationId: "createSignInLink",
    tags: ["Administration"],
    summary: "Make a link that signs an owner of the account in, once",
    description:
      "It signs in as the account's first person of the role owner. Where there is none, it makes one, named as the account. Whoever has the link gets in: hand it on in private.",
    security: security("admin"),
    request: {
      params: userParams,
      body: jsonBody(createSchema.optional(), { expires_in_minutes: 60 }, false),
    },
    responses: {
      201: jsonResponse("The link, shown this once", signInLinkSchema, signInLinkExample),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const account = await findAccount(c.env.DB, params.id);
    if (account?.user == null) throw notFound();
    if (account.suspendedAt !== null) {
      throw new ApiError("not_possible", "The account is suspended: nobody can sign in to it");
    }
    const now = Date.now();
    const expiresAt = now + Math.round((body?.expires_in_minutes ?? 60) * MINUTE_MS);
    const secret = await createOwnerLink(c.env, params.id, { now, expiresAt });
    if (secret === null) throw notFound();
    return c.json({ url: signInUrl(c, secret), expires_at: toIso(expiresAt) }, 201);
  }
}
