import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

const KEY = { api_key: "vast-key-0123456789" };

/** Whether Vast.ai takes the key. */
let isTaken = true;

beforeEach(() => {
  setClock(DAY);
  isTaken = true;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    if (!isTaken) return new Response("bad key", { status: 401 });
    const isList = new URL(String(input)).pathname.startsWith("/api/v1/");
    return new Response(
      isList
        ? '{"success":true,"instances":[]}'
        : '{"success":true,"instances":{"cur_state":"running","actual_status":"running","num_gpus":1}}',
    );
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function connected() {
  const user = await newUser();
  const ask = (method: string, path: string, json?: unknown) =>
    call(method, `/api/agent${path}`, { token: user.token, json });
  const connect = async (name: string): Promise<string> =>
    (await ask("POST", "/connections", { provider: "vast", name, credentials: KEY })).body.id;
  /** Ids that a list shows. */
  const listed = async (query: string): Promise<string[]> =>
    (await ask("GET", `/instances?${query}`)).body.instances.map(
      (each: { instance_id: string }) => each.instance_id,
    );
  /** Each check has its turn at once. */
  const check = async () => {
    setClock(Date.now() + MINUTE / 6);
    await ask("POST", "/connections/vast/check");
  };
  return { user, ask, connect, listed, check };
}

const register = (user: Awaited<ReturnType<typeof newUser>>, id: string, more: object = {}) =>
  Instance.register(user, id, {
    provider: "vast",
    policy: { orphan: { snapshot_before_delete: false } },
    ...more,
  });

const NOTHING = { nobody_can_stop: false, can_hibernate: true, can_wake: false, why_not: null };
const REFUSED = { nobody_can_stop: true, can_hibernate: false, can_wake: false, why_not: "refused" };

it("says in each view that nobody can stop a machine whose credentials are refused, and has no time for steps that can't come", async () => {
  const { user, ask, connect, listed, check } = await connected();
  await connect("Team A");
  const other = await connect("Team B");
  const one = await register(user, "1");
  await register(user, "2", { connection: other }).then((two) => two.settled());
  await one.heartbeat({ gpu_utilization: 90 });
  await one.until(DAY + 6 * MINUTE);
  await one.settled();
  const views = async () => {
    const [full, summary, detail] = [
      await ask("GET", "/instances"),
      await ask("GET", "/instances?view=summary"),
      await ask("GET", "/instances/1"),
    ];
    return [full.body.instances[0], summary.body.instances[0], detail.body];
  };
  for (const view of await views()) {
    expect(view).toMatchObject({ instance_id: "1", status: "orphaned", control: NOTHING });
    expect(view.lifecycle).toMatchObject({
      next_step: "hibernate",
      at: "2030-01-07T00:30:00Z",
      blocked_by: null,
    });
  }

  const tag = (await ask("GET", "/instances?view=summary")).headers.get("ETag") ?? "";
  isTaken = false;
  for (let time = 1; time <= 3; time++) await check();
  for (const view of await views()) {
    expect(view).toMatchObject({ instance_id: "1", control: REFUSED });
    expect(view.lifecycle).toMatchObject({
      next_step: "hibernate",
      at: null,
      in_seconds: null,
      blocked_by: "no_provider",
    });
  }
  expect((await ask("PATCH", "/instances/1", { name: "One" })).body.control).toEqual(REFUSED);
  const again = await call("GET", "/api/agent/instances?view=summary", {
    token: user.token,
    headers: { "If-None-Match": tag },
  });
  expect(again.status).toBe(200);

  for (const view of ["full", "summary"]) {
    expect(await listed(`view=${view}&nobody_can_stop=true`)).toEqual(["1"]);
    expect(await listed(`view=${view}&nobody_can_stop=false`)).toEqual(["2"]);
    expect(await listed(`view=${view}&connection=vast`)).toEqual(["1"]);
    expect(await listed(`view=${view}&connection=${other}`)).toEqual(["2"]);
    expect(await listed(`view=${view}&connection=agent`)).toEqual([]);
  }
  isTaken = true;
  await check();
  for (const view of await views()) expect(view).toMatchObject({ control: NOTHING });
});

it("says so of one whose connection has lost its credentials, and of one that nobody is called for", async () => {
  const { user, ask, connect, listed } = await connected();
  await connect("Team A");
  const agent = await Instance.register(user, "agent");
  const nobody = await Instance.register(user, "nobody", { provider: "none" });
  for (const one of [agent, nobody]) {
    await one.heartbeat({ gpu_utilization: 90 });
    await one.settled();
  }
  const why = async () =>
    (await ask("GET", "/instances?view=summary")).body.instances.map(
      (each: { control: { why_not: string | null } }) => each.control.why_not,
    );
  expect(await why()).toEqual([null, "no_provider"]);
  await agent.until(DAY + 6 * MINUTE);
  await agent.settled();
  expect(await why()).toEqual(["silent", "no_provider"]);
  expect(await listed("nobody_can_stop=true")).toEqual(["agent", "nobody"]);
  expect((await ask("GET", "/instances/agent")).body.lifecycle).toMatchObject({
    next_step: "hibernate",
    at: null,
  });
});

it.each(["nobody_can_stop=maybe", "connection=", "connection=../x", "connection=A"])(
  "refuses %s",
  async (query) => {
    const { ask } = await connected();
    expect((await ask("GET", `/instances?${query}`)).status).toBe(400);
  },
);
