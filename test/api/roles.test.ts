import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Role, roleSchema } from "../../src/accounts/roles.ts";
import { issueToken } from "../../src/accounts/tokens.ts";
import { call, newUser } from "../world.ts";

const operationSchema = z.looseObject({
  security: z.array(z.record(z.string(), z.unknown())).optional(),
  "x-least-role": roleSchema.optional(),
});

const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

/** Every operation that a user may ask for, with the least role that it tells. */
async function operationsOfUsers() {
  const { paths } = documentSchema.parse((await call("GET", "/openapi.json")).body);
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { security = [] }]) => security.some((scheme) => "user" in scheme))
      .map(([method, operation]) => ({
        path: path.replaceAll(/\{\w+\}/g, "x"),
        method: method.toUpperCase(),
        role: operation["x-least-role"],
      })),
  );
}

/** A token of a role, by the record that it has. */
async function tokenOf(userId: string, role: string, expiresAt: number | null = null): Promise<string> {
  const id = `t-${crypto.randomUUID()}`;
  await env.DB.prepare(
    "INSERT INTO user_tokens (id, user_id, name, created_at, role, expires_at) VALUES (?, ?, ?, 1, ?, ?)",
  )
    .bind(id, userId, role, role, expiresAt)
    .run();
  return issueToken(env.TOKEN_KEY, { scope: "limited", sub: userId, jti: id });
}

/** What everybody may end of their own; of others' their handlers demand more. */
const OF_ONES_OWN = new Set([
  "DELETE /api/agent/tokens/x",
  "DELETE /api/agent/sessions/x",
  "DELETE /api/agent/people/x/identities/x",
]);

const RANKED: readonly Role[] = ["metrics", "viewer", "operator", "owner"];

describe("every route of a user", () => {
  it("demands a role, and refuses whoever has a lower one, by token and by session", async () => {
    const { userId } = await newUser();
    const tokens = new Map<string, string>();
    for (const role of RANKED) tokens.set(role, await tokenOf(userId, role));
    const all = await operationsOfUsers();
    expect(all.length).toBeGreaterThan(50);
    for (const { method, path, role } of all) {
      const operation = `${method} ${path}`;
      if (role === undefined) throw new Error(`${operation} demands no role`);
      const lower = RANKED[RANKED.indexOf(role) - 1];
      if (lower === undefined) continue;
      const refused = await call(method, path, { token: tokens.get(lower) });
      expect([operation, refused.status, refused.body.error]).toEqual([
        operation,
        403,
        { code: "forbidden", message: `This needs the role ${role}; yours is ${lower}` },
      ]);
    }
  });

  it("is for viewers where it only reads, and for operators at least where it does more", async () => {
    const exceptions = new Map<string, Role>([
      ["GET /metrics", "metrics"],
      ["GET /api/agent/whoami", "metrics"],
      ["GET /api/agent/invitations", "owner"],
      ["GET /api/agent/audit", "owner"],
    ]);
    for (const { method, path, role } of await operationsOfUsers()) {
      const operation = `${method} ${path}`;
      const exception = exceptions.get(operation);
      if (exception !== undefined) expect([operation, role]).toEqual([operation, exception]);
      else if (method === "GET") expect([operation, role]).toEqual([operation, "viewer"]);
      else if (OF_ONES_OWN.has(operation)) expect([operation, role]).toEqual([operation, "viewer"]);
      else expect([operation, role]).toEqual([operation, expect.stringMatching(/^(operator|owner)$/)]);
    }
  });

  it("lets owners alone hold keys", async () => {
    const all = await operationsOfUsers();
    const owned = all.filter(({ role }) => role === "owner").map(({ method, path }) => `${method} ${path}`);
    expect(owned).toEqual(
      expect.arrayContaining([
        "POST /api/agent/connections",
        "PATCH /api/agent/connections/x",
        "DELETE /api/agent/connections/x",
        "PUT /api/agent/providers/x",
        "DELETE /api/agent/providers/x",
        "POST /api/agent/tokens",
        "PATCH /api/agent/account",
      ]),
    );
  });
});

describe("a role", () => {
  it("of metrics scrapes, and cannot sign in", async () => {
    const { userId } = await newUser();
    const token = await tokenOf(userId, "metrics");
    expect((await call("GET", "/metrics", { token })).status).toBe(200);
    expect((await call("GET", "/api/agent/instances", { token })).status).toBe(403);
    const headers = { "Content-Type": "application/json" };
    const reply = await call("POST", "/api/session", { json: { token }, headers });
    expect([reply.status, reply.headers.get("Set-Cookie")]).toEqual([403, null]);
  });

  it("that this version does not know lets nobody in", async () => {
    const { userId } = await newUser();
    const token = await tokenOf(userId, "emperor");
    expect((await call("GET", "/api/agent/whoami", { token })).status).toBe(401);
  });

  it("ends when its token does", async () => {
    const { userId } = await newUser();
    const good = await tokenOf(userId, "viewer", Date.now() + 60_000);
    const ended = await tokenOf(userId, "viewer", Date.now() - 1);
    expect((await call("GET", "/api/agent/whoami", { token: good })).body.role).toBe("viewer");
    expect((await call("GET", "/api/agent/whoami", { token: ended })).status).toBe(401);
  });
});
