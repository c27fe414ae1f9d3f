import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerFleet, startService } from "../../bench/service.ts";
import { issueUserToken, registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { type FuzzedRequest, requestsOf } from "./openapi-requests.ts";
import { Pages } from "./pages.ts";

/** What comes from outside and means no good, against a real server. */

const REQUESTS = 10_000;
const PARALLEL = 16;
const INSTANCES = 40;
/** Each user token has a limit of its own. */
const TOKENS = 15;
const SECRET_NAME = "somebody-elses-7c1f";
const COSTS = { hourly_cost: 1, hibernated_hourly_cost: 0 };

let world: ServerWorld;
let attacker: User;
let victim: User;
let victimToken: string;

beforeAll(async () => {
  world = await ServerWorld.create();
  attacker = await world.newUser("Mallory");
  victim = await world.newUser("Ada");
  victimToken = await registerInstance(world.url, victim.token, {
    instance_id: "victim",
    name: SECRET_NAME,
    ...COSTS,
    // It is heard once, and must stay as it is for as long as all of this takes.
    policy: { orphan: { enabled: false } },
  });
  await sendHeartbeat(world.url, victimToken, { instance_id: "victim", gpu_utilization: 50 });
});
afterAll(() => world.end());

const victimNow = async () =>
  z
    .object({ name: z.string(), status: z.string(), total_heartbeats: z.number(), hourly_cost: z.number() })
    .parse(await request(`${world.url}/api/agent/instances/victim`, "GET", victim.token));

const errorSchema = z.strictObject({
  success: z.literal(false),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    issues: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  }),
});

describe("a stolen or borrowed session", () => {
  let token: string;
  let cookie: string;
  const json = { "Content-Type": "application/json" };
  const ownPage = () => ({ ...json, Origin: world.url });

  const signIn = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${world.url}/api/session`, {
      method: "POST",
      headers: { ...ownPage(), ...headers },
      body: JSON.stringify(body),
    });
  const cookieOf = ({ headers }: Response) => headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const whoAmI = async (asked: string): Promise<number> =>
    (await fetch(`${world.url}/api/agent/whoami`, { headers: { Cookie: asked } })).status;
  const makeToken = async (asked: unknown) =>
    z
      .object({ id: z.string(), token: z.string() })
      .parse(await request(`${world.url}/api/agent/tokens`, "POST", victim.token, asked));
  const policyNow = async () =>
    JSON.stringify(await request(`${world.url}/api/agent/policy`, "GET", victim.token));

  beforeAll(async () => {
    token = victim.token;
    cookie = cookieOf(await signIn({ token }));
    expect(await whoAmI(cookie)).toBe(200);
  });

  it("changes nothing without the word of a browser that our own page asks", async () => {
    const before = [await victimNow(), await policyNow()];
    const act = (headers: Record<string, string>, body = '{"idle":{"enabled":false}}') =>
      fetch(`${world.url}/api/agent/policy`, {
        method: "PUT",
        headers: { Cookie: cookie, ...headers },
        body,
      });
    const refused: Record<string, string>[] = [
      json,
      { ...json, Origin: "https://evil.example" },
      { ...json, Origin: "null" },
      { ...json, Origin: `${world.url}.evil.example` },
      { ...json, Origin: world.url.replace(/:\d+$/, ":1") },
      { ...json, Referer: `${world.url}/` },
      { ...json, "Sec-Fetch-Site": "same-site" },
      { ...json, "Sec-Fetch-Site": "none" },
      { ...json, "Sec-Fetch-Site": "same-origin", Origin: "https://evil.example" },
    ];
    for (const headers of refused) expect((await act(headers)).status, JSON.stringify(headers)).toBe(403);
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      expect((await act({ Origin: world.url, "Content-Type": type })).status, type).toBe(400);
    }
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const response = await fetch(`${world.url}/api/agent/instances/victim`, {
        method,
        headers: { Cookie: cookie, ...json },
        body: "{}",
      });
      expect([method, response.status]).toEqual([method, 403]);
    }
    expect([await victimNow(), await policyNow()]).toEqual(before);
    expect((await act(ownPage(), "{}")).status).toBe(200);
  });

  it("is of no use to another page in the victim's own browser, of another site or another port", async () => {
    const evil = createServer((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end(
        `<form method="post" action="${world.url}/api/agent/instances/victim/keep-alive" target="frame"></form><iframe name="frame"></iframe>`,
      );
    });
    await new Promise<void>((listening) => evil.listen(0, "127.0.0.1", listening));
    const address = evil.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const pages = await Pages.start();
    try {
      const before = await victimNow();
      const page = await pages.open(`${world.url}/`, {}, /./);
      const signedIn = await page.evaluate(`(async () => {
        const headers = { "Content-Type": "application/json" };
        const body = JSON.stringify({ token: ${JSON.stringify(token)} });
        return (await fetch("/api/session", { method: "POST", headers, body })).status;
      })()`);
      expect(signedIn).toBe(201);
      // The first of them is the same site to a browser, which sends the cookie along.
      for (const host of ["127.0.0.1", "localhost"]) {
        await page.goto(`http://${host}:${port}/`);
        const told = await page.evaluate(attackFrom(world.url));
        expect(told).toEqual({
          posted: ["opaque", "refused"],
          read: "refused",
          watched: "refused",
          out: "refused",
        });
      }
      await page.goto(`${world.url}/`);
      const stillIn = await page.evaluate(`fetch("/api/agent/whoami").then(({ status }) => status)`);
      expect(stillIn).toBe(200);
      expect(await victimNow()).toEqual(before);
      const seen = z
        .object({ keep_alive_until: z.string().nullable() })
        .parse(await request(`${world.url}/api/agent/instances/victim`, "GET", token));
      expect(seen.keep_alive_until).toBeNull();
    } finally {
      await pages.end();
      evil.close();
    }
  });

  it("ends at once when it is revoked or signed out, and cannot be brought back by its cookie", async () => {
    const [first, second] = [cookieOf(await signIn({ token })), cookieOf(await signIn({ token }))];
    const { sessions } = z
      .object({ sessions: z.array(z.object({ id: z.string(), this: z.boolean() })) })
      .parse(await (await fetch(`${world.url}/api/agent/sessions`, { headers: { Cookie: first } })).json());
    const id = sessions.find((each) => each.this)?.id ?? "";
    await request(`${world.url}/api/agent/sessions/${id}`, "DELETE", token);
    const headers = { ...ownPage(), Cookie: second };
    await fetch(`${world.url}/api/session`, { method: "DELETE", headers });
    expect([await whoAmI(first), await whoAmI(second)]).toEqual([401, 401]);
    const live = await fetch(`${world.url}/api/agent/live`, { headers: { ...ownPage(), Cookie: first } });
    expect(live.status).toBe(401);
  });

  it("dies with its token, which dies at its end", async () => {
    const short = await makeToken({ name: "short", role: "operator", expires_in_days: 4 / 86_400 });
    const made = await signIn({ token: short.token });
    expect(made.status).toBe(201);
    await expect.poll(() => whoAmI(cookieOf(made)), { timeout: 30_000 }).toBe(401);
    const bearer = { Authorization: `Bearer ${short.token}` };
    expect((await fetch(`${world.url}/api/agent/whoami`, { headers: bearer })).status).toBe(401);
    expect((await signIn({ token: short.token })).status).toBe(401);
    const revoked = await makeToken({ name: "revoked", role: "operator" });
    const other = cookieOf(await signIn({ token: revoked.token }));
    await request(`${world.url}/api/agent/tokens/${revoked.id}`, "DELETE", token);
    expect(await whoAmI(other)).toBe(401);
  });

  it("of a viewer climbs no higher by any route", async () => {
    const viewer = await makeToken({ name: "tv", role: "viewer" });
    const seen = cookieOf(await signIn({ token: viewer.token }));
    const before = [await victimNow(), await policyNow()];
    const tries: [string, string, unknown][] = [
      ["POST", "/api/agent/tokens", { name: "mine", role: "owner" }],
      ["POST", "/api/agent/tokens", { name: "mine", role: "viewer" }],
      ["POST", "/api/agent/invitations", { name: "me", role: "owner" }],
      ["PATCH", "/api/agent/account", { name: "mine" }],
      ["PUT", "/api/agent/policy", { idle: { enabled: false } }],
      ["POST", "/api/agent/instances/victim/hibernate", {}],
      ["POST", "/api/agent/instances/victim/keep-alive", {}],
      ["DELETE", "/api/agent/instances/victim", {}],
      ["POST", "/api/agent/hibernate-all", {}],
      ["PUT", "/api/agent/providers/vast", { api_key: "0123456789" }],
    ];
    for (const [method, path, body] of tries) {
      for (const headers of [
        { ...ownPage(), Cookie: seen },
        { ...json, Authorization: `Bearer ${viewer.token}` },
      ]) {
        const response = await fetch(`${world.url}${path}`, { method, headers, body: JSON.stringify(body) });
        expect([path, response.status]).toEqual([path, 403]);
      }
    }
    for (const path of ["/api/admin/users", "/api/admin/events"]) {
      expect((await fetch(`${world.url}${path}`, { headers: { ...ownPage(), Cookie: seen } })).status).toBe(
        401,
      );
    }
    // A claim that names another scope is not signed.
    const [header = "", claims = "", signature = ""] = viewer.token.split(".");
    const raised = JSON.parse(Buffer.from(claims, "base64url").toString());
    const forged = Buffer.from(JSON.stringify({ ...raised, scope: "user" })).toString("base64url");
    const bearer = { Authorization: `Bearer ${header}.${forged}.${signature}` };
    expect((await fetch(`${world.url}/api/agent/whoami`, { headers: bearer })).status).toBe(401);
    expect([await victimNow(), await policyNow()]).toEqual(before);
  });

  it("that was planted before somebody signs in is never theirs", async () => {
    const planted = cookieOf(await signIn({ token: attacker.token }));
    const mine = cookieOf(await signIn({ token }, { Cookie: planted }));
    expect(mine).not.toBe(planted);
    expect([await whoAmI(planted), await whoAmI(mine)]).toEqual([401, 200]);
    const made = await signIn({ token }, { Cookie: "dumont_session=chosen-by-the-attacker" });
    expect(cookieOf(made)).toMatch(/^dumont_session=[\w.-]{87}$/);
    // Nor does another page sign somebody in as the attacker.
    const foreign = await signIn({ token: attacker.token }, { Origin: "https://evil.example" });
    expect([foreign.status, foreign.headers.get("Set-Cookie")]).toEqual([403, null]);
  });

  it("is opened by a link once, though two follow it at the same time", async () => {
    const newLink = async () => {
      const admin = await world.adminToken();
      const { url } = z
        .object({ url: z.string() })
        .parse(await request(`${world.url}/api/admin/users/${victim.id}/sign-in-links`, "POST", admin, {}));
      return url.split("link=")[1] ?? "";
    };
    const link = await newLink();
    const both = await Promise.all([signIn({ link }), signIn({ link })]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
    expect((await signIn({ link })).status).toBe(401);
    const other = await newLink();
    for (const wrong of [other.slice(1), `${other}x`, other.split(".")[0], "x"]) {
      expect((await signIn({ link: wrong })).status).toBe(401);
    }
  });

  it("is not guessed: whoever tries is slowed down, by cookies and by sign-ins", async () => {
    // So many that most of them fall into one minute.
    const guesses = Array.from(
      { length: 200 },
      (_, n) => `dumont_session=${"A".repeat(40)}${100 + n}.${"A".repeat(43)}`,
    );
    const byCookie = await Promise.all(guesses.map(whoAmI));
    const byLink = await Promise.all(guesses.map(async (link) => (await signIn({ link })).status));
    for (const statuses of [byCookie, byLink]) {
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(80);
      expect(statuses.every((status) => status === 401 || status === 429)).toBe(true);
    }
    // Whoever is in stays in.
    expect(await whoAmI(cookie)).toBe(200);
  });
});

describe("ten thousand requests made of the OpenAPI document", () => {
  it("are each answered clearly, without a 5xx, and reach nothing of anybody else's", async () => {
    const document: unknown = await (await fetch(`${world.url}/openapi.json`)).json();
    const ids = Array.from({ length: INSTANCES }, (_, index) => `rig-${index}`);
    const instanceTokens = await Promise.all(
      ids.map((id) => registerInstance(world.url, attacker.token, { instance_id: id, name: id, ...COSTS })),
    );
    const before = await victimNow();
    const admin = await world.adminToken();
    const attackerTokens = await Promise.all(
      Array.from({ length: TOKENS }, () => issueUserToken(world.url, admin, attacker.id)),
    );
    const { token: enrollment } = z.object({ token: z.string() }).parse(
      await request(`${world.url}/api/agent/enrollments`, "POST", attacker.token, {
        name: "x",
        uses: 1000,
      }),
    );
    const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
    console.log(`FUZZ_SEED=${seed} makes the same requests again`);
    const requests = fc.sample(requestsOf(document, ["victim", ...ids]), { numRuns: REQUESTS, seed });
    const statuses = new Map<number, number>();
    const wrong: string[] = [];

    const send = async (fuzzed: FuzzedRequest, index: number) => {
      const token = {
        none: null,
        forged: `${attacker.token.slice(0, -2)}xx`,
        instance: instanceTokens[index % INSTANCES] ?? "",
        user: attackerTokens[index % TOKENS] ?? "",
        admin,
        enrollment,
      }[fuzzed.token];
      const response = await fetch(`${world.url}${fuzzed.path}`, {
        method: fuzzed.method,
        headers: token === null ? {} : { Authorization: `Bearer ${token}` },
        body: fuzzed.body,
        redirect: "manual",
      });
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const complain = (what: string) =>
        wrong.push(
          `${what}: ${JSON.stringify(fuzzed).slice(0, 600)} → ${response.status} ${text.slice(0, 300)}`,
        );
      if (response.status >= 500) complain("a 5xx");
      const isPage = response.headers.get("Content-Type")?.startsWith("text/html") ?? false;
      // A path that ends in `..` is the page's own, which is only ever read.
      if (response.status === 405) return;
      if (response.status >= 400 && !isPage && !errorSchema.safeParse(jsonOf(text)).success) {
        complain("no clear error");
      }
      if (/\n\s+at |SQLITE|D1_ERROR/.test(text)) complain("an inside view");
      if (fuzzed.token !== "admin" && text.includes(SECRET_NAME)) complain("somebody else's");
    };
    let next = 0;
    await Promise.all(
      Array.from({ length: PARALLEL }, async () => {
        for (let index = next++; index < requests.length; index = next++) {
          const fuzzed = requests[index];
          if (fuzzed !== undefined) await send(fuzzed, index);
        }
      }),
    );
    console.log(
      [...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, n]) => `${status}: ${n}`)
        .join(", "),
    );
    expect(wrong).toEqual([]);
    // They were not all turned away at the door.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(REQUESTS / 20);
    expect(await victimNow()).toEqual(before);
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });
});

describe("a token", () => {
  it("that is forged in any of the known ways opens nothing", async () => {
    const [header = "", claims = "", signature = ""] = victim.token.split(".");
    const decoded: Record<string, unknown> = JSON.parse(Buffer.from(header, "base64url").toString());
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signedBy = (key: string, head: unknown, body: string) =>
      `${encode(head)}.${body}.${createHmac("sha256", key)
        .update(`${encode(head)}.${body}`)
        .digest("base64url")}`;
    const attackerClaims = attacker.token.split(".")[1] ?? "";
    const forgeries = [
      `${encode({ ...decoded, alg: "none" })}.${claims}.`,
      `${encode({ ...decoded, alg: "None" })}.${claims}.${signature}`,
      `${encode({ alg: "HS256", typ: "JWT" })}.${claims}.${signature}`,
      `${encode({ ...decoded, kid: "00000000" })}.${claims}.${signature}`,
      `${encode({ ...decoded, kid: "../../dev/null" })}.${claims}.${signature}`,
      signedBy("", decoded, claims),
      signedBy("secret", decoded, claims),
      signedBy(victim.token, decoded, claims),
      // The attacker's own signature under the victim's claims, and the other way round.
      `${header}.${claims}.${attacker.token.split(".")[2]}`,
      `${header}.${attackerClaims}.${signature}`,
      `${header}.${claims}`,
      `${header}.${claims}.${signature.slice(0, -1)}`,
      `${header}.${claims}.${signature}.${signature}`,
      victim.token.toUpperCase(),
    ];
    for (const forgery of forgeries) {
      const response = await fetch(`${world.url}/api/agent/instances`, {
        headers: { Authorization: `Bearer ${forgery}` },
      });
      // The last ones are slowed down, as guessing is.
      expect([401, 429], forgery).toContain(response.status);
      expect(await response.text()).not.toContain(SECRET_NAME);
    }
    const asAttacker = await fetch(`${world.url}/api/agent/instances/victim`, {
      headers: { Authorization: `Bearer ${attacker.token}` },
    });
    expect(asAttacker.status).toBe(404);
  });
});

describe("a body", () => {
  it("that is too large is refused, whether it says its length or trickles in", async () => {
    // Without the proxies of `wrangler dev`, which answer 500 when a body is not taken to its end.
    const service = await startService("src/worker.ts");
    try {
      const { instances } = await registerFleet(service, 1);
      /** The status, or 413 as well when the connection was cut before all of the body was sent. */
      const post = (body: BodyInit): Promise<number> =>
        fetch(`${service.url}/api/agent/status`, {
          method: "POST",
          headers: { Authorization: `Bearer ${instances[0]?.token}` },
          body,
          // Node's fetch asks for it with a stream.
          ...{ duplex: "half" },
        }).then(
          ({ status }) => status,
          () => 413,
        );
      const piece = new TextEncoder().encode("x".repeat(2 ** 16));
      const trickling = () => {
        let pieces = 0;
        return new ReadableStream<Uint8Array>({
          pull(controller) {
            pieces += 1;
            if (pieces > 320) controller.close();
            else controller.enqueue(piece);
          },
        });
      };
      for (let round = 0; round < 10; round++) {
        expect(await post("x".repeat(20 * 2 ** 20))).toBe(413);
        expect(await post(trickling())).toBe(413);
      }
      expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    } finally {
      await service.stop();
    }
  });

  it("that two hundred callers send a byte at a time holds nobody else up", async () => {
    const { port } = new URL(world.url);
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {});
      socket.write(
        `POST /api/agent/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${victimToken}\r\nContent-Length: 1000\r\n\r\n`,
      );
      return socket;
    });
    const trickle = setInterval(() => {
      for (const socket of sockets) socket.write("{");
    }, 200);
    try {
      for (let beat = 0; beat < 10; beat++) {
        const startedAt = Date.now();
        await sendHeartbeat(world.url, victimToken, { instance_id: "victim", gpu_utilization: 50 });
        expect(Date.now() - startedAt).toBeLessThan(5000);
        await sleep(300);
      }
    } finally {
      clearInterval(trickle);
      for (const socket of sockets) socket.destroy();
    }
    expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
  });
});

/** What another page tries with the session of whoever looks at it, as its own script. */
function attackFrom(url: string): string {
  return `(async () => {
    const url = ${JSON.stringify(url)};
    document.querySelector("form").submit();
    const ask = (path, options, read) =>
      fetch(url + path, { credentials: "include", ...options }).then(read, () => "refused");
    const post = (type, mode) =>
      ask(
        "/api/agent/instances/victim/keep-alive",
        { method: "POST", mode, headers: { "Content-Type": type }, body: "{}" },
        (response) => response.type,
      );
    const watched = new Promise((done) => {
      const socket = new WebSocket(url.replace("http", "ws") + "/api/agent/live", "dumont");
      socket.onmessage = ({ data }) => done(data);
      socket.onerror = () => done("refused");
    });
    return {
      posted: [await post("text/plain", "no-cors"), await post("application/json", "cors")],
      read: await ask("/api/agent/instances", {}, (response) => response.text()),
      watched: await watched,
      out: await ask("/api/session", { method: "DELETE" }, () => "answered"),
    };
  })()`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
