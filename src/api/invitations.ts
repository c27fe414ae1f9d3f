import { z } from "zod";
import {
  createInvitation,
  deleteInvitation,
  INVITATION_LASTS_MS,
  INVITATIONS_PER_ACCOUNT,
  type Invitation,
  listInvitations,
} from "../accounts/invitations.ts";
import { emailSchema, PEOPLE_PER_ACCOUNT, personNameSchema, personRoleSchema } from "../accounts/people.ts";
import { roleSchema } from "../accounts/roles.ts";
import { noteAct } from "../http/audit.ts";
import { userIdOf, userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { DAY_MS, toIso } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { signInUrl } from "./admin/sign-in-link.ts";

/** Links by which somebody new comes into the account. */

const invitationShape = {
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  role: roleSchema,
  made_by: z.string().describe("Who invites"),
  created_at: z.string(),
  expires_at: z.string(),
};

const invitationSchema = component("Invitation", z.object(invitationShape));

const newInvitationSchema = component(
  "NewInvitation",
  z.object({
    ...invitationShape,
    url: z.string().describe("The link. It works once, and is shown this once"),
  }),
);

const invitationsSchema = component("InvitationList", z.object({ invitations: z.array(invitationSchema) }));

const example: z.infer<typeof invitationSchema> = {
  id: "l-6f1e0d5c-2b3a-4c5d-8e7f-9a0b1c2d3e4f",
  name: "Bea",
  email: "bea@example.com",
  role: "operator",
  made_by: "Ada",
  created_at: "2025-12-18T12:00:00Z",
  expires_at: "2025-12-25T12:00:00Z",
};

export class ListInvitations extends Endpoint {
  override schema = {
    operationId: "listInvitations",
    tags: ["Access"],
    summary: "List the invitations that somebody may still follow",
    security: security("user"),
    responses: {
      200: jsonResponse("The newest first, without their links", invitationsSchema, {
        invitations: [example],
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const invitations = await listInvitations(c.env.DB, userIdOf(c.var.principal), Date.now());
    return c.json({ invitations: invitations.map(viewOf) });
  }
}

const createSchema = component(
  "CreateInvitationRequest",
  z
    .strictObject({
      name: personNameSchema.optional(),
      email: emailSchema.optional(),
      role: personRoleSchema,
    })
    .refine(
      ({ name, email }) => name !== undefined || email !== undefined,
      text("must.have_name_or_address"),
    ),
);

export class CreateInvitation extends Endpoint {
  override schema = {
    operationId: "createInvitation",
    tags: ["Access"],
    summary: "Invite somebody into the account",
    description: `The answer holds a link, which you hand over yourself. Whoever follows it first becomes a person of the account, with this role. It is good for ${INVITATION_LASTS_MS / DAY_MS} days, and for no longer than whoever made it is an owner of the account. An account has ${PEOPLE_PER_ACCOUNT} people at most, and ${INVITATIONS_PER_ACCOUNT} open invitations. With the address, the person can have a link sent there later.`,
    security: security("user"),
    request: { body: jsonBody(createSchema, { name: "Bea", email: "bea@example.com", role: "operator" }) },
    responses: {
      201: jsonResponse("The invitation, with its link", newInvitationSchema, {
        ...example,
        url: "https://dumontcloud.com/#/sign-in?invited=true&link=Tm8gc2VjcmV0IGF0IGFsbA",
      }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { userId, by } = userOf(c.var.principal);
    const { email = null, role } = body;
    const asked = { name: body.name ?? email ?? "", email, role, maker: by };
    const invited = await createInvitation(c.env, userId, asked, Date.now());
    switch (invited.outcome) {
      case "invited": {
        const { invitation, secret } = invited;
        noteAct(c, { subject: invitation.id, detail: { name: invitation.name, role } });
        return c.json({ ...viewOf(invitation), url: signInUrl(c, secret, true) }, 201);
      }
      case "known":
        throw new ApiError("exists", text("error.same_address"));
      case "too_many":
        throw new ApiError(
          "too_many",
          phrase("error.account_full", {
            people: PEOPLE_PER_ACCOUNT,
            invitations: INVITATIONS_PER_ACCOUNT,
          }),
        );
    }
  }
}

export class DeleteInvitation extends Endpoint {
  override schema = {
    operationId: "deleteInvitation",
    tags: ["Access"],
    summary: "Take an invitation back",
    description: "Whoever has followed it stays: remove the person.",
    security: security("user"),
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 200: successResponse("Its link is over"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const invitation = await deleteInvitation(c.env.DB, userIdOf(c.var.principal), params.id);
    if (invitation === null) throw notFound();
    noteAct(c, { detail: { name: invitation.name, role: invitation.role } });
    return c.json({ success: true });
  }
}

function viewOf(invitation: Invitation): z.infer<typeof invitationSchema> {
  return {
    id: invitation.id,
    name: invitation.name,
    email: invitation.email,
    role: invitation.role,
    made_by: invitation.madeBy,
    created_at: toIso(invitation.createdAt),
    expires_at: toIso(invitation.expiresAt),
  };
}
