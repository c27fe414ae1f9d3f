import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runpod } from "../../../src/providers/runpod/driver.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/** RunPod's pods, by https://docs.runpod.io/api-reference-v2 (openapi.json): the documented shapes, statuses and errors. */

const API_KEY = "rpa_0123456789";
const READ_ONLY_KEY = "rpa_read_only";
const target = { ref: "xedezhzb9la3ye", instanceId: "rig", actionId: "a-1" };

const ACTIONS: Record<string, readonly string[]> = {
  PROVISIONING: ["stop", "terminate"],
  STARTING: ["stop", "terminate"],
  RUNNING: ["stop", "restart", "terminate"],
  EXITED: ["start", "terminate"],
  ERROR: ["start", "terminate"],
  TERMINATED: [],
};

interface Pod {
  status: string;
  cost: number;
  gpu?: { id: string; count: number };
  cpu?: { id: string };
  locked?: boolean;
  cluster?: { id: string; rank: number };
  mounts?: object | undefined;
}

let pods: Map<string, Pod>;
/** What is answered in place of what is asked for, if anything. */
let instead: (call: Call) => Reply | undefined;
let fake: FakeHttp;

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });
const problem = (status: number, title: string, detail: string, headers = {}): Reply => ({
  ...json(status, { title, status, detail }),
  headers: { "Content-Type": "application/problem+json", ...headers },
});

function shown(id: string, pod: Pod) {
  return {
    id,
    name: "pytorch-training",
    image: "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
    actions: ACTIONS[pod.status],
    mounts: { persistent: { size: 20, path: "/workspace" } },
    locked: false,
    ...pod,
  };
}

function answer(call: Call): Reply {
  const { method, path, headers, body } = call;
  const other = instead(call);
  if (other !== undefined) return other;
  const isReadOnly = headers.authorization === `Bearer ${READ_ONLY_KEY}`;
  if (headers.authorization !== `Bearer ${API_KEY}` && !isReadOnly) {
    return problem(401, "Unauthorized", "invalid bearer token");
  }
  if (isReadOnly && method !== "GET") return problem(403, "Forbidden", "access denied");
  if (method === "GET" && path === "/pods") {
    return json(200, { pods: [...pods].map(([id, pod]) => shown(id, pod)) });
  }
  const [, id = "", verb] = /^\/pods\/([^/]+)(?:\/(action))?$/.exec(path) ?? [];
  const pod = pods.get(id);
  if (verb === "action" && !["start", "stop", "restart", "terminate"].includes(JSON.parse(body).action)) {
    return problem(422, "Unprocessable Entity", "Request validation failed.");
  }
  if (pod === undefined) return problem(404, "Not Found", "pod not found");
  if (method === "GET") return json(200, shown(id, pod));
  if (method === "DELETE") {
    if (pod.cluster) return problem(409, "Conflict", "Pod belongs to a cluster");
    pods.delete(id);
    return { status: 204, body: "" };
  }
  const { action } = JSON.parse(body);
  if (!ACTIONS[pod.status]?.includes(action)) return problem(409, "Conflict", "Action not valid");
  Object.assign(pod, action === "stop" ? { status: "EXITED", cost: 0 } : { status: "RUNNING", cost: 0.44 });
  return json(200, shown(id, pod));
}

const running = (): Pod => ({
  status: "RUNNING",
  cost: 0.44,
  gpu: { id: "NVIDIA GeForce RTX 4090", count: 2 },
});

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  instead = () => undefined;
  pods = new Map([[target.ref, running()]]);
  fake.calls.length = 0;
});

const provider = (api_key = API_KEY) => runpod({ api_key }, fake.url);
const podIs = (pod: Partial<Pod>) => pods.set(target.ref, { ...running(), ...pod });
const orders = () => fake.calls.filter((call) => call.method !== "GET");

describe("RunPod", () => {
  it("is told to stop and to start by actions, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 2, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({
      method: "POST",
      path: "/pods/xedezhzb9la3ye/action",
      body: '{"action":"stop"}',
    });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({ body: '{"action":"start"}' });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it("is asked for nothing more where what is wanted is so already", async () => {
    podIs({ status: "EXITED", cost: 0 });
    expect(await provider().hibernate(target)).toBe("done");
    podIs({});
    // Not done: whether it has its GPUs is for a look to say.
    expect(await provider().wake(target)).toBe("accepted");
    podIs({ status: "TERMINATED", cost: 0 });
    expect(await provider().delete(target)).toBe("done");
    expect(orders()).toEqual([]);
  });

  it("whose pod changed while it was being told is looked at again by the next try", async () => {
    instead = ({ method }) => (method === "POST" ? problem(409, "Conflict", "Action not valid") : undefined);
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "unavailable",
      isPassing: true,
    });
  });

  it("does not stop what is in an error from which it can only be started or terminated", async () => {
    podIs({ status: "ERROR" });
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "refused",
      message: "RunPod shows the pod as ERROR, which allows start, terminate, not stop",
    });
    expect(orders()).toEqual([]);
  });

  it.each([
    [{ status: "PROVISIONING" }, { state: "starting", gpus: 2, obstacle: null }],
    [{ status: "STARTING" }, { state: "starting", gpus: 2, obstacle: null }],
    [
      { status: "EXITED", cost: 0 },
      // Its volume of 20 GB, at $0.20 a GB and month.
      { state: "stopped", gpus: 2, obstacle: null, stoppedHourlyCost: 4 / 730 },
    ],
    [
      { status: "EXITED", cost: 0, mounts: undefined },
      { state: "stopped", gpus: 2, obstacle: null },
    ],
    [
      { status: "EXITED", cost: 0, mounts: { network: [{ volumeId: "vol_xyz", path: "/workspace" }] } },
      { state: "stopped", gpus: 2, obstacle: null },
    ],
    [
      { status: "EXITED", cost: 0, mounts: {} },
      { state: "stopped", gpus: 2, obstacle: null, stoppedHourlyCost: 0 },
    ],
    [
      { status: "EXITED", cost: 0.2 },
      { state: "unknown", because: "RunPod shows the pod as EXITED, but at $0.2 an hour" },
    ],
    [{ status: "ERROR" }, { state: "unknown", because: "RunPod shows the pod as ERROR, at $0.44 an hour" }],
    [{ status: "TERMINATED", cost: 0 }, { state: "terminated" }],
    [{ status: "DREAMING" }, { state: "unknown", because: expect.stringContaining("DREAMING") }],
  ])("with %o is %o", async (pod, sighting) => {
    ACTIONS.DREAMING = [];
    podIs(pod);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it("that came back without a GPU, or has none to begin with, says so", async () => {
    podIs({ gpu: { id: "NVIDIA GeForce RTX 4090", count: 0 } });
    expect(await provider().status(target)).toMatchObject({ state: "running", gpus: 0 });
    pods.set(target.ref, { status: "RUNNING", cost: 0.05, cpu: { id: "cpu3c" } });
    expect(await provider().status(target)).toMatchObject({ state: "running", gpus: 0 });
    pods.set(target.ref, { status: "RUNNING", cost: 0.05 });
    expect(await provider().status(target)).toMatchObject({ state: "running", gpus: null });
  });

  it.each([
    ["is locked", { locked: true }, /locked: unlock it/],
    ["belongs to a cluster", { cluster: { id: "cluster_abc123", rank: 0 } }, /cluster cluster_abc123/],
  ])("whose pod %s shows that, and is neither stopped nor deleted", async (_, pod, obstacle) => {
    podIs(pod);
    expect(await provider().status(target)).toMatchObject({
      state: "running",
      obstacle: expect.stringMatching(obstacle),
    });
    for (const order of [provider().hibernate, provider().forceHibernate, provider().delete]) {
      await expect(order(target)).rejects.toMatchObject({ code: "refused" });
    }
    expect(orders()).toEqual([]);
  });

  it("deletes; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([{ method: "DELETE", path: "/pods/xedezhzb9la3ye" }]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    ["a retired API", { status: 410, body: "Gone" }],
    ["a retired API in its own words", problem(410, "Gone", "REST API v1 has been retired")],
    ["a gateway's problem", problem(404, "No Route", "no such path")],
    ["a problem that came from further behind", json(404, { title: "Not Found", status: 502, detail: "x" })],
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["another service's JSON", json(404, { error: "not found" })],
    ["a redirect", { status: 302, body: "", headers: { Location: "/pods" } }],
    ["a page in place of a pod", { status: 200, body: "<html>Sign in to the Wi-Fi</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
  ])("behind %s is unknown, never missing, and no order counts as heard", async (_, reply) => {
    instead = () => reply;
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    for (const order of [provider().hibernate, provider().wake, provider().delete]) {
      await expect(order(target)).rejects.toMatchObject({
        code: reply.status === 200 ? "unavailable" : "refused",
      });
    }
  });

  it("that answers an action with a page has not accepted it", async () => {
    instead = ({ method }) => (method === "POST" ? { status: 200, body: "<html></html>" } : undefined);
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that answers without end is not read to its end", async () => {
    instead = () => ({ status: 200, body: "x".repeat(5 * 1024 * 1024) });
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("longer than"),
    });
  });

  it.each([
    "This machine does not have the resources to deploy your pod.",
    "There are not enough free GPUs on the host machine to start this pod.",
  ])("without capacity says so: %s", async (detail) => {
    podIs({ status: "EXITED", cost: 0 });
    instead = ({ method }) => (method === "POST" ? problem(400, "Bad Request", detail) : undefined);
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "no_capacity", isPassing: true });
  });

  it("without balance will not do it, and won't later", async () => {
    podIs({ status: "EXITED", cost: 0 });
    instead = ({ method }) =>
      method === "POST" ? problem(402, "Payment Required", "Insufficient balance") : undefined;
    await expect(provider().wake(target)).rejects.toMatchObject({
      code: "refused",
      isPassing: false,
      message: "RunPod answered 402: Insufficient balance",
    });
  });

  it("asked too often says when to ask again", async () => {
    instead = () => problem(429, "Too Many Requests", "rate limit exceeded", { "Retry-After": "12" });
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
      retryAfterSeconds: 12,
    });
  });

  it("is tried without changing anything, and a key that may only read is not enough", async () => {
    const before = structuredClone([...pods]);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider(READ_ONLY_KEY).verify(on)).rejects.toMatchObject({ code: "unauthorised" });
      await expect(provider("another-key").verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    await expect(provider().verify({ ...target, ref: "other" })).rejects.toMatchObject({ code: "not_found" });
    expect([...pods]).toEqual(before);
    instead = () => ({ status: 200, body: "<html>Sign in to the Wi-Fi</html>" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("takes no snapshots", async () => {
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
  });
});
