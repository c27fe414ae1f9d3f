import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { issueSecret } from "../../src/accounts/secrets.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ONE_DAY = 24 * HOUR;
const OWN_PAGE = { Origin: "https://dumont.test", "Content-Type": "application/json" };
const COOKIE = "__Host-dumont_session";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

type Body = Record<string, unknown>;

const signIn = (json: Body, headers: Record<string, string> = {}) =>
  call("POST", "/api/session", { json, headers: { ...OWN_PAGE, ...headers } });

/** The cookie that an answer sets, as the browser sends it back. */
function cookieOf({ headers }: { headers: Headers }): string {
  return headers.get("Set-Cookie")?.split(";")[0] ?? "";
}

async function browserOf(token: string): Promise<string> {
  const reply = await signIn({ token });
  expect(reply.status).toBe(201);
  return cookieOf(reply);
}

const whoAmI = (cookie: string, headers: Record<string, string> = {}) =>
  call("GET", "/api/agent/whoami", { headers: { Cookie: cookie, ...headers } });

/** A link as it is made for a person, or for whoever follows it. */
async function newLink(userId: string, more: { personId?: string; expiresAt?: number } = {}) {
  const { secret, digest } = await issueSecret(env.TOKEN_KEY, "link");
  const { personId = null, expiresAt = Date.now() + HOUR } = more;
  await env.DB.prepare(
    `INSERT INTO sign_in_links (digest, id, user_id, person_id, role, name, email, made_by, made_by_kind, created_at,
       expires_at)
     VALUES (?, ?, ?, ?, 'operator', 'Bea', 'bea@example.com', 'operator', 'operator', ?, ?)`,
  )
    .bind(digest, `l-${crypto.randomUUID()}`, userId, personId, Date.now(), expiresAt)
    .run();
  return secret;
}

describe("signing in by a token", () => {
  it("sets a cookie that no script reads and no other site's request carries", async () => {
    const { userId, token, tokenId } = await newUser();
    const reply = await signIn({ token }, { "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" });
    expect(reply.status).toBe(201);
    expect(reply.headers.get("Set-Cookie")).toMatch(
      /^__Host-dumont_session=[\w.-]{87}; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    expect(reply.body).toEqual({
      user: { id: userId, name: "Ada" },
      role: "owner",
      by: { kind: "token", id: tokenId, name: "default" },
      session_id: expect.stringMatching(/^s-/),
      language: null,
      time_zone: null,
    });
    const cookie = cookieOf(reply);
    const who = await whoAmI(cookie);
    expect(who.body).toEqual(reply.body);
    for (const { headers } of [reply, who]) expect(headers.get("Cache-Control")).toBe("no-store");
    const row = await env.DB.prepare("SELECT * FROM sessions WHERE user_id = ?").bind(userId).first();
    expect(row).toMatchObject({ device: "Firefox on Linux", token_id: tokenId, person_id: null });
    expect(JSON.stringify(row)).not.toContain(cookie.slice(COOKIE.length + 1, COOKIE.length + 40));
  });

  it("takes a user's token and no other", async () => {
    const user = await newUser();
    const rig = await Instance.register(user, "rig");
    expect((await signIn({ token: rig.token })).status).toBe(403);
    expect((await signIn({ token: ADMIN_TOKEN })).status).toBe(401);
    expect((await signIn({ token: `${user.token}x` })).status).toBe(401);
    for (const json of [
      {},
      { token: 1 },
      { token: "" },
      { token: user.token, link: "x" },
      { tok: "x" },
      [],
    ]) {
      const reply = await call("POST", "/api/session", { json, headers: OWN_PAGE });
      expect([reply.status, reply.headers.get("Set-Cookie")]).toEqual([400, null]);
    }
  });

  it("never takes over a cookie that was there before, and ends its session", async () => {
    const [ada, mallory] = [await newUser("Ada"), await newUser("Mallory")];
    const planted = await browserOf(mallory.token);
    const reply = await signIn({ token: ada.token }, { Cookie: planted });
    expect(cookieOf(reply)).not.toBe(planted);
    expect((await whoAmI(cookieOf(reply))).body.user.name).toBe("Ada");
    expect((await whoAmI(planted)).status).toBe(401);
  });

  it("is refused to a page of somebody else's, and where the network could read along", async () => {
    const { token } = await newUser();
    const refused: Record<string, string>[] = [
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: "http://dumont.test" },
      { "Content-Type": "text/plain" },
      { "Content-Type": "application/x-www-form-urlencoded" },
    ];
    for (const headers of refused) {
      const reply = await signIn({ token }, headers);
      expect(reply.status, JSON.stringify(headers)).toBeOneOf([400, 403]);
      expect(reply.headers.get("Set-Cookie")).toBeNull();
    }
    const json = { token };
    const crossSite = { "Content-Type": "application/json", "Sec-Fetch-Site": "cross-site" };
    expect((await call("POST", "/api/session", { json, headers: crossSite })).status).toBe(403);
  });
});

describe("a session", () => {
  it("does what its token does, and dies with it", async () => {
    const { token, tokenId } = await newUser();
    const cookie = await browserOf(token);
    const headers = { Cookie: cookie, ...OWN_PAGE };
    const made = await call("POST", "/api/agent/instances", { json: { instance_id: "rig" }, headers });
    expect(made.status).toBe(201);
    await call("DELETE", `/api/admin/tokens/${tokenId}`, { token: ADMIN_TOKEN });
    expect((await whoAmI(cookie)).status).toBe(401);
  });

  it("changes something for the service's own page alone", async () => {
    const { token } = await newUser();
    const cookie = await browserOf(token);
    const put = (headers: Record<string, string>) =>
      call("PUT", "/api/agent/policy", { json: {}, headers: { Cookie: cookie, ...headers } });
    const json = { "Content-Type": "application/json" };
    expect((await put(json)).status).toBe(403);
    expect((await put({ ...json, Origin: "https://evil.example" })).status).toBe(403);
    expect((await put({ ...json, Origin: "null" })).status).toBe(403);
    expect((await put({ ...json, Origin: "http://dumont.test" })).status).toBe(403);
    expect((await put({ ...json, "Sec-Fetch-Site": "same-site" })).status).toBe(403);
    expect(
      (await put({ ...json, Origin: "https://evil.example", "Sec-Fetch-Site": "same-origin" })).status,
    ).toBe(403);
    expect((await put({ Origin: "https://dumont.test", "Content-Type": "text/plain" })).status).toBe(400);
    expect((await put(OWN_PAGE)).status).toBe(200);
    expect((await put({ ...json, "Sec-Fetch-Site": "same-origin" })).status).toBe(200);
  });

  it("and a token are named in the events of what they ask for, the outside world is not", async () => {
    const user = await newUser();
    const rig = await Instance.register(user, "rig");
    await rig.heartbeat();
    await rig.ask("POST", "/keep-alive");
    const person = await signIn({ link: await newLink(user.userId) });
    const headers = { Cookie: cookieOf(person), ...OWN_PAGE };
    await call("PATCH", "/api/agent/instances/rig", { json: { name: "Rig" }, headers });
    await rig.settled();
    const { events } = (await rig.ask("GET", "/events")).body;
    const askedBy = events.map(({ kind, detail }: { kind: string; detail: Body }) => [
      kind,
      detail.asked_by_kind,
      detail.asked_by,
    ]);
    expect(askedBy).toEqual(
      expect.arrayContaining([
        ["changed", "person", "Bea"],
        ["kept_alive", "token", "default"],
        ["first_heartbeat", undefined, undefined],
      ]),
    );
  });

  it("counts for nothing beside a token, be that good or bad", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const cookie = await browserOf(ada.token);
    expect((await whoAmI(cookie, { Authorization: `Bearer ${bob.token}` })).body.user.name).toBe("Bob");
    expect((await whoAmI(cookie, { Authorization: "Bearer nonsense" })).status).toBe(401);
    expect((await whoAmI(cookie, { Authorization: "Basic eDp5" })).status).toBe(401);
  });

  it("opens nothing of the operator's, of an instance's, or of an enrollment's", async () => {
    const { token } = await newUser();
    const headers = { Cookie: await browserOf(token), ...OWN_PAGE };
    expect((await call("GET", "/api/admin/users", { headers })).status).toBe(401);
    expect((await call("POST", "/api/agent/status", { json: { instance_id: "x" }, headers })).status).toBe(
      401,
    );
    expect((await call("POST", "/api/agent/enroll", { json: {}, headers })).status).toBe(401);
  });

  it("ends after two weeks without use, and after ninety days in any case", async () => {
    const { token } = await newUser();
    const [idle, used] = [await browserOf(token), await browserOf(token)];
    for (let day = 13; day < 90; day += 13) {
      setClock(DAY + day * ONE_DAY);
      expect((await whoAmI(used)).status, `day ${day}`).toBe(200);
    }
    expect((await whoAmI(idle)).status).toBe(401);
    setClock(DAY + 90 * ONE_DAY);
    expect((await whoAmI(used)).status).toBe(401);
  });

  it("notes its use at most once in ten minutes", async () => {
    const { userId, token } = await newUser();
    const cookie = await browserOf(token);
    const usedAt = async () =>
      env.DB.prepare("SELECT last_used_at FROM sessions WHERE user_id = ?")
        .bind(userId)
        .first("last_used_at");
    setClock(DAY + 9 * MINUTE);
    await whoAmI(cookie);
    setClock(DAY + 10 * MINUTE);
    expect(await usedAt()).toBe(DAY);
    await whoAmI(cookie);
    await eventually(async () => expect(await usedAt()).toBe(DAY + 10 * MINUTE));
  });

  it("is refused while its account is suspended", async () => {
    const { userId, token } = await newUser();
    const cookie = await browserOf(token);
    await call("POST", `/api/admin/users/${userId}/suspend`, { token: ADMIN_TOKEN });
    expect((await whoAmI(cookie)).body.error.code).toBe("suspended");
    expect((await signIn({ token })).body.error.code).toBe("suspended");
  });

  it("makes room for a new one once an account has two hundred", async () => {
    const { userId, token, tokenId } = await newUser();
    const first = await browserOf(token);
    await env.DB.batch(
      Array.from({ length: 199 }, (_, n) =>
        env.DB.prepare(
          `INSERT INTO sessions (digest, id, user_id, token_id, device, created_at, last_used_at, expires_at)
           VALUES (?, ?, ?, ?, 'x', ?, ?, ?)`,
        ).bind(`${userId}-${n}`, `s-${n}`, userId, tokenId, DAY, DAY + 1, DAY + ONE_DAY),
      ),
    );
    expect((await whoAmI(first)).status).toBe(200);
    setClock(DAY + MINUTE);
    const newest = await browserOf(token);
    const count = env.DB.prepare("SELECT COUNT(*) AS n FROM sessions WHERE user_id = ?").bind(userId);
    expect(await count.first("n")).toBe(200);
    expect((await whoAmI(first)).status).toBe(401);
    expect((await whoAmI(newest)).status).toBe(200);
  });

  it("stays, however often somebody else of the account signs in", async () => {
    const ada = await newUser();
    const json = { name: "board", role: "viewer" };
    const board = await call("POST", "/api/agent/tokens", { token: ada.token, json });
    const first = await browserOf(ada.token);
    await env.DB.batch(
      Array.from({ length: 199 }, (_, n) =>
        env.DB.prepare(
          `INSERT INTO sessions (digest, id, user_id, token_id, device, created_at, last_used_at, expires_at)
           VALUES (?, ?, ?, ?, 'x', ?, ?, ?)`,
        ).bind(`${ada.userId}-${n}`, `s-${n}`, ada.userId, board.body.id, DAY, DAY + n, DAY + ONE_DAY),
      ),
    );
    setClock(DAY + MINUTE);
    const newest = await browserOf(board.body.token);
    expect((await whoAmI(first)).status).toBe(200);
    expect((await whoAmI(newest)).status).toBe(200);
    const { results } = await env.DB.prepare("SELECT id FROM sessions WHERE user_id = ?")
      .bind(ada.userId)
      .all<{ id: string }>();
    expect(results).toHaveLength(200);
    expect(results.map(({ id }) => id)).not.toContain("s-0");
  });

  it("cannot be guessed, not even with the digest that the database keeps", async () => {
    const { userId, token } = await newUser();
    const cookie = await browserOf(token);
    const [secret = "", signature = ""] = cookie.slice(COOKIE.length + 1).split(".");
    const digest = await env.DB.prepare("SELECT digest FROM sessions WHERE user_id = ?")
      .bind(userId)
      .first<string>("digest");
    for (const guess of [
      "",
      secret,
      `${secret}.`,
      `${digest}.${signature}`,
      `${"A".repeat(43)}.${signature}`,
      `${secret}.${"A".repeat(43)}`,
      token,
      "%00",
      "é",
    ]) {
      expect((await whoAmI(`${COOKIE}=${guess}`)).status, guess).toBe(401);
    }
    // By https the name without the prefix, which another host could plant, counts for nothing.
    expect((await whoAmI(cookie.replace("__Host-", ""))).status).toBe(401);
  });
});

describe("signing out", () => {
  it("ends the session at once, makes the browser forget, and may be repeated", async () => {
    const { token } = await newUser();
    const cookie = await browserOf(token);
    const out = () => call("DELETE", "/api/session", { headers: { ...OWN_PAGE, Cookie: cookie } });
    expect((await call("DELETE", "/api/session", { headers: { Cookie: cookie } })).status).toBe(403);
    expect((await whoAmI(cookie)).status).toBe(200);
    const reply = await out();
    expect(reply.status).toBe(200);
    expect(reply.headers.get("Set-Cookie")).toMatch(
      /^__Host-dumont_session=; Max-Age=0; Path=\/; HttpOnly; Secure/,
    );
    expect((await whoAmI(cookie)).status).toBe(401);
    expect((await out()).status).toBe(200);
  });

  it("is not done by another page, which could throw people out", async () => {
    const { token } = await newUser();
    await browserOf(token);
    const reply = await call("DELETE", "/api/session", { headers: { Origin: "https://evil.example" } });
    expect([reply.status, reply.headers.get("Set-Cookie")]).toEqual([403, null]);
  });
});

describe("a link that signs in", () => {
  it("makes whoever follows it a person of the account, once", async () => {
    const { userId } = await newUser();
    const link = await newLink(userId);
    const [one, two] = await Promise.all([signIn({ link }), signIn({ link })]);
    expect([one?.status, two?.status].sort()).toEqual([201, 401]);
    const won = one?.status === 201 ? one : two;
    expect(won?.body).toMatchObject({ role: "operator", by: { kind: "person", name: "Bea" } });
    expect((await signIn({ link })).status).toBe(401);
    const people = await env.DB.prepare("SELECT name, email, role FROM people WHERE user_id = ?")
      .bind(userId)
      .all();
    expect(people.results).toEqual([{ name: "Bea", email: "bea@example.com", role: "operator" }]);
  });

  it("signs in the person for whom it was made, unless that one was removed", async () => {
    const { userId } = await newUser();
    const first = await signIn({ link: await newLink(userId) });
    const personId = first.body.by.id;
    const again = await signIn({ link: await newLink(userId, { personId }) });
    expect(again.body.by).toEqual(first.body.by);
    const late = await newLink(userId, { personId });
    await env.DB.prepare("UPDATE people SET removed_at = ? WHERE id = ?").bind(DAY, personId).run();
    expect((await signIn({ link: late })).status).toBe(401);
    expect((await whoAmI(cookieOf(again))).status).toBe(401);
  });

  it("is refused once it has expired, where the account is suspended, and where it is no link", async () => {
    const { userId, token } = await newUser();
    const link = await newLink(userId, { expiresAt: DAY + MINUTE });
    const other = await newLink(userId);
    setClock(DAY + MINUTE);
    expect((await signIn({ link })).status).toBe(401);
    await call("POST", `/api/admin/users/${userId}/suspend`, { token: ADMIN_TOKEN });
    expect((await signIn({ link: other })).status).toBe(401);
    await call("POST", `/api/admin/users/${userId}/resume`, { token: ADMIN_TOKEN });
    expect((await signIn({ link: other })).status).toBe(201);
    const session = cookieOf(await signIn({ token })).slice(COOKIE.length + 1);
    for (const text of ["x", token, session, "A".repeat(43)]) {
      expect((await signIn({ link: text.slice(0, 200) })).status).toBe(401);
    }
  });
});
