import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runpod } from "../../../src/providers/runpod/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";

/** RunPod's list of pods, GET /v2/pods, in the shape of https://docs.runpod.io/api-reference-v2/pods/list-pods. */

const API_KEY = "rpa_0123456789";

const POD = {
  id: "7h9k2m4n6p",
  name: "pytorch-training",
  image: "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
  status: "RUNNING",
  actions: ["stop", "restart", "terminate"],
  mounts: { persistent: { size: 20, path: "/workspace" } },
  gpu: { id: "NVIDIA GeForce RTX 4090", count: 2 },
  cloud: "SECURE",
  dataCenterId: "US-KS-2",
  template: null,
  cost: 0.88,
  locked: false,
  createdAt: "2026-06-01T12:00:00Z",
  startedAt: "2026-06-01T12:02:00Z",
};

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

let reply: (query: URLSearchParams) => Reply;
let fake: FakeHttp;

beforeAll(async () => {
  fake = await FakeHttp.start(({ path, headers }) => {
    if (headers.authorization !== `Bearer ${API_KEY}`) {
      return json(401, { title: "Unauthorized", status: 401, detail: "invalid bearer token" });
    }
    const { pathname, searchParams } = new URL(path, fake.url);
    return pathname === "/pods" ? reply(searchParams) : json(404, {});
  });
});
afterAll(() => fake.stop());
beforeEach(() => {
  fake.calls.length = 0;
});

const pods = (...shown: readonly unknown[]) => {
  reply = () => json(200, { pods: shown });
};
const list = (after: string | null, api_key = API_KEY) => {
  const { list } = runpod({ api_key }, fake.url);
  if (list === null) throw new Error("RunPod has no list");
  return list(after);
};
const first = async () => (await list(null)).machines[0];

describe("RunPod's list", () => {
  it("shows each pod with its price, those of clusters too", async () => {
    pods(POD);
    expect(await list(null)).toEqual({
      machines: [
        {
          ref: "7h9k2m4n6p",
          name: "pytorch-training",
          state: "running",
          gpu: "NVIDIA GeForce RTX 4090",
          gpus: 2,
          region: "US-KS-2",
          createdAt: Date.UTC(2026, 5, 1, 12),
          hourlyCost: 0.88,
          stoppedHourlyCost: 4 / 730,
          memberOf: null,
        },
      ],
      next: null,
    });
    expect(fake.calls.map(({ path }) => path)).toEqual(["/pods?includeClusterPods=true"]);
  });

  it("is read page by page, as long as it names a next one", async () => {
    reply = (query) =>
      query.get("cursor") === null
        ? json(200, { pods: [POD], pagination: { hasNextPage: true, nextCursor: "a b&c=d" } })
        : json(200, {
            pods: [{ ...POD, id: "other" }],
            pagination: { hasNextPage: false, nextCursor: null },
          });
    expect(await list(null)).toMatchObject({ next: "a b&c=d" });
    expect(await list("a b&c=d")).toMatchObject({ machines: [{ ref: "other" }], next: null });
    expect(fake.calls.map(({ path }) => path)).toEqual([
      "/pods?includeClusterPods=true",
      "/pods?includeClusterPods=true&cursor=a%20b%26c%3Dd",
    ]);
  });

  it("that leads in a circle is not understood", async () => {
    reply = () => json(200, { pods: [POD], pagination: { nextCursor: "again" } });
    expect(await list(null)).toMatchObject({ next: "again" });
    await expect(list("again")).rejects.toMatchObject({ code: "unavailable" });
  });

  it.each([
    [
      { status: "EXITED", cost: 0 },
      { state: "stopped", hourlyCost: null, stoppedHourlyCost: 4 / 730 },
    ],
    [{ mounts: undefined }, { stoppedHourlyCost: null }],
    [
      { status: "EXITED", cost: 0.44 },
      { state: "unknown", hourlyCost: 0.44 },
    ],
    [{ status: "ERROR" }, { state: "unknown", hourlyCost: 0.88 }],
    [{ status: "PROVISIONING" }, { state: "starting" }],
    [{ status: "TERMINATED", cost: 0 }, { state: "terminated" }],
    [{ cost: 0 }, { state: "running", hourlyCost: null }],
    [{ gpu: { id: "NVIDIA GeForce RTX 4090", count: 0 } }, { gpus: 0 }],
    [
      { gpu: undefined, cpu: { id: "cpu5c", vcpuCount: 4, memory: 16 } },
      { gpu: null, gpus: 0 },
    ],
    [{ gpu: undefined }, { gpu: null, gpus: null }],
    [
      { dataCenterId: null, createdAt: "soon", name: "" },
      { region: null, createdAt: null, name: null },
    ],
    [{ cluster: { id: "cluster_abc123", rank: 0 } }, { memberOf: "cluster cluster_abc123" }],
    [{ endpointId: "ep_abc123" }, { memberOf: "serverless endpoint ep_abc123" }],
  ])("shows a pod with %o as %o", async (more, expected) => {
    pods({ ...POD, ...more });
    expect(await first()).toMatchObject(expected);
  });

  it("keeps a pod that it can't read, as unknown", async () => {
    pods(POD, { id: "odd", status: 7 });
    const { machines } = await list(null);
    expect(machines).toMatchObject([
      { state: "running" },
      { ref: "odd", state: "unknown", hourlyCost: null },
    ]);
  });

  it.each([
    json(200, {}),
    json(200, [POD]),
    json(200, { pods: [{ name: "without an id" }] }),
    // More of it is said to follow, and not where.
    json(200, { pods: [POD], pagination: { hasNextPage: true } }),
    { status: 200, body: "<html>Sign in to the Wi-Fi</html>" },
  ])("that is %j is not understood, rather than empty", async (other) => {
    reply = () => other;
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that is refused says why", async () => {
    pods(POD);
    await expect(list(null, "another-key")).rejects.toMatchObject({ code: "unauthorised" });
    reply = () => ({
      ...json(429, { title: "Too Many Requests", status: 429, detail: "rate limit exceeded" }),
      headers: { "Retry-After": "12" },
    });
    await expect(list(null)).rejects.toMatchObject({ code: "rate_limited", retryAfterSeconds: 12 });
    // A retired version of the API says nothing of any pod.
    reply = () => json(410, { title: "Gone", status: 410, detail: "retired" });
    await expect(list(null)).rejects.toMatchObject({ code: "refused" });
  });
});
