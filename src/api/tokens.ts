import { z } from "zod";
import { isAtLeast, type Role, roleSchema } from "../accounts/roles.ts";
import { issueToken } from "../accounts/tokens.ts";
import {
  createUserToken,
  listUserTokens,
  type NewUserToken,
  revokeOwnToken,
  type UserToken,
} from "../accounts/user-tokens.ts";
import { noteAct } from "../http/audit.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { ApiError, errorResponses, notFound, tooMany } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { demandRole } from "../http/roles.ts";
import { setSessionSecret } from "../http/session-cookie.ts";
import { DAY_MS, SECOND_MS, toIso } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { text } from "../lifecycle/model/words/say.ts";
import { readSettings } from "../platform/settings.ts";
import { instant, instantOrNull } from "./instances/instant.ts";
import { nameSchema } from "./instances/schemas.ts";
import { closeLiveConnections } from "./session.ts";

/** The tokens of an account, as its owners make and revoke them. */

/** Ten years: whoever wants longer takes one without an end. */
const LONGEST_DAYS = 3650;

/** When a token that is made now ends. */
export const expiresInDays = z
  .number()
  .positive()
  .max(LONGEST_DAYS)
  .nullable()
  .describe("Null: it does not end")
  .default(null);

const tokenRole = roleSchema.describe(
  "`metrics` scrapes; `viewer` sees; `operator` also acts on machines, policies, channels and alerts; `owner` also holds the keys: tokens, people, and the credentials of providers",
);

const createSchema = component(
  "CreateTokenRequest",
  z.strictObject({ name: nameSchema, role: tokenRole, expires_in_days: expiresInDays }),
);

const tokenShape = {
  id: z.string(),
  name: z.string(),
  role: tokenRole,
  state: z.enum(["active", "expired", "revoked"]),
  created_at: instant,
  expires_at: instant.nullable().describe("Null: it does not end"),
  last_used_at: instant.nullable().describe("At most ten minutes too old; null: never"),
  revoked_at: instant.nullable(),
  this: z.boolean().describe("Whether you ask with it, or signed in with it"),
};

const tokenSchema = component("Token", z.object(tokenShape));

const newTokenSchema = component(
  "NewToken",
  z.object({ ...tokenShape, token: z.string().describe("The token. It is shown this once") }),
);

const listSchema = component("TokenList", z.object({ tokens: z.array(tokenSchema) }));

const example: z.infer<typeof tokenSchema> = {
  id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11",
  name: "prometheus",
  role: "metrics",
  state: "active",
  created_at: "2025-12-18T11:50:00Z",
  expires_at: "2026-12-18T11:50:00Z",
  last_used_at: "2025-12-19T03:20:00Z",
  revoked_at: null,
  this: false,
};

/** More than there can be: the good ones are limited, and of the others a few are kept. */
const MOST_LISTED = 1000;

export class ListTokens extends Endpoint {
  override schema = {
    operationId: "listTokens",
    tags: ["Access"],
    summary: "List the account's tokens",
    security: security("user"),
    responses: {
      200: jsonResponse("The newest first, without the tokens themselves", listSchema, { tokens: [example] }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { userId, by } = userOf(c.var.principal);
    const now = Date.now();
    const tokens = await listUserTokens(c.env.DB, userId, "", MOST_LISTED);
    const newestFirst = tokens.sort((a, b) => b.createdAt - a.createdAt);
    return c.json({ tokens: newestFirst.map((token) => viewOf(token, by.id, now)) });
  }
}

export class CreateToken extends Endpoint {
  override schema = {
    operationId: "createToken",
    tags: ["Access"],
    summary: "Make a token",
    security: security("user"),
    request: {
      body: jsonBody(createSchema, { name: "prometheus", role: "metrics", expires_in_days: 365 }),
    },
    responses: {
      201: jsonResponse("The token, shown this once", newTokenSchema, {
        ...example,
        last_used_at: null,
        token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6ImxpbWl0ZWQifQ.c2lnbmF0dXJl",
      }),
      ...errorResponses(400, 401, 403, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    const { userId, role, by } = userOf(c.var.principal);
    if (!isAtLeast(role, body.role)) {
      throw new ApiError("forbidden", phrase("error.token_role", { asked: body.role, given: role }));
    }
    const { record, token } = await makeToken(c, userId, body, by.id);
    const made = { ...record, createdAt: record.now, lastUsedAt: null, revokedAt: null };
    return c.json({ ...viewOf(made, "", record.now), token }, 201);
  }
}

export class DeleteToken extends Endpoint {
  override schema = {
    operationId: "deleteToken",
    tags: ["Access"],
    summary: "Revoke a token",
    description:
      "Owners revoke any, everybody else the one that they ask with or signed in with. It is refused from now on, and the browsers that signed in with it are signed out. 409 `last_owner` where nobody would be left who holds the account's keys: neither a person nor another token that does not end.",
    security: security("user"),
    request: { params: z.object({ id: z.string().max(100) }) },
    responses: { 200: successResponse("It is refused from now on"), ...errorResponses(401, 403, 404, 409) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const principal = userOf(c.var.principal);
    const { userId, by } = principal;
    if (params.id !== by.id) demandRole(principal, "owner");
    switch (await revokeOwnToken(c.env.DB, userId, params.id, Date.now())) {
      case "unknown":
        throw notFound();
      case "last_owner":
        throw new ApiError("last_owner", text("error.last_keys"));
      case "revoked":
        break;
    }
    closeLiveConnections(c, userId, params.id);
    noteAct(c, { sort: "owner" });
    if (params.id === by.id && by.sessionId !== null) setSessionSecret(c, "");
    return c.json({ success: true });
  }
}

/** What is asked for of a new token. */
interface Asked {
  readonly name: string;
  readonly role: Role;
  readonly expires_in_days: number | null;
}

/** Makes a token for the account, and its record. Throws where that has too many. `madeById`: null for the operator. */
export async function makeToken(
  c: ApiContext,
  userId: string,
  { name, role, expires_in_days: days }: Asked,
  madeById: string | null,
): Promise<{ readonly record: NewUserToken; readonly token: string }> {
  const limit = readSettings(c.env).TOKENS_PER_USER;
  const now = Date.now();
  const expiresAt = days === null ? null : now + Math.round(days * DAY_MS);
  const record = { id: `t-${crypto.randomUUID()}`, userId, name, role, expiresAt, madeById, now };
  switch (await createUserToken(c.env.DB, record, limit)) {
    case "created":
      noteAct(c, { subject: record.id, detail: { name, role, expires_in_days: days } });
      break;
    case "unknown_user":
      throw notFound();
    case "too_many":
      throw tooMany(limit, "tokens", "revoke");
  }
  const whose = { sub: userId, jti: record.id };
  const end = expiresAt === null ? {} : { exp: Math.ceil(expiresAt / SECOND_MS) };
  const isUnlimited = role === "owner" && expiresAt === null;
  const token = await issueToken(
    c.env.TOKEN_KEY,
    isUnlimited ? { scope: "user", ...whose } : { scope: "limited", ...whose, ...end },
  );
  return { record, token };
}

function viewOf(token: UserToken, askedWith: string, now: number): z.infer<typeof tokenSchema> {
  const { id, name, role, createdAt, expiresAt, lastUsedAt, revokedAt } = token;
  const hasEnded = expiresAt !== null && expiresAt <= now;
  return {
    id,
    name,
    role,
    state: revokedAt !== null ? "revoked" : hasEnded ? "expired" : "active",
    created_at: toIso(createdAt),
    expires_at: instantOrNull(expiresAt),
    last_used_at: instantOrNull(lastUsedAt),
    revoked_at: instantOrNull(revokedAt),
    this: id === askedWith,
  };
}
