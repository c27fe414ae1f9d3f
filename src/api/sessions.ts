import { z } from "zod";
import type { By } from "../accounts/principal.ts";
import { isAtLeast, roleSchema } from "../accounts/roles.ts";
import { type ListedSession, listSessions } from "../accounts/sessions.ts";
import { noteAct } from "../http/audit.ts";
import { userOf } from "../http/authenticate.ts";
import { type ApiContext, Endpoint } from "../http/endpoint.ts";
import { errorResponses, notFound } from "../http/errors.ts";
import { component, jsonResponse, security, successResponse } from "../http/openapi.ts";
import { demandRole } from "../http/roles.ts";
import { setSessionSecret } from "../http/session-cookie.ts";
import { toIso } from "../lifecycle/model/time.ts";
import { instant } from "./instances/instant.ts";
import { endSessionOf } from "./session.ts";

/** Browsers that are signed in to an account. */

const sessionSchema = component(
  "Session",
  z.object({
    id: z.string(),
    by: z
      .object({ kind: z.enum(["token", "person"]), id: z.string(), name: z.string() })
      .describe("The token or the person that it stands for, and with which it ends"),
    role: roleSchema,
    device: z.string().describe("As the browser names itself, such as Firefox on Linux"),
    created_at: instant,
    last_used_at: instant.describe("At most ten minutes too old"),
    expires_at: instant.describe("It ends sooner where two weeks pass without use"),
    this: z.boolean().describe("Whether it is the one that asks"),
  }),
);

const listSchema = component("SessionList", z.object({ sessions: z.array(sessionSchema) }));

const example: z.infer<typeof sessionSchema> = {
  id: "s-6f1e0d5c-2b3a-4c5d-8e7f-9a0b1c2d3e4f",
  by: { kind: "person", id: "p-0d9c8b7a-6f5e-4d3c-9b2a-1f0e9d8c7b6a", name: "Bea" },
  role: "operator",
  device: "Firefox on Linux",
  created_at: "2025-12-18T11:50:00Z",
  last_used_at: "2025-12-19T03:20:00Z",
  expires_at: "2026-03-18T11:50:00Z",
  this: true,
};

export class ListSessions extends Endpoint {
  override schema = {
    operationId: "listSessions",
    tags: ["Access"],
    summary: "List the browsers that are signed in",
    description: "Owners see all of the account, everybody else their own.",
    security: security("user"),
    responses: {
      200: jsonResponse("The one last used first", listSchema, { sessions: [example] }),
      ...errorResponses(401, 403),
    },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { userId, role, by } = userOf(c.var.principal);
    const all = await listSessions(c.env.DB, userId, Date.now());
    const seen = isAtLeast(role, "owner") ? all : all.filter((session) => isOwn(session, by));
    return c.json({ sessions: seen.map((session) => viewOf(session, by.sessionId)) });
  }
}

export class DeleteSession extends Endpoint {
  override schema = {
    operationId: "deleteSession",
    tags: ["Access"],
    summary: "Sign a browser out",
    description: "One of your own, or, as an owner, anybody's. Its live connections end with it.",
    security: security("user"),
    request: { params: z.object({ id: z.string().max(100) }) },
    responses: { 200: successResponse("It is signed out"), ...errorResponses(401, 403, 404) },
  };

  override async handle(c: ApiContext): Promise<Response> {
    const { params } = await this.getValidatedData<typeof this.schema>();
    const principal = userOf(c.var.principal);
    const { userId, by } = principal;
    const session = (await listSessions(c.env.DB, userId, Date.now())).find(({ id }) => id === params.id);
    if (session === undefined) throw notFound();
    if (!isOwn(session, by)) demandRole(principal, "owner");
    await endSessionOf(c, userId, params.id);
    noteAct(c, { sort: isOwn(session, by) ? "session" : "owner" });
    if (params.id === by.sessionId) setSessionSecret(c, "");
    return c.json({ success: true });
  }
}

function isOwn({ stem }: ListedSession, by: By): boolean {
  return stem.kind === by.kind && stem.id === by.id;
}

function viewOf(session: ListedSession, askedBy: string | null): z.infer<typeof sessionSchema> {
  const { id, stem, role, device, createdAt, lastUsedAt, expiresAt } = session;
  return {
    id,
    by: { kind: stem.kind, id: stem.id, name: stem.name },
    role,
    device,
    created_at: toIso(createdAt),
    last_used_at: toIso(lastUsedAt),
    expires_at: toIso(expiresAt),
    this: id === askedBy,
  };
}
