import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sleep } from "../../../src/platform/sleep.ts";
import { createRouter } from "../../../src/router.ts";
import { call, Instance, newUser } from "../../world.ts";

const router = createRouter();

/** Whatever is touched behind the limit fails the request. */
const untouched = new Proxy(
  {},
  {
    get: (_, name) => {
      throw new Error(`touched: ${String(name)}`);
    },
  },
);

async function ask(bindings: object, method: string, path: string, token: string, json?: unknown) {
  const context = createExecutionContext();
  const request = new Request(`https://dumont.test${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const response = await router.fetch(request, { ...env, ...bindings }, context);
  await waitOnExecutionContext(context);
  const body = await response.json<{ error?: { code: string; message: string } }>();
  return { status: response.status, retryAfter: response.headers.get("Retry-After"), error: body.error };
}

/** A limit that lets so many pass for each key, as the platform's does within a minute. */
function limitOf(limit: number) {
  const used = new Map<string, number>();
  return {
    limit: async ({ key }: { key: string }) => {
      const times = (used.get(key) ?? 0) + 1;
      used.set(key, times);
      return { success: times <= limit };
    },
  };
}

describe("a user's requests", () => {
  it("are limited by token, before the database or any object is asked", async () => {
    const { userId, token } = await newUser();
    const second = await call("POST", `/api/admin/users/${userId}/tokens`, {
      token: env.ADMIN_TOKEN,
    });
    const TOKEN_LIMIT = limitOf(2);
    const get = (by: string, more: object = {}) =>
      ask({ TOKEN_LIMIT, ...more }, "GET", "/api/agent/policy", by);
    expect(await get(token)).toMatchObject({ status: 200 });
    expect(await get(token)).toMatchObject({ status: 200 });
    const behind = { DB: untouched, FLEETS: untouched, INSTANCES: untouched, SERVICE: untouched };
    expect(await get(token, behind)).toEqual({
      status: 429,
      retryAfter: "60",
      error: { code: "too_many_requests", message: "Too many requests with this token" },
    });
    // A script that runs wild does not lock its owner out.
    expect(await get(second.body.token)).toMatchObject({ status: 200 });
  });

  it("are not even looked up for a token that this service did not sign", async () => {
    const reply = await ask({ DB: untouched, TOKEN_LIMIT: untouched }, "GET", "/api/agent/policy", "a.b.c");
    expect(reply.status).toBe(401);
  });

  it("of a browser are limited by its session, which can be ended all the same", async () => {
    const { token } = await newUser();
    const headers = { Origin: "https://dumont.test", "Content-Type": "application/json" };
    const signedIn = await call("POST", "/api/session", { headers, json: { token } });
    const cookie = signedIn.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    const browse = async (method: string, path: string, bindings: object = {}) => {
      const context = createExecutionContext();
      const init = { method, headers: { Origin: "https://dumont.test", Cookie: cookie } };
      const request = new Request(`https://dumont.test${path}`, init);
      const { status } = await router.fetch(request, { ...env, ...bindings }, context);
      await waitOnExecutionContext(context);
      return status;
    };
    const TOKEN_LIMIT = limitOf(0);
    expect(await browse("GET", "/api/agent/whoami")).toBe(200);
    expect(await browse("GET", "/api/agent/whoami", { TOKEN_LIMIT })).toBe(429);
    expect(await browse("DELETE", "/api/session", { TOKEN_LIMIT })).toBe(200);
    expect(await browse("GET", "/api/agent/whoami")).toBe(401);
  });

  it("with a wrong token are limited by network: whoever has one has all its addresses", async () => {
    const LOGIN_LIMIT = limitOf(2);
    const guess = async (address: string) => {
      const headers = { Authorization: "Bearer a.b.c", "CF-Connecting-IP": address };
      const request = new Request("https://dumont.test/api/agent/policy", { headers });
      const context = createExecutionContext();
      const { status } = await router.fetch(request, { ...env, LOGIN_LIMIT }, context);
      await waitOnExecutionContext(context);
      return status;
    };
    expect(await guess("2001:db8::1")).toBe(401);
    expect(await guess("2001:db8::2")).toBe(401);
    expect(await guess("2001:db8::3")).toBe(429);
    expect(await guess("2001:db8:0:1::3")).toBe(401);
    expect(await guess("203.0.113.7")).toBe(401);
  });

  it("to register are limited by user, before an object is made", async () => {
    const { token } = await newUser();
    const REGISTRATION_LIMIT = limitOf(2);
    const register = (id: string, more: object = {}) =>
      ask({ REGISTRATION_LIMIT, ...more }, "POST", "/api/agent/instances", token, { instance_id: id });
    expect(await register("rig-1")).toMatchObject({ status: 201 });
    expect(await register("rig-2")).toMatchObject({ status: 201 });
    expect(await register("rig-3", { FLEETS: untouched, INSTANCES: untouched })).toEqual({
      status: 429,
      retryAfter: "60",
      error: { code: "too_many_requests", message: "Too many registrations: go on in a minute" },
    });
  });
});

describe("tests of channels", () => {
  it("are limited by user, before anything is sent", async () => {
    const { token } = await newUser();
    const CHANNEL_TEST_LIMIT = limitOf(1);
    const test = (more: object = {}) =>
      ask({ CHANNEL_TEST_LIMIT, ...more }, "POST", "/api/agent/channels/c-none/test", token);
    expect(await test()).toMatchObject({ status: 404 });
    expect(await test({ FLEETS: untouched })).toMatchObject({ status: 429, retryAfter: "60" });
  });
});

describe("questions about the past", () => {
  it("are limited by user, before the object or the history is asked", async () => {
    const { token } = await newUser();
    const WHY_LIMIT = limitOf(1);
    const why = (more: object = {}) =>
      ask(
        { WHY_LIMIT, ...more },
        "GET",
        `/api/agent/instances/none/why?at=${new Date().toISOString()}`,
        token,
      );
    expect(await why()).toMatchObject({ status: 404 });
    expect(await why({ FLEETS: untouched, INSTANCES: untouched })).toMatchObject({
      status: 429,
      retryAfter: "60",
    });
  });
});

describe("a preview whose request is given up", () => {
  it("is begun all the same, and somebody goes on with it", async () => {
    const user = await newUser();
    const { token } = user;
    for (const id of ["a", "b", "c", "d", "e", "f"]) await Instance.register(user, id);
    const context = createExecutionContext();
    let begun = (): void => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const PREVIEW_LIMIT = {
      limit: async () => {
        begun();
        return { success: true };
      },
    };
    const request = new Request("https://dumont.test/api/agent/policy/preview", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify({ policy: {} }),
    });
    const response = router.fetch(request, { ...env, PREVIEW_LIMIT }, context);
    await hasBegun;
    await sleep(0);
    // The platform cancels a request whose client is gone, and leaves it what its context waits for.
    await waitOnExecutionContext(context);
    const { body } = await call("GET", "/api/agent/policy/preview", { token });
    expect(body.previews.map(({ state }: { state: string }) => state)).toEqual(["done"]);
    expect((await response).status).toBe(200);
  });
});
