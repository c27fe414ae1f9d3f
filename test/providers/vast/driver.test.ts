import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { vast } from "../../../src/providers/vast/driver.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/** Vast.ai's instances, by https://docs.vast.ai/api-reference: state by PUT, `success: false` in a 200. */

const API_KEY = "vast-key-0123456789";
/** With the permission `instance_read` alone. */
const READ_ONLY_KEY = "vast-read-only-0123";
const target = { ref: "28864630", instanceId: "rig", actionId: "a-1" };

interface Machine {
  actual_status: string | null;
  intended_status?: string;
  cur_state?: string;
  num_gpus?: number;
  instance?: { gpuCostPerHour: number; diskHour?: unknown };
}

let machines: Map<string, Machine>;
let capacity: boolean;
/** What is answered in place of what is asked for, if anything. */
let instead: (call: Call) => Reply | undefined;
let fake: FakeHttp;

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

function answer(call: Call): Reply {
  const { method, path, headers, body } = call;
  const other = instead(call);
  if (other !== undefined) return other;
  const isReadOnly = headers.authorization === `Bearer ${READ_ONLY_KEY}`;
  if (headers.authorization !== `Bearer ${API_KEY}` && !isReadOnly) {
    return json(401, { success: false, error: "auth_error", msg: "Invalid user key" });
  }
  // Permissions belong to routes, so they are asked for first.
  if (isReadOnly && method !== "GET") return json(403, { success: false, msg: "Missing permission" });
  if (path === "/v1/instances/?limit=1") return json(200, { success: true, instances: [], next_token: null });
  const id = /^\/v0\/instances\/(\d+)\/$/.exec(path)?.[1] ?? "";
  const machine = machines.get(id);
  if (machine === undefined) {
    return method === "GET"
      ? json(200, { instances: null })
      : json(404, { success: false, error: "no_such_instance", msg: `Instance ${id} not found.` });
  }
  switch (method) {
    case "GET":
      return json(200, { instances: { id: Number(id), ...machine } });
    case "PUT": {
      const { state } = JSON.parse(body);
      if (state === undefined)
        return json(400, { success: false, error: "invalid_args", msg: "nothing to do" });
      if (state === "running" && !capacity) {
        machine.intended_status = "running";
        return json(200, {
          success: false,
          error: "resources_unavailable",
          msg: "Required resources are currently unavailable, state change queued.",
        });
      }
      const gpuCostPerHour = state === "running" ? 0.4 : 0;
      Object.assign(machine, {
        actual_status: state,
        intended_status: state,
        cur_state: state,
        instance: { gpuCostPerHour },
      });
      return json(200, { success: true });
    }
    case "DELETE":
      machines.delete(id);
      return json(200, { success: true });
    default:
      return json(405, {});
  }
}

const running = (): Machine => ({
  actual_status: "running",
  intended_status: "running",
  cur_state: "running",
  num_gpus: 4,
  instance: { gpuCostPerHour: 0.4 },
});

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  capacity = true;
  instead = () => undefined;
  machines = new Map([[target.ref, running()]]);
  fake.calls.length = 0;
});

const provider = (api_key = API_KEY) => vast({ api_key }, fake.url);

describe("Vast.ai", () => {
  it("is told to stop and to run, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 4, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({
      method: "PUT",
      path: "/v0/instances/28864630/",
      body: '{"state":"stopped"}',
    });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    await provider().wake(target);
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    await provider().forceHibernate(target);
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it("deletes; what it then does not show is missing", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
    instead = () => json(404, { success: false, error: "not_found", msg: "Instance not found" });
    expect(await provider().status(target)).toEqual({ state: "missing" });
  });

  it.each([
    // What the container does, what its owner wants, the contract, its GPU's price.
    ["running", "running", "running", 0.4, "running"],
    ["frozen", "running", "running", 0.4, "running"],
    ["running", "stopped", "running", 0.4, "stopping"],
    ["exited", "stopped", "running", 0.4, "stopping"],
    // The container ended by itself: its GPU is paid all the same.
    ["exited", "running", "running", 0.4, "running"],
    [null, "running", "running", 0.4, "starting"],
    ["loading", "running", "running", 0.4, "starting"],
    ["offline", "running", "running", 0.4, "unknown"],
    ["unknown", "running", "running", 0.4, "unknown"],
    ["exited", "stopped", "stopped", 0, "stopped"],
    ["loading", "stopped", "stopped", 0, "stopped"],
    ["offline", "stopped", "stopped", undefined, "stopped"],
    ["exited", "stopped", "stopped", 0.4, "unknown"],
    // It waits in the queue.
    ["exited", "running", "stopped", 0, "starting"],
    ["exited", "stopped", undefined, 0, "unknown"],
    ["stopped", "stopped", "dreaming", 0, "unknown"],
    ["exited", "stopped", "unloaded", 0, "terminated"],
  ])(
    "with a container that is %s (wanted: %s), a contract that is %s and its GPU at %s is %s, %s",
    async (actual_status, intended_status, cur_state, gpuCostPerHour, state) => {
      machines.set(target.ref, {
        actual_status,
        intended_status,
        ...(cur_state === undefined ? {} : { cur_state }),
        ...(gpuCostPerHour === undefined ? {} : { instance: { gpuCostPerHour } }),
      });
      expect(await provider().status(target)).toMatchObject({ state });
    },
  );

  it.each([
    [0.0021, 0.0021],
    [0, 0],
    [undefined, undefined],
    ["free", undefined],
  ])("that is stopped and whose disk is billed at %s costs %s an hour", async (diskHour, cost) => {
    machines.set(target.ref, {
      actual_status: "exited",
      intended_status: "stopped",
      cur_state: "stopped",
      instance: { gpuCostPerHour: 0, diskHour },
    });
    const sighting = await provider().status(target);
    expect(sighting).toMatchObject({ state: "stopped" });
    expect("stoppedHourlyCost" in sighting ? sighting.stoppedHourlyCost : undefined).toBe(cost);
  });

  it("says how many GPUs it has, where it does", async () => {
    machines.set(target.ref, { ...running(), num_gpus: 0 });
    expect(await provider().status(target)).toMatchObject({ gpus: 0 });
    const { num_gpus: _, ...silent } = running();
    machines.set(target.ref, silent);
    expect(await provider().status(target)).toMatchObject({ gpus: null });
  });

  it("without capacity keeps a start in its queue, until it is told to stop", async () => {
    await provider().hibernate(target);
    capacity = false;
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "no_capacity", isPassing: true });
    expect(await provider().status(target)).toMatchObject({ state: "starting" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({ method: "PUT", body: '{"state":"stopped"}' });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it.each([
    ["missing_billing", "refused"],
    ["invalid_args", "refused"],
    ["something_new", "refused"],
    ["permission_denied", "unauthorised"],
    ["auth_error", "unauthorised"],
    ["not_found", "not_found"],
    ["no_such_instance", "not_found"],
    ["rate_limit_exceeded", "rate_limited"],
  ])("that refuses with %s in a 200 means %s, not capacity", async (error, code) => {
    instead = () => json(200, { success: false, error, msg: "no" });
    await expect(provider().wake(target)).rejects.toMatchObject({ code });
  });

  it.each(["{}", "", "null", "<html>Sign in to the Wi-Fi</html>", '{"success":"true"}'])(
    "has accepted nothing with a 200 and %j",
    async (body) => {
      instead = () => ({ status: 200, body });
      for (const order of [provider().hibernate, provider().wake, provider().delete]) {
        await expect(order(target)).rejects.toMatchObject({ code: "unavailable" });
      }
      expect(await provider().status(target)).toMatchObject({ state: "unknown" });
      await expect(provider().verify(target)).rejects.toMatchObject({ code: "unavailable" });
      await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it.each([
    ["a retired API", { status: 410, body: "Gone" }],
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["another service's JSON", json(404, { detail: "Not Found" })],
    ["a redirect", { status: 301, body: "", headers: { Location: "/v0/instances/1/" } }],
  ])("behind %s is unknown, never missing, and no order counts as heard", async (_, reply) => {
    instead = () => reply;
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    for (const order of [provider().hibernate, provider().wake, provider().delete]) {
      await expect(order(target)).rejects.toMatchObject({ code: "refused" });
    }
    expect(fake.calls).toHaveLength(4);
  });

  it("is tried by what orders need, on the instance where there is one, and changes nothing", async () => {
    const before = structuredClone([...machines]);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      const stranger = provider("another-key-0123");
      await expect(stranger.verify(on)).rejects.toMatchObject({ code: "unauthorised", isPassing: false });
    }
    await expect(provider().verify({ ...target, ref: "1" })).rejects.toMatchObject({ code: "not_found" });
    expect([...machines]).toEqual(before);
    const changes = fake.calls.filter(({ method }) => method !== "GET");
    expect(changes.map(({ path, body }) => [path, body])).toEqual([
      ["/v0/instances/0/", "{}"],
      ["/v0/instances/28864630/", "{}"],
    ]);
  });

  it("with a key that may only read is not good enough", async () => {
    for (const on of [null, target]) {
      await expect(provider(READ_ONLY_KEY).verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    instead = ({ method }) =>
      method === "PUT" ? json(200, { success: false, error: "permission_denied", msg: "no" }) : undefined;
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "unauthorised" });
    instead = ({ method }) => (method === "PUT" ? { status: 429, body: "too frequent" } : undefined);
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("asked too often says so in plain text, and what does not answer is passing too", async () => {
    instead = () => ({ status: 429, body: "API requests too frequent: endpoint threshold=1.0" });
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
      retryAfterSeconds: null,
    });
    await expect(vast({ api_key: API_KEY }, "http://127.0.0.1:1").status(target)).rejects.toMatchObject({
      code: "unavailable",
      isPassing: true,
    });
  });

  it("takes no snapshots", async () => {
    await expect(provider().snapshot(target)).rejects.toMatchObject({
      code: "unsupported",
      isPassing: false,
    });
  });
});
