import { z } from "zod";
import { issueToken } from "../accounts/tokens.ts";
import { createUser, createUserToken, listUsers, revokeUserToken, type User } from "../accounts/users.ts";
import { startCleanup } from "../cleanup/workflow.ts";
import { SERVICE_USER } from "../fleet/outage-guard.ts";
import { security } from "../http/authenticate.ts";
import { encodeText, idCursor } from "../http/cursor.ts";
import { type ApiContext, Endpoint, errorResponses, jsonBody, jsonResponse } from "../http/endpoint.ts";
import { notFound } from "../http/errors.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { answerEventsOf, eventsQuery, eventsResponse } from "./history.ts";

const userSchema = z.object({ user_id: z.string(), name: z.string(), created_at: z.string() });

const userExample: z.infer<typeof userSchema> = {
  user_id: "u-0b0f6f0e-6f43-4c3f-9a0e-0a0c4c0e3d1f",
  name: "Ada",
  created_at: "2025-12-18T11:50:00Z",
};

const nameSchema = z.string().trim().min(1).max(200);

export class CreateUser extends Endpoint {
  override schema = {
    operationId: "createUser",
    tags: ["Administration"],
    summary: "Create a user",
    security: security("admin"),
    request: { body: jsonBody(z.strictObject({ name: nameSchema }), { name: "Ada" }) },
    responses: {
      201: jsonResponse("The user", userSchema, userExample),
      ...errorResponses(400, 401, 403, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { body } = await this.getValidatedData<typeof this.schema>();
    return c.json(userView(await createUser(c.env.DB, body.name, Date.now())), 201);
  }
}

export class ListUsers extends Endpoint {
  override schema = {
    operationId: "listUsers",
    tags: ["Administration"],
    summary: "List users",
    security: security("admin"),
    request: {
      query: z.object({
        limit: z.coerce.number().int().min(1).max(1000).default(100),
        cursor: idCursor.optional(),
      }),
    },
    responses: {
      200: jsonResponse(
        "A page of users, in the order of their ids",
        z.object({ users: z.array(userSchema), next_cursor: z.string().nullable() }),
        { users: [userExample], next_cursor: null },
      ),
      ...errorResponses(400, 401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const users = await listUsers(c.env.DB, query.cursor ?? "", query.limit);
    const last = users.at(-1);
    return c.json({
      users: users.map(userView),
      next_cursor: last !== undefined && users.length === query.limit ? encodeText(last.id) : null,
    });
  }
}

export class CreateUserToken extends Endpoint {
  override schema = {
    operationId: "createUserToken",
    tags: ["Administration"],
    summary: "Issue a user token",
    security: security("admin"),
    request: {
      params: z.object({ id: z.string() }),
      body: jsonBody(
        z.strictObject({ name: nameSchema.default("default") }).optional(),
        { name: "laptop" },
        false,
      ),
    },
    responses: {
      201: jsonResponse(
        "The token",
        z.object({
          token_id: z.string().describe("Revoke it by this"),
          token: z.string().describe("It is shown this once"),
        }),
        {
          token_id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11",
          token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6InVzZXIifQ.c2lnbmF0dXJl",
        },
      ),
      ...errorResponses(400, 401, 403, 404, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const id = `t-${crypto.randomUUID()}`;
    const name = body?.name ?? "default";
    const created = await createUserToken(c.env.DB, { id, userId: params.id, name, now: Date.now() });
    if (!created) throw notFound();
    const token = await issueToken(c.env.TOKEN_KEY, { scope: "user", sub: params.id, jti: id });
    return c.json({ token_id: id, token }, 201);
  }
}

export class RevokeUserToken extends Endpoint {
  override schema = {
    operationId: "revokeUserToken",
    tags: ["Administration"],
    summary: "Revoke a user token",
    security: security("admin"),
    request: { params: z.object({ id: z.string() }) },
    responses: {
      200: jsonResponse("It is refused from now on", z.object({ success: z.literal(true) }), {
        success: true,
      }),
      ...errorResponses(401, 403, 404),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    if (!(await revokeUserToken(c.env.DB, params.id, Date.now()))) throw notFound();
    return c.json({ success: true });
  }
}

export class StartCleanup extends Endpoint {
  override schema = {
    operationId: "startCleanup",
    tags: ["Administration"],
    summary: "Run the daily cleanup now",
    description: "What it did is an event of the service, once it is done. Two at once do no harm.",
    security: security("admin"),
    responses: {
      202: jsonResponse("It has begun", z.object({ run_id: z.string() }), {
        run_id: "cleanup-by-hand-mb5k2x1c",
      }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const now = Date.now();
    const runId = `cleanup-by-hand-${now.toString(36)}`;
    await startCleanup(c.env, runId, now);
    return c.json({ run_id: runId }, 202);
  }
}

export class ListServiceEvents extends Endpoint {
  override schema = {
    operationId: "listServiceEvents",
    tags: ["Administration"],
    summary: "Read what happened to the service itself, newest first",
    description: "Cleanup runs, and the service-wide mass-outage guard.",
    security: security("admin"),
    request: { query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    return answerEventsOf(c, SERVICE_USER, null, query);
  }
}

function userView(user: User): z.infer<typeof userSchema> {
  return { user_id: user.id, name: user.name, created_at: toIso(user.createdAt) };
}
