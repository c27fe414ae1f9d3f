import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { badRequests } from "../malformed.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, rowsOf, setClock } from "../world.ts";

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

/** Everything that the service keeps: each table of D1, and what the instance and its fleet store. */
async function everythingKept(one: Instance): Promise<string> {
  const tables = [
    "users",
    "user_tokens",
    "people",
    "sign_in_links",
    "sessions",
    "enrollments",
    "enrolled_machines",
    "providers",
    "events",
    "heartbeat_chunks",
  ];
  const rows = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)));
  const objects = [one.actor, fleetOf(env, one.userId)].map(async (object) => [
    await rowsOf(object),
    await runInDurableObject(object, (_, { storage }) => storage.getAlarm()),
  ]);
  return JSON.stringify([rows.map(({ results }) => results), await Promise.all(objects)]);
}

it("5,000 malformed requests get a clear 4xx each, and none of them changes anything", async () => {
  const user = await newUser();
  const one = await Instance.register(user, "rig");
  await one.heartbeat();
  await one.ask("GET");
  await one.settled();
  const { body: made } = await call("POST", "/api/agent/enrollments", {
    token: user.token,
    json: { name: "image", uses: 1000 },
  });
  const before = await everythingKept(one);
  expect(before).toContain('"status":"running"');
  const answers = new Map<number, number>();

  const tokens = { instance: one.token, user: user.token, admin: ADMIN_TOKEN, enrollment: made.token };
  const requests = fc.sample(badRequests(tokens), {
    numRuns: 5_000,
    seed: 20251219,
  });
  for (const { method, path, headers, body } of requests) {
    const reply = await call(method, path, { headers, ...(body === null ? {} : { raw: body }) });
    const request = `${method} ${path} ${JSON.stringify(headers)} ${String(body).slice(0, 200)}`;
    expect([400, 401, 403, 404, 409, 413], `${reply.status} for ${request}`).toContain(reply.status);
    expect(reply.body, request).toEqual({
      success: false,
      error: expect.objectContaining({ code: expect.any(String), message: expect.any(String) }),
    });
    answers.set(reply.status, (answers.get(reply.status) ?? 0) + 1);
  }

  expect(await everythingKept(one)).toBe(before);
  // Each way of being wrong was among them.
  for (const status of [400, 401, 403, 404, 409, 413])
    expect(answers.get(status), `${status}`).toBeGreaterThan(5);
  expect((await call("GET", "/api/agent/instances", { token: user.token })).body.instances).toHaveLength(1);
  expect((await one.heartbeat()).status).toBe(200);
}, 600_000);
