import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readToken } from "../../src/accounts/tokens.ts";
import { ADMIN_TOKEN, call, DAY, eventually, newUser, setClock } from "../world.ts";

const ONE_DAY = 24 * 60 * 60_000;
const PAGE = { Origin: "https://dumont.test", "Content-Type": "application/json" };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

type Asked = { name: string; role: string; expires_in_days?: number | null };

const make = (token: string, json: Asked) => call("POST", "/api/agent/tokens", { token, json });
const list = async (token: string) => (await call("GET", "/api/agent/tokens", { token })).body.tokens;
const revoke = (token: string, id: string) => call("DELETE", `/api/agent/tokens/${id}`, { token });

async function cookieOf(token: string): Promise<string> {
  const { headers } = await call("POST", "/api/session", { json: { token }, headers: PAGE });
  return headers.get("Set-Cookie")?.split(";")[0] ?? "";
}

describe("an account's tokens", () => {
  it("are made by its owners with a role and an end, shown once, and listed with their last use", async () => {
    const { token, tokenId } = await newUser();
    const made = await make(token, { name: "ci", role: "operator", expires_in_days: 30 });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      role: "operator",
      state: "active",
      expires_at: "2030-02-06T00:00:00Z",
    });
    expect((await call("GET", "/api/agent/whoami", { token: made.body.token })).body.role).toBe("operator");
    await eventually(async () =>
      expect((await list(token)).map((each: { last_used_at: unknown }) => each.last_used_at)).not.toContain(
        null,
      ),
    );
    const listed = await list(token);
    expect(listed.map(({ id, this: own }: { id: string; this: boolean }) => [id, own])).toEqual(
      expect.arrayContaining([
        [tokenId, true],
        [made.body.id, false],
      ]),
    );
    expect(JSON.stringify(listed)).not.toContain(made.body.token);
  });

  it("end when they should, for scripts and for browsers that signed in with them", async () => {
    const { token } = await newUser();
    const { body } = await make(token, { name: "visit", role: "viewer", expires_in_days: 1 });
    const cookie = await cookieOf(body.token);
    const whoAmI = () => call("GET", "/api/agent/whoami", { headers: { Cookie: cookie } });
    setClock(DAY + ONE_DAY - 1000);
    expect([(await whoAmI()).status, (await whoAmI()).body.role]).toEqual([200, "viewer"]);
    setClock(DAY + ONE_DAY);
    expect((await whoAmI()).status).toBe(401);
    expect((await call("GET", "/api/agent/whoami", { token: body.token })).status).toBe(401);
    expect((await list(token)).find(({ id }: { id: string }) => id === body.id).state).toBe("expired");
  });

  it("are of a scope that the release before refuses, but for those of owners that do not end", async () => {
    const { token } = await newUser();
    const scopeOf = async (asked: Asked) =>
      (await readToken(env.TOKEN_KEY, (await make(token, asked)).body.token))?.scope;
    expect(await scopeOf({ name: "x", role: "owner" })).toBe("user");
    expect(await scopeOf({ name: "x", role: "owner", expires_in_days: 1 })).toBe("limited");
    for (const role of ["operator", "viewer", "metrics"]) {
      expect(await scopeOf({ name: "x", role, expires_in_days: null })).toBe("limited");
    }
  });

  it("are not made by who is no owner, nor with what makes no sense", async () => {
    const { token } = await newUser();
    const operator = (await make(token, { name: "op", role: "operator" })).body.token;
    for (const role of ["owner", "operator", "viewer"]) {
      expect((await make(operator, { name: "more", role })).status).toBe(403);
    }
    for (const json of [
      {},
      { name: "x" },
      { name: "x", role: "emperor" },
      { name: "", role: "viewer" },
      { name: "x", role: "viewer", expires_in_days: 0 },
      { name: "x", role: "viewer", expires_in_days: -1 },
      { name: "x", role: "viewer", expires_in_days: 1e6 },
      { name: "x", role: "viewer", scope: "admin" },
    ]) {
      expect((await call("POST", "/api/agent/tokens", { token, json })).status, JSON.stringify(json)).toBe(
        400,
      );
    }
  });

  it("are revoked by owners, each by whoever holds it, and by nobody of another account", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const operator = (await make(ada.token, { name: "op", role: "operator" })).body;
    const viewer = (await make(ada.token, { name: "see", role: "viewer" })).body;
    expect((await revoke(operator.token, viewer.id)).status).toBe(403);
    expect((await revoke(bob.token, viewer.id)).status).toBe(404);
    expect((await revoke(viewer.token, viewer.id)).status).toBe(200);
    expect((await call("GET", "/api/agent/whoami", { token: viewer.token })).status).toBe(401);
    const cookie = await cookieOf(operator.token);
    const signedOut = await call("DELETE", `/api/agent/tokens/${operator.id}`, {
      headers: { ...PAGE, Cookie: cookie },
    });
    expect([signedOut.status, signedOut.headers.get("Set-Cookie")]).toEqual([
      200,
      expect.stringContaining("Max-Age=0"),
    ]);
    expect((await call("GET", "/api/agent/whoami", { headers: { Cookie: cookie } })).status).toBe(401);
  });

  it("always leave somebody who holds the keys", async () => {
    const { token, tokenId } = await newUser();
    await make(token, { name: "for a day", role: "owner", expires_in_days: 1 });
    const refused = await revoke(token, tokenId);
    expect([refused.status, refused.body.error.code]).toEqual([409, "last_owner"]);
    const other = (await make(token, { name: "second", role: "owner" })).body;
    const both = await Promise.all([revoke(token, tokenId), revoke(token, other.id)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("that are over are kept in a small number", async () => {
    const { userId, token } = await newUser();
    await env.DB.batch(
      Array.from({ length: 80 }, (_, n) =>
        env.DB.prepare(
          "INSERT INTO user_tokens (id, user_id, name, created_at, revoked_at) VALUES (?, ?, 'old', 1, ?)",
        ).bind(`t-${userId}-${n}`, userId, n + 1),
      ),
    );
    await make(token, { name: "new", role: "viewer" });
    const listed: { id: string; state: string }[] = await list(token);
    expect(listed.filter(({ state }) => state === "revoked")).toHaveLength(50);
    expect(listed.filter(({ state }) => state === "active")).toHaveLength(2);
    expect(listed.some(({ id }) => id === `t-${userId}-79`)).toBe(true);
  });
});

describe("the sessions of an account", () => {
  it("are seen and ended by owners all, and by everybody else their own", async () => {
    const { token } = await newUser();
    const viewer = (await make(token, { name: "see", role: "viewer" })).body.token;
    const [hers, his, other] = [await cookieOf(token), await cookieOf(viewer), await cookieOf(viewer)];
    const listed = async (cookie: string): Promise<{ id: string; this: boolean; role: string }[]> =>
      (await call("GET", "/api/agent/sessions", { headers: { Cookie: cookie } })).body.sessions;
    const end = (cookie: string, id: string) =>
      call("DELETE", `/api/agent/sessions/${id}`, { headers: { ...PAGE, Cookie: cookie } });
    const all = await listed(hers);
    const seen = await listed(his);
    expect([all.length, seen.length]).toEqual([3, 2]);
    expect(seen.filter(({ this: own }) => own)).toHaveLength(1);
    const idOf = async (cookie: string) => (await listed(cookie)).find(({ this: own }) => own)?.id ?? "";
    const [herId, hisId, otherId] = [await idOf(hers), await idOf(his), await idOf(other)];

    expect((await end(his, herId)).status).toBe(403);
    expect((await end(his, otherId)).status).toBe(200);
    expect((await end(hers, otherId)).status).toBe(404);
    expect((await end(hers, hisId)).status).toBe(200);
    expect((await listed(hers)).map(({ id }) => id)).toEqual([herId]);
    const own = await end(hers, herId);
    expect(own.headers.get("Set-Cookie")).toContain("Max-Age=0");
    expect((await call("GET", "/api/agent/whoami", { headers: { Cookie: hers } })).status).toBe(401);
  });

  it("are never those of another account", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    await cookieOf(ada.token);
    const [session] = (await call("GET", "/api/agent/sessions", { token: ada.token })).body.sessions;
    expect((await call("GET", "/api/agent/sessions", { token: bob.token })).body.sessions).toEqual([]);
    expect((await call("DELETE", `/api/agent/sessions/${session.id}`, { token: bob.token })).status).toBe(
      404,
    );
  });
});

describe("a link of the operator's", () => {
  const ask = (userId: string, json?: unknown) =>
    call("POST", `/api/admin/users/${userId}/sign-in-links`, { token: ADMIN_TOKEN, json });
  const follow = (url: string) =>
    call("POST", "/api/session", { json: { link: url.split("link=")[1] }, headers: PAGE });

  it("signs the account's owner in, once, and makes one where there is none", async () => {
    const { userId } = await newUser();
    const first = await ask(userId);
    expect(first.status).toBe(201);
    expect(first.body.url).toMatch(/^https:\/\/dumont\.test\/#\/sign-in\?link=[\w.-]{87}$/);
    expect(first.body.expires_at).toBe("2030-01-07T01:00:00Z");
    const owner = await follow(first.body.url);
    expect(owner.body).toMatchObject({ role: "owner", by: { kind: "person", name: "Ada" } });
    expect((await follow(first.body.url)).status).toBe(401);
    const again = await follow((await ask(userId, { expires_in_minutes: 5 })).body.url);
    expect(again.body.by).toEqual(owner.body.by);
  });

  it("is refused for nobody's account, a suspended one, and for too long", async () => {
    const { userId } = await newUser();
    expect((await ask("u-none")).status).toBe(404);
    for (const minutes of [0, -1, 10_081, "60", null]) {
      expect((await ask(userId, { expires_in_minutes: minutes })).status).toBe(400);
    }
    await call("POST", `/api/admin/users/${userId}/suspend`, { token: ADMIN_TOKEN });
    expect((await ask(userId)).status).toBe(409);
  });
});

describe("the account", () => {
  it("has a name, a language and a time zone, which its owners change", async () => {
    const { userId, token } = await newUser();
    const patch = (json: unknown, by = token) => call("PATCH", "/api/agent/account", { token: by, json });
    const told = { language: "pt-BR", time_zone: "America/Sao_Paulo" };
    expect((await patch(told)).body).toEqual({ id: userId, name: "Ada", ...told });
    expect((await patch({ name: "Ada's lab", time_zone: null })).body).toEqual({
      id: userId,
      name: "Ada's lab",
      language: "pt-BR",
      time_zone: null,
    });
    expect((await call("GET", "/api/agent/whoami", { token })).body).toMatchObject({
      user: { name: "Ada's lab" },
      language: "pt-BR",
    });
    for (const json of [
      { language: "xx" },
      { time_zone: "Mars/Olympus" },
      { name: " " },
      { role: "x" },
      [],
    ]) {
      expect((await patch(json)).status).toBe(400);
    }
    const operator = (await make(token, { name: "op", role: "operator" })).body.token;
    expect((await patch({ name: "Mine" }, operator)).status).toBe(403);
    expect((await call("GET", "/api/agent/account", { token: operator })).status).toBe(200);
  });
});
