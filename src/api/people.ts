import { z } from "zod";
import { type HeldIdentity, identitiesOf } from "../accounts/identities.ts";
import {
  changePerson,
  findPerson,
  listPeople,
  type Person,
  type PersonChange,
  personNameSchema,
  personRoleSchema,
  removePerson,
} from "../accounts/people.ts";
import { isAtLeast, roleSchema } from "../accounts/roles.ts";
import { tokensMadeBy } from "../accounts/user-tokens.ts";
import { noteAct } from "../http/audit.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security } from "../http/openapi.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { identitySchema, identityViewOf } from "./identities.ts";
import { closeLiveConnections } from "./session.ts";

/** Those who sign in to the account. They come in by an invitation. */

const personSchema = component(
  "Person",
  z.object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable().describe("As it was entered, or as an OpenID provider told it"),
    role: roleSchema,
    created_at: z.string(),
    last_seen_at: z.string().nullable().describe("When the person last signed in; null: never"),
    identities: z
      .array(identitySchema)
      .nullable()
      .describe(
        "How the person is known when they sign in; null where you are neither the person nor an owner",
      ),
    this: z.boolean().describe("Whether it is you"),
  }),
);

const peopleSchema = component("PersonList", z.object({ people: z.array(personSchema) }));

const example: z.infer<typeof personSchema> = {
  id: "p-6f1e0d5c-2b3a-4c5d-8e7f-9a0b1c2d3e4f",
  name: "Bea",
  email: "bea@example.com",
  role: "operator",
  created_at: "2025-12-18T12:00:00Z",
  last_seen_at: "2025-12-19T02:20:30Z",
  identities: [
    {
      id: "5d41402abc4b2a76b9719d911017c592",
      kind: "openid",
      name: "Example Accounts",
      since: "2025-12-18T12:01:00Z",
    },
  ],
  this: false,
};

const personParams = z.object({ id: z.string().max(64) });

export class ListPeople extends Endpoint {
  override schema = {
    operationId: "listPeople",
    tags: ["Access"],
    summary: "List the people of the account",
    security: security("user"),
    responses: {
      200: jsonResponse("The people, the first one first", peopleSchema, { people: [example] }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { userId } = userOf(c.var.principal);
    const [people, identities] = await Promise.all([
      listPeople(c.env.DB, userId),
      identitiesOf(c.env.DB, userId),
    ]);
    const views = await Promise.all(people.map((person) => viewOf(c, person, identities)));
    return c.json({ people: views });
  }
}

const changeSchema = component(
  "ChangePersonRequest",
  z
    .strictObject({ name: personNameSchema.optional(), role: personRoleSchema.optional() })
    .refine(({ name, role }) => name !== undefined || role !== undefined, text("must.change_name_or_role")),
);

export class ChangePerson extends Endpoint {
  override schema = {
    operationId: "changePerson",
    tags: ["Access"],
    summary: "Give a person another name or role",
    description:
      "The role counts from the next request on, in every browser that the person is signed in with. 409 for the last owner: an account without one could give nobody a key. A token of the role owner that does not end counts as an owner, too.",
    security: security("user"),
    request: { params: personParams, body: jsonBody(changeSchema, { role: "viewer" }) },
    responses: {
      200: jsonResponse("The person", personSchema, { ...example, role: "viewer" }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const { userId } = userOf(c.var.principal);
    demandDone(await changePerson(c.env.DB, userId, params.id, body));
    const person = await findPerson(c.env.DB, userId, params.id);
    if (person === null) throw notFound();
    noteAct(c, { detail: { name: person.name, role: person.role } });
    return c.json(await viewOf(c, person, await identitiesOf(c.env.DB, userId)));
  }
}

const removedSchema = component(
  "RemovedPerson",
  z.object({
    success: z.literal(true),
    tokens: z
      .array(z.object({ id: z.string(), name: z.string() }))
      .describe("What the person made, also with such a token, and is still good"),
  }),
);

export class RemovePerson extends Endpoint {
  override schema = {
    operationId: "removePerson",
    tags: ["Access"],
    summary: "Remove a person from the account",
    description:
      "Every browser of the person is signed out, and the links that they made are over. The tokens that they made stay: the answer names those that are still good, for you to revoke. 409 for the last owner.",
    security: security("user"),
    request: { params: personParams },
    responses: {
      200: jsonResponse("The person is out", removedSchema, {
        success: true,
        tokens: [{ id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11", name: "nightly" }],
      }),
      ...errorResponses(401, 403, 404, 409),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const { userId } = userOf(c.var.principal);
    const person = await findPerson(c.env.DB, userId, params.id);
    if (person === null) throw notFound();
    const now = Date.now();
    demandDone(await removePerson(c.env.DB, userId, params.id, now));
    closeLiveConnections(c, userId, params.id);
    noteAct(c, { detail: { name: person.name, role: person.role } });
    return c.json({ success: true, tokens: await tokensMadeBy(c.env.DB, userId, params.id, now) });
  }
}

function demandDone(change: PersonChange): void {
  switch (change) {
    case "done":
      return;
    case "unknown":
      throw notFound();
    case "last_owner":
      throw new ApiError("last_owner", text("error.last_owner"));
  }
}

async function viewOf(
  c: ApiContext,
  person: Person,
  all: readonly HeldIdentity[],
): Promise<z.infer<typeof personSchema>> {
  const { by, role } = userOf(c.var.principal);
  const isYou = by.kind === "person" && by.id === person.id;
  const own = all.filter(({ personId }) => personId === person.id);
  return {
    id: person.id,
    name: person.name,
    email: person.email,
    role: person.role,
    created_at: toIso(person.createdAt),
    last_seen_at: person.lastSeenAt === null ? null : toIso(person.lastSeenAt),
    identities:
      isYou || isAtLeast(role, "owner")
        ? await Promise.all(own.map((identity) => identityViewOf(c, identity)))
        : null,
    this: isYou,
  };
}
