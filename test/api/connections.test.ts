import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { openProvider } from "../../src/providers/registry.ts";
import { passAlarms } from "../fleet/fleets.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, type Reply, rowsOf, setClock } from "../world.ts";

type User = Awaited<ReturnType<typeof newUser>>;

const KEY = { api_key: "vast-key-0123456789" };
const OTHER_KEY = { api_key: "vast-key-of-team-b" };
const MINUTE = 60_000;

const BAD_KEY = { api_key: "vast-key-that-is-bad" };

/** Its answer to any call: a machine that is asked for runs, a list is empty. */
const good = (path: string) =>
  new Response(
    path.startsWith("/api/v1/")
      ? '{"success":true,"instances":[]}'
      : '{"success":true,"instances":{"cur_state":"running","actual_status":"running","num_gpus":1}}',
  );

/** What Vast.ai answers, by the key of the request. */
let answer: (key: string, path: string) => Response;
let calls: string[];

beforeEach(() => {
  setClock(DAY);
  calls = [];
  answer = (key, path) => {
    if (key === BAD_KEY.api_key) return new Response("bad key", { status: 401 });
    return good(path);
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { pathname } = new URL(String(input));
    const key = new Headers(init?.headers).get("Authorization")?.replace("Bearer ", "") ?? "";
    calls.push(key);
    return answer(key, pathname);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const ask = (user: User, method: string, path = "", json?: unknown) =>
  call(method, `/api/agent/connections${path}`, { token: user.token, json });

const connect = (user: User, name: string, credentials: object = KEY, provider = "vast", query = "") =>
  ask(user, "POST", query, { provider, name, credentials });

const listed = async (user: User) => (await ask(user, "GET")).body.connections;

const refusal = ({ status, body }: Reply) => [status, body.error?.code];

const NO_SNAPSHOT = { orphan: { snapshot_before_delete: false } };

const register = (user: User, id: string, more: object) =>
  call("POST", "/api/agent/instances", {
    token: user.token,
    json: { instance_id: id, provider: "vast", policy: NO_SNAPSHOT, ...more },
  });

const TARGET = { ref: "1", instanceId: "rig", actionId: "a" };

/** Looks at a machine, as an order does. */
const look = async (user: User, provider: "vast" | `vast@${string}` = "vast") =>
  (await openProvider(env, user.userId, provider)).provider.status(TARGET).then(
    ({ state }) => state,
    (error: Error) => error.message,
  );

const alerts = async (user: User) => {
  const { body } = await call("GET", "/api/agent/events", { token: user.token });
  return body.events.filter(({ kind }: { kind: string }) => kind === "connection_refused");
};

describe("connections", () => {
  it("are several of one kind: the first has the kind for its id, and each its own key, sealed and never shown", async () => {
    const user = await newUser();
    const first = await connect(user, "Team A");
    const second = await connect(user, "Team B", OTHER_KEY);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.body).toEqual({
      id: "vast",
      provider: "vast",
      name: "Team A",
      state: "active",
      checked_at: "2030-01-07T00:00:00Z",
      problem: null,
      created_at: "2030-01-07T00:00:00Z",
      updated_at: "2030-01-07T00:00:00Z",
      abilities: expect.objectContaining({ hibernates: "by call", billed_when_stopped: ["disks"] }),
    });
    expect(second.body).toMatchObject({ id: expect.stringMatching(/^c-[0-9a-f]{16}$/), name: "Team B" });
    expect(await listed(user)).toEqual([first.body, second.body]);
    const { providers } = (await ask(user, "GET")).body;
    expect(providers).toContainEqual({
      provider: "vast",
      name: "Vast.ai",
      credentials: [{ name: "api_key", required: true }],
      abilities: first.body.abilities,
    });
    await look(user);
    await look(user, `vast@${second.body.id}`);
    expect(calls.slice(-2)).toEqual([KEY.api_key, OTHER_KEY.api_key]);
    const kept = JSON.stringify([await rowsOf(fleetOf(env, user.userId)), await listed(user)]);
    expect(kept).not.toContain("vast-key");
  });

  it("that are made at the same time get ids of their own", async () => {
    const user = await newUser();
    const replies = await Promise.all(["A", "B", "C"].map((name) => connect(user, name)));
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201]);
    const ids = (await listed(user)).map(({ id }: { id: string }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids).toContain("vast");
  });

  it("are what PUT, GET and DELETE of a provider's credentials mean: the first of the kind", async () => {
    const user = await newUser();
    const path = "/api/agent/providers/vast";
    await call("PUT", path, { token: user.token, json: KEY });
    expect(await listed(user)).toMatchObject([{ id: "vast", name: "Vast.ai", state: "active" }]);
    await connect(user, "Team B", OTHER_KEY);
    expect((await call("DELETE", path, { token: user.token })).status).toBe(200);
    expect(await listed(user)).toMatchObject([{ name: "Team B" }]);
    expect((await call("GET", path, { token: user.token })).status).toBe(404);
  });

  it("are renamed, and get other credentials", async () => {
    const user = await newUser();
    const { id } = (await connect(user, "Team B")).body;
    setClock(DAY + 5000);
    expect((await ask(user, "PATCH", `/${id}`, { name: " Team C " })).body).toMatchObject({
      name: "Team C",
      updated_at: "2030-01-07T00:00:00Z",
    });
    const changed = await ask(user, "PATCH", `/${id}`, { credentials: OTHER_KEY });
    expect(changed.body).toMatchObject({
      name: "Team C",
      created_at: "2030-01-07T00:00:00Z",
      updated_at: "2030-01-07T00:00:05Z",
    });
    await look(user);
    expect(calls.at(-1)).toBe(OTHER_KEY.api_key);
  });

  it.each([
    ["a kind that is not called", { provider: "agent", name: "x", credentials: KEY }, "body.provider"],
    ["no name", { provider: "vast", name: " ", credentials: KEY }, "body.name"],
    [
      "credentials of another form",
      { provider: "vast", name: "x", credentials: {} },
      "body.credentials.api_key",
    ],
    ["a field that there is not", { provider: "vast", name: "x", credentials: KEY, id: "vast" }, "body"],
  ])("with %s are refused", async (_, json, path) => {
    const user = await newUser();
    const reply = await ask(user, "POST", "", json);
    expect([reply.status, reply.body.error.issues[0].path]).toEqual([400, path]);
    expect(calls).toEqual([]);
  });

  it("whose credentials do not work are not kept, unless they are not to be tried", async () => {
    const user = await newUser();
    expect(refusal(await connect(user, "x", BAD_KEY))).toEqual([400, "not_verified"]);
    expect(await listed(user)).toEqual([]);
    expect((await connect(user, "x", BAD_KEY, "vast", "?verify=false")).body.checked_at).toBeNull();
    expect(refusal(await ask(user, "PATCH", "/vast", { credentials: BAD_KEY }))).toEqual([
      400,
      "not_verified",
    ]);
  });

  it("are so many at most", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    expect(await fleet.connections()).toEqual([]);
    await runInDurableObject(fleet, (_, { storage }) => {
      for (let number = 0; number < 50; number++) {
        storage.sql.exec("INSERT INTO credentials VALUES (?, '', 1)", `c-${number}`);
      }
    });
    expect(refusal(await connect(user, "one more"))).toEqual([409, "too_many"]);
  });

  it("of another user are not there, for a suspended user neither", async () => {
    const [ada, eve] = [await newUser("Ada"), await newUser("Eve")];
    await connect(ada, "Team A");
    const { id } = (await connect(ada, "Team B")).body;
    for (const [method, path, json] of [
      ["PATCH", `/${id}`, { name: "mine" }],
      ["DELETE", `/${id}`, undefined],
      ["POST", `/${id}/check`, undefined],
      ["PATCH", "/vast", { name: "mine" }],
    ] as const) {
      expect((await ask(eve, method, path, json)).status).toBe(404);
    }
    expect(await listed(eve)).toEqual([]);
    const foreign = await register(eve, "1", { connection: id });
    expect([foreign.status, foreign.body.error.issues]).toEqual([
      400,
      [{ path: "body.connection", message: "is not a connection to vast" }],
    ]);
    await call("POST", `/api/admin/users/${ada.userId}/suspend`, {
      token: ADMIN_TOKEN,
      json: { operator: "Joan", because: "a test" },
    });
    for (const method of ["GET", "POST"]) expect((await ask(ada, method)).status).toBe(403);
  });
});

describe("an instance", () => {
  it("belongs to the first connection of its kind, or to the one that it names", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    const { id } = (await connect(user, "Team B", OTHER_KEY)).body;
    const one = await Instance.register(user, "1", { provider: "vast", policy: NO_SNAPSHOT });
    expect(calls.at(-1)).toBe(KEY.api_key);
    const two = await Instance.register(user, "2", { provider: "vast", connection: id, policy: NO_SNAPSHOT });
    expect(calls.at(-1)).toBe(OTHER_KEY.api_key);
    expect((await one.ask("GET")).body).toMatchObject({ provider: "vast", connection: "vast" });
    expect((await two.ask("GET")).body).toMatchObject({ provider: "vast", connection: id });
    await two.settled();
    for (const view of ["full", "summary"]) {
      const path = `/api/agent/instances?provider=vast&view=${view}`;
      const { instances } = (await call("GET", path, { token: user.token })).body;
      expect(instances.map(({ connection }: { connection: string }) => connection)).toEqual(["vast", id]);
    }
    const [registered] = (await two.ask("GET", "/events")).body.events;
    expect(registered.detail).toMatchObject({ provider: "vast", connection: id });
  });

  it("is not registered with a connection that there is not, of another kind, or where nobody is called", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    const { id } = (await connect(user, "Team B", OTHER_KEY)).body;
    for (const [json, message] of [
      [{ connection: "c-none" }, "is not a connection to vast"],
      [{ connection: "ec2" }, "is not a connection to vast"],
      [{ connection: id, provider: "runpod" }, "is not a connection to runpod"],
      [{ connection: id, provider: "agent" }, "agent is not called, so there is no connection"],
      [{ connection: "Vast@x" }, "must be the id of a connection"],
    ] as const) {
      const reply = await register(user, "1", json);
      expect([reply.status, reply.body.error.issues]).toEqual([400, [{ path: "body.connection", message }]]);
    }
    const one = await Instance.register(user, "1", { provider: "vast", policy: NO_SNAPSHOT });
    const moved = await one.ask("PATCH", "", { connection: "c-none" });
    expect([moved.status, moved.body.error.issues[0].path]).toEqual([400, "body.connection"]);
  });

  it("of another connection is another machine, whose claim it keeps", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    const { id } = (await connect(user, "Team B", OTHER_KEY)).body;
    const one = await Instance.register(user, "1", { provider: "vast", policy: NO_SNAPSHOT });
    await one.heartbeat();
    const moved = await one.ask("PATCH", "", { connection: id });
    expect(moved.body).toMatchObject({ provider: "vast", connection: id, status: "pending" });
    const holder = () => fleetOf(env, user.userId).holderOf({ provider: "vast", ref: "1" });
    expect(await holder()).toBe("1");
    expect(refusal(await register(user, "other", { provider_ref: "1" }))).toEqual([409, "machine_watched"]);
    // What is left out stays.
    expect((await one.ask("PATCH", "", { name: "Rig", provider: "vast" })).body.connection).toBe(id);
    expect((await one.ask("PATCH", "", { connection: null })).body.connection).toBe("vast");
    expect((await one.ask("PATCH", "", { provider: "agent" })).body.connection).toBeNull();
    expect(await holder()).toBeNull();
  });

  it("keeps its connection from being removed, and no other", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    const { id } = (await connect(user, "Team B", OTHER_KEY)).body;
    const two = await Instance.register(user, "2", { provider: "vast", connection: id, policy: NO_SNAPSHOT });
    await two.settled();
    expect(refusal(await ask(user, "DELETE", `/${id}`))).toEqual([409, "in_use"]);
    expect((await ask(user, "DELETE", "/vast")).status).toBe(200);
    await two.ask("PATCH", "", { provider: "agent" });
    await two.settled();
    expect((await ask(user, "DELETE", `/${id}`)).status).toBe(200);
    expect((await ask(user, "DELETE", `/${id}`)).status).toBe(404);
  });
});

describe("credentials that are refused", () => {
  it("three times in a row are used no more, and their owner is told once, until a check succeeds", async () => {
    const user = await newUser();
    await connect(user, "Team A", BAD_KEY, "vast", "?verify=false");
    const watched = { provider: "vast", hourly_cost: 2.5, policy: NO_SNAPSHOT };
    await (await Instance.register(user, "7", watched, "?sight=false")).settled();
    for (let time = 1; time <= 2; time++) {
      expect(await look(user)).toBe("Vast.ai answered 401: bad key");
      expect(await listed(user)).toMatchObject([
        { state: "active", problem: "Vast.ai answered 401: bad key" },
      ]);
    }
    expect(await alerts(user)).toEqual([]);
    await look(user);
    expect(await listed(user)).toMatchObject([{ state: "refused" }]);
    expect(await alerts(user)).toMatchObject([
      {
        severity: "critical",
        message: expect.stringMatching(
          /^The credentials of Team A are refused: Vast.ai answered 401: bad key\./,
        ),
        detail: { provider: "vast", connection: "vast", rate: 2.5, unknown_rates: 0 },
      },
    ]);
    const before = calls.length;
    await expect(look(user)).rejects.toMatchObject({
      code: "unauthorised",
      message: "the credentials of Team A are refused: set others, or have them checked",
    });
    expect(refusal(await register(user, "1", {}))).toEqual([409, "credentials_refused"]);
    expect(calls).toHaveLength(before);
    // Still refused, by a call that is made on purpose.
    expect((await ask(user, "POST", "/vast/check")).body).toMatchObject({
      state: "refused",
      checked_at: "2030-01-07T00:00:00Z",
    });
    expect(await alerts(user)).toHaveLength(1);
    answer = (_, path) => good(path);
    expect((await ask(user, "POST", "/vast/check")).body).toMatchObject({ state: "active", problem: null });
    expect(await look(user)).toBe("running");
  });

  it("are not listed by, and are at once when a check finds them good again", async () => {
    const user = await newUser();
    const fleet = fleetOf(env, user.userId);
    await connect(user, "Team A", BAD_KEY, "vast", "?verify=false");
    for (let time = 1; time <= 3; time++) await look(user);
    const made = calls.length;
    await passAlarms(fleet, DAY + MINUTE);
    const listing = async () =>
      (await call("GET", "/api/agent/inventory", { token: user.token })).body.connections[0];
    const refused = await listing();
    expect(refused).toMatchObject({
      listed_at: null,
      problem: "the credentials of Team A are refused: set others, or have them checked",
    });
    expect(Date.parse(refused.next_at)).toBeGreaterThan(DAY + 10 * MINUTE);
    expect(calls).toHaveLength(made);
    answer = (_, path) => good(path);
    expect((await ask(user, "POST", "/vast/check")).body).toMatchObject({ state: "active" });
    expect(Date.parse((await listing()).next_at)).toBeLessThanOrEqual(DAY + MINUTE);
    await passAlarms(fleet, DAY + 2 * MINUTE);
    expect(await listing()).toMatchObject({ listed_at: expect.any(String), problem: null });
  });

  it.each([
    [
      "PATCH of the connection",
      "PATCH",
      "/api/agent/connections/vast?verify=false",
      { credentials: OTHER_KEY },
    ],
    ["PUT of the provider", "PUT", "/api/agent/providers/vast?verify=false", OTHER_KEY],
  ])("are forgotten with %s", async (_, method, path, json) => {
    const user = await newUser();
    await connect(user, "Team A", BAD_KEY, "vast", "?verify=false");
    for (let time = 1; time <= 3; time++) await look(user);
    // In the same millisecond.
    expect((await call(method, path, { token: user.token, json })).status).toBe(200);
    expect(await listed(user)).toMatchObject([{ name: "Team A", state: "active", problem: null }]);
    expect(await look(user)).toBe("running");
  });

  it("are not tried by a check while the provider wants to be left alone", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    answer = () => new Response("slow down", { status: 429, headers: { "Retry-After": "300" } });
    expect((await ask(user, "POST", "/vast/check")).status).toBe(200);
    const called = calls.length;
    const reply = await ask(user, "POST", "/vast/check");
    expect(refusal(reply)).toEqual([429, "too_many_requests"]);
    expect(calls.length).toBe(called);
  });

  it("once or twice are cleared by a success, and notes cost nothing while all is well", async () => {
    const user = await newUser();
    await connect(user, "Team A", BAD_KEY, "vast", "?verify=false");
    for (let time = 1; time <= 2; time++) await look(user);
    const bad = answer;
    answer = (_, path) => good(path);
    expect(await look(user)).toBe("running");
    expect(await listed(user)).toMatchObject([{ problem: null }]);
    answer = bad;
    for (let time = 1; time <= 2; time++) await look(user);
    expect(await listed(user)).toMatchObject([{ state: "active" }]);
    answer = (_, path) => good(path);
    await look(user);
    const rows = await rowsOf(fleetOf(env, user.userId));
    await look(user);
    expect(await rowsOf(fleetOf(env, user.userId))).toEqual(rows);
  });

  it("are not those that lack a permission for one kind of order, nor those of a provider that is away", async () => {
    const user = await newUser();
    await connect(user, "Team A");
    for (const status of [403, 500, 403, 403, 403]) {
      answer = () => new Response("no", { status });
      expect(await look(user)).toContain(`${status}`);
    }
    expect(await listed(user)).toMatchObject([{ state: "active", problem: null }]);
  });

  it("of one connection leave the others alone", async () => {
    const user = await newUser();
    await connect(user, "Team A", BAD_KEY, "vast", "?verify=false");
    const { id } = (await connect(user, "Team B", OTHER_KEY)).body;
    for (let time = 1; time <= 3; time++) await look(user);
    expect(await look(user, `vast@${id}`)).toBe("running");
  });
});

describe("a connection whose references leave out where their machines are", () => {
  const subscription = (digit: string) => ({
    tenant_id: "11111111-1111-4111-8111-111111111111",
    client_id: "33333333-3333-4333-8333-333333333333",
    client_secret: "a-secret-0123456789",
    subscription_id: `${digit.repeat(8)}-${digit.repeat(4)}-4${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`,
  });
  const [DEVELOPMENT, PRODUCTION] = [subscription("a"), subscription("b")];
  const UNTRIED = "?verify=false";

  async function watching(user: User, more: object = {}): Promise<void> {
    const machine = { provider: "azure", provider_ref: "ml/trainer-1", ...more };
    await (await Instance.register(user, "rig", machine, "?sight=false")).settled();
  }

  it("moves nowhere else while an instance belongs to it: there the same name is another machine", async () => {
    const user = await newUser();
    const { body: first } = await connect(user, "Azure", DEVELOPMENT, "azure", UNTRIED);
    const { body: second } = await connect(user, "Azure B", DEVELOPMENT, "azure", UNTRIED);
    await watching(user, { connection: second.id });
    const moved = { credentials: PRODUCTION };
    expect(refusal(await ask(user, "PATCH", `/${second.id}${UNTRIED}`, moved))).toEqual([409, "in_use"]);
    expect((await ask(user, "PATCH", `/${first.id}${UNTRIED}`, moved)).status).toBe(200);
    const renewed = { ...DEVELOPMENT, subscription_id: DEVELOPMENT.subscription_id.toUpperCase() };
    expect((await ask(user, "PATCH", `/${second.id}${UNTRIED}`, { credentials: renewed })).status).toBe(200);
    await call("DELETE", "/api/agent/instances/rig", { token: user.token });
    expect((await ask(user, "PATCH", `/${second.id}${UNTRIED}`, moved)).status).toBe(200);
  });

  it("nor when its credentials are put as those of its kind", async () => {
    const user = await newUser();
    const put = (json: object) =>
      call("PUT", `/api/agent/providers/azure${UNTRIED}`, { token: user.token, json });
    expect((await put(DEVELOPMENT)).status).toBe(200);
    await watching(user);
    expect(refusal(await put(PRODUCTION))).toEqual([409, "in_use"]);
    expect((await put({ ...DEVELOPMENT, client_secret: "another-secret-0123" })).status).toBe(200);
  });
});
