import { z } from "zod";
import { roleSchema } from "../accounts/roles.ts";
import { revokeUserToken } from "../accounts/user-tokens.ts";
import { startCleanup } from "../cleanup/workflow.ts";
import { type Position, pageOf } from "../history/page.ts";
import { noteAct } from "../http/audit.ts";
import { encodePosition } from "../http/cursor.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, notFound } from "../http/errors.ts";
import { component, jsonBody, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { eventView } from "../lifecycle/views/event-view.ts";
import { fleetOf } from "../platform/address.ts";
import { readService } from "../service/service.ts";
import { wordOf } from "./admin/act.ts";
import { eventsQuery, eventsResponse } from "./events.ts";
import { closeLiveConnections } from "./session.ts";
import { expiresInDays, makeToken } from "./tokens.ts";

/** What the operator does: tokens of users, and the service itself. */

export const nameSchema = z.string().trim().min(1).max(200);

export const idParams = z.object({ id: z.string() });

const createTokenSchema = component(
  "CreateUserTokenRequest",
  z.strictObject({
    name: nameSchema.default("default"),
    role: roleSchema.default("owner").describe("What it may do: the account's owners make others themselves"),
    expires_in_days: expiresInDays,
  }),
);

const userTokenSchema = component(
  "UserToken",
  z.object({
    token_id: z.string().describe("Revoke it by this"),
    token: z.string().describe("It is shown this once"),
  }),
);

export class CreateUserToken extends Endpoint {
  override schema = {
    operationId: "createUserToken",
    tags: ["Administration"],
    summary: "Issue a user token",
    security: security("admin"),
    request: {
      params: idParams,
      body: jsonBody(createTokenSchema.optional(), { name: "laptop" }, false),
    },
    responses: {
      201: jsonResponse("The token", userTokenSchema, {
        token_id: "t-3c2f6c1e-5f0f-4a8e-9d65-0f6a1f0f7a11",
        token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzY29wZSI6InVzZXIifQ.c2lnbmF0dXJl",
      }),
      ...errorResponses(400, 401, 403, 404, 409, 413),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params, body } = await this.getValidatedData<typeof this.schema>();
    const asked = body ?? { name: "default", role: "owner" as const, expires_in_days: null };
    const { record, token } = await makeToken(c, params.id, asked, null);
    return c.json({ token_id: record.id, token }, 201);
  }
}

export class RevokeUserToken extends Endpoint {
  override schema = {
    operationId: "revokeUserToken",
    tags: ["Administration"],
    summary: "Revoke a user token",
    security: security("admin"),
    request: { params: idParams },
    responses: { 200: successResponse("It is refused from now on"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const token = await revokeUserToken(c.env.DB, params.id, Date.now());
    if (token === null) throw notFound();
    closeLiveConnections(c, token.userId, params.id);
    noteAct(c, { who: { userId: token.userId, actor: { kind: "operator" } } });
    const word = wordOf(c, { because: "it was revoked" });
    const message = `The token ${params.id} was made invalid`;
    await fleetOf(c.env, token.userId).operate({ type: "note", act: "revoke_token", message, word });
    return c.json({ success: true });
  }
}

const cleanupRunSchema = component("CleanupRun", z.object({ run_id: z.string() }));

export class StartCleanup extends Endpoint {
  override schema = {
    operationId: "startCleanup",
    tags: ["Administration"],
    summary: "Run the daily cleanup now",
    description: "What it did is an event of the service, once it is done. Two at once do no harm.",
    security: security("admin"),
    responses: {
      202: jsonResponse("It has begun", cleanupRunSchema, {
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
    description: "Cleanup runs, and the service-wide mass-outage guard: the newest 100.",
    security: security("admin"),
    request: { query: eventsQuery },
    responses: { 200: eventsResponse, ...errorResponses(400, 401, 403) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { query } = await this.getValidatedData<typeof this.schema>();
    const { events } = await readService(c.env);
    const rest = events
      .filter(({ at, id }) => query.cursor === undefined || isBefore(at, id, query.cursor))
      .map((entry) => ({ entry, position: { at: entry.at, tie: entry.id } }));
    const { entries, next } = pageOf(rest, query.limit);
    return c.json({
      events: entries.map((event) => eventView({ ...event, instanceId: null })),
      next_cursor: encodePosition(next),
    });
  }
}

function isBefore(at: number, id: string, end: Position): boolean {
  return at < end.at || (at === end.at && id < end.tie);
}
