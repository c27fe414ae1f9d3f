import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { vast } from "../../../src/providers/vast/driver.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/**
 * Vast.ai's list of instances (GET /api/v1/instances/), its serverless endpoints (GET /api/v0/endptjobs/), and the
 * workers of one (POST run.vast.ai/get_endpoint_workers/), in the shapes of https://docs.vast.ai/api-reference.
 */

const API_KEY = "vast-key-0123456789";
const PAGE = 25;

const RIG = {
  id: 28864630,
  actual_status: "running",
  cur_state: "running",
  next_state: "running",
  intended_status: "running",
  label: "ML Training Job 2025",
  machine_id: 12,
  start_date: 1668804745.25,
  end_date: 1735689600,
  gpu_name: "RTX 4090",
  num_gpus: 2,
  gpu_util: 0,
  geolocation: "California, US",
  is_bid: false,
  dph_base: 0.8,
  dph_total: 0.8021,
  storage_cost: 0.15,
  storage_total_cost: 0.0021,
  instance: { gpuCostPerHour: 0.8, diskHour: 0.0021, totalHour: 0.8021 },
};

const NO_ENDPOINTS: Reply = {
  status: 400,
  body: JSON.stringify({ success: false, error: "invalid_args", msg: "No endpoints for user found" }),
};

let instances: unknown[];
let endpoints: Reply;
let workers: (endpointId: number) => Reply;
/** What is answered in place of the list, if anything. */
let instead: Reply | undefined;
/** How long was waited before which call. */
let pauses: [call: number, ms: number][];
let fake: FakeHttp;

const json = (status: number, value: unknown): Reply => ({ status, body: JSON.stringify(value) });

function answer({ method, path, headers, body }: Call): Reply {
  if (headers.authorization !== `Bearer ${API_KEY}`) {
    return json(401, { success: false, error: "auth_error", msg: "Invalid user key" });
  }
  const { pathname, searchParams } = new URL(path, fake.url);
  switch (`${method} ${pathname}`) {
    case "GET /v1/instances/": {
      if (instead !== undefined) return instead;
      const limit = Number(searchParams.get("limit"));
      if (!(limit >= 1 && limit <= PAGE)) return json(400, { error: "invalid_request", msg: "limit" });
      const token = searchParams.get("after_token");
      if (token !== null && !/^after=\d+$/.test(token))
        return json(400, { error: "invalid_token", msg: "no" });
      const from = token === null ? 0 : Number(token.slice("after=".length));
      const end = from + limit;
      return json(200, {
        success: true,
        instances: instances.slice(from, end),
        total_instances: instances.length,
        next_token: end < instances.length ? `after=${end}` : null,
      });
    }
    case "GET /v0/endptjobs/":
      return endpoints;
    case "POST /get_endpoint_workers/":
      return workers(JSON.parse(body).id);
    default:
      return json(404, {});
  }
}

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  instances = [RIG];
  endpoints = NO_ENDPOINTS;
  workers = () => json(200, { workers: [] });
  instead = undefined;
  fake.calls.length = 0;
  pauses = [];
});

const provider = (api_key = API_KEY) =>
  vast({ api_key }, fake.url, {
    engineUrl: fake.url,
    pause: async (ms) => {
      pauses.push([fake.calls.length, ms]);
    },
  });
const list = (after: string | null, api_key = API_KEY) => {
  const { list } = provider(api_key);
  if (list === null) throw new Error("Vast.ai has no list");
  return list(after);
};
const first = async () => (await list(null)).machines[0];

describe("Vast.ai's list", () => {
  it("shows each instance with its prices, running and stopped", async () => {
    expect(await list(null)).toEqual({
      machines: [
        {
          ref: "28864630",
          name: "ML Training Job 2025",
          state: "running",
          gpu: "RTX 4090",
          gpus: 2,
          region: "California, US",
          createdAt: 1668804745250,
          hourlyCost: 0.8021,
          stoppedHourlyCost: 0.0021,
          memberOf: null,
        },
      ],
      next: null,
    });
  });

  it("is read page by page, to its end", async () => {
    instances = Array.from({ length: PAGE * 2 + 1 }, (_, index) => ({ ...RIG, id: index + 1 }));
    const refs: string[] = [];
    for (let after: string | null = null, page = 0; page === 0 || after !== null; page++) {
      const { machines, next } = await list(after);
      refs.push(...machines.map(({ ref }) => ref));
      after = next;
    }
    expect(refs).toEqual(instances.map((_, index) => String(index + 1)));
    expect(fake.calls.filter(({ path }) => path.startsWith("/v1/")).map(({ path }) => path)).toEqual([
      "/v1/instances/?limit=25",
      "/v1/instances/?limit=25&after_token=after%3D25",
      "/v1/instances/?limit=25&after_token=after%3D50",
    ]);
  });

  it("is not asked for more often than Vast.ai bears: once a second", async () => {
    instances = Array.from({ length: PAGE + 1 }, (_, index) => ({ ...RIG, id: index + 1 }));
    const { list } = provider();
    const page = await list?.(null);
    expect(pauses).toEqual([]);
    const before = fake.calls.length;
    await list?.(page?.next ?? null);
    expect(pauses).toEqual([[before, 1_100]]);
  });

  it("that leads in a circle is not understood", async () => {
    instead = json(200, { success: true, instances: [RIG], next_token: "after=25" });
    expect(await list(null)).toMatchObject({ next: "after=25" });
    await expect(list("after=25")).rejects.toMatchObject({ code: "unavailable" });
  });

  it("of no instances is empty, and asks for no workers", async () => {
    instances = [];
    expect(await list(null)).toEqual({ machines: [], next: null });
    expect(fake.calls).toHaveLength(1);
  });

  it.each([
    [{ cur_state: "stopped", intended_status: "stopped", actual_status: "exited" }, "unknown"],
    [{ cur_state: "stopped", intended_status: "stopped", instance: { gpuCostPerHour: 0 } }, "stopped"],
    // Outbid, or in the queue for its host: it may start at any moment.
    [{ cur_state: "stopped", is_bid: true, instance: { gpuCostPerHour: 0 } }, "starting"],
    [{ actual_status: "exited" }, "running"],
    [{ intended_status: "stopped" }, "stopping"],
    [{ cur_state: "unloaded" }, "terminated"],
    [{ actual_status: "offline" }, "unknown"],
  ])("shows %o as %s, as a look at it would", async (more, state) => {
    instances = [{ ...RIG, ...more }];
    expect(await first()).toMatchObject({ ref: "28864630", state });
  });

  it("says nothing of what it does not know, and never 0", async () => {
    instances = [
      { id: 1, cur_state: "running", actual_status: null, label: "", dph_total: null, gpu_name: 7 },
    ];
    expect(await first()).toEqual({
      ref: "1",
      name: null,
      state: "starting",
      gpu: null,
      gpus: null,
      region: null,
      createdAt: null,
      hourlyCost: null,
      stoppedHourlyCost: null,
      memberOf: null,
    });
  });

  it("keeps an instance that it can't read, as unknown", async () => {
    instances = [RIG, { id: 2, cur_state: { new: "shape" }, label: "odd" }];
    expect((await list(null)).machines).toMatchObject([{ state: "running" }, { ref: "2", state: "unknown" }]);
  });

  it.each(["{}", "", "<html>Sign in</html>", '{"success":true,"instances":[{"label":"without an id"}]}'])(
    "that is %j is not understood, rather than empty",
    async (body) => {
      instead = { status: 200, body };
      await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it("that is full, and does not say whether more follows, is not understood", async () => {
    instead = json(200, { success: true, instances: Array.from({ length: PAGE }, () => RIG) });
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that is refused says why", async () => {
    await expect(list(null, "another-key-0123")).rejects.toMatchObject({ code: "unauthorised" });
    await expect(list("forged")).rejects.toMatchObject({ code: "refused" });
    instead = json(200, { success: false, error: "permission_denied", msg: "no" });
    await expect(list(null)).rejects.toMatchObject({ code: "unauthorised" });
    instead = json(429, { detail: "API requests too frequent endpoint threshold=1.0" });
    await expect(list(null)).rejects.toMatchObject({
      code: "rate_limited",
      message: "Vast.ai answered 429: API requests too frequent endpoint threshold=1.0",
    });
  });
});

describe("Vast.ai's serverless workers", () => {
  beforeEach(() => {
    instances = [RIG, { ...RIG, id: 2 }, { ...RIG, id: 3 }];
    endpoints = json(200, {
      success: true,
      results: [
        { id: 123, endpoint_name: "vLLM-Qwen3-8B" },
        { id: 124, endpoint_name: null },
      ],
    });
    workers = (id) => json(200, id === 123 ? { workers: [{ id: 2, status: "running" }] } : [{ id: 3 }]);
  });

  it("belong to their endpoint, which starts and stops them", async () => {
    expect((await list(null)).machines.map(({ memberOf }) => memberOf)).toEqual([
      null,
      "serverless endpoint vLLM-Qwen3-8B",
      "serverless endpoint 124",
    ]);
  });

  it("are asked for once for all pages", async () => {
    instances = Array.from({ length: PAGE + 1 }, (_, index) => ({ ...RIG, id: index + 1 }));
    const { list } = provider();
    const page = await list?.(null);
    await list?.(page?.next ?? null);
    expect(fake.calls.filter(({ path }) => path === "/v0/endptjobs/")).toHaveLength(1);
    await list?.(null);
    expect(fake.calls.filter(({ path }) => path === "/v0/endptjobs/")).toHaveLength(2);
  });

  it("are asked for again, a while later, where that was too often", async () => {
    let tooOften = 1;
    const shown = workers;
    workers = (id) => (id === 124 && tooOften-- > 0 ? { status: 429, body: "too frequent" } : shown(id));
    expect((await list(null)).machines.map(({ memberOf }) => memberOf !== null)).toEqual([false, true, true]);
    expect(pauses).toEqual([[4, 3_100]]);
    workers = () => ({ status: 429, body: "too frequent" });
    await expect(list(null)).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("of more endpoints than are asked stay unmarked", async () => {
    const results = Array.from({ length: 30 }, (_, index) => ({ id: index + 1, endpoint_name: null }));
    endpoints = json(200, { success: true, results });
    await list(null);
    expect(fake.calls.filter(({ method }) => method === "POST")).toHaveLength(20);
  });

  it.each([
    ["a key that may not see them", json(403, { success: false, error: "permission_denied", msg: "no" })],
    ["an answer that is not understood", json(200, { success: true, results: "none" })],
  ])("stay unmarked with %s, and listed", async (_, reply) => {
    endpoints = reply;
    expect((await list(null)).machines.map(({ memberOf }) => memberOf)).toEqual([null, null, null]);
  });

  it("stay unmarked where an endpoint refuses, or answers in words", async () => {
    workers = (id) =>
      id === 123
        ? json(200, "authenticate_endpoint_apikey: invalid api_key or endpoint not found")
        : json(401, "invalid api_key");
    expect((await list(null)).machines.map(({ memberOf }) => memberOf)).toEqual([null, null, null]);
  });

  it("that can't be asked for just now are no reason to tell of them as of machines that nobody watches", async () => {
    workers = () => ({ status: 503, body: "" });
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
  });
});
