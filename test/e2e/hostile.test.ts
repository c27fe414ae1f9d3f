import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerFleet, startService } from "../../bench/service.ts";
import { issueUserToken, registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";
import { type FuzzedRequest, requestsOf } from "./openapi-requests.ts";

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

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
