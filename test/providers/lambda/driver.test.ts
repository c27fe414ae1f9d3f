import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lambda } from "../../../src/providers/lambda/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";
import { expectNoStops, expectNothingConcluded } from "../not-understood.ts";
import {
  BAD_KEY,
  CONFLICT,
  FakeLambda,
  fault,
  ID,
  INACTIVE,
  instance,
  json,
  KEY,
  NOT_FOUND,
} from "./fake.ts";

const target = { ref: ID, instanceId: "rig", actionId: "a-1" };

let cloud: FakeLambda;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeLambda();
  cloud.put(instance());
  http.calls.length = 0;
});

const provider = (api_key = KEY) => lambda({ api_key }, http.url);
const is = (status: string, more = {}) => cloud.put(instance(status, more));
const orders = () => http.calls.filter(({ method }) => method !== "GET");

describe("Lambda Cloud", () => {
  it("neither stops nor starts an instance, and is not even asked to", async () => {
    await expectNoStops(provider(), target, http.calls, "billed until it is terminated");
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
    expect(await provider().snapshotState("1")).toBe("failed");
    expect(http.calls).toEqual([]);
  });

  it.each([
    ["active", { state: "running", gpus: 8, obstacle: null }],
    ["unhealthy", { state: "running", gpus: 8, obstacle: null }],
    ["booting", { state: "starting", gpus: 8, obstacle: null }],
    ["terminating", { state: "stopping", gpus: 8, obstacle: null }],
    ["terminated", { state: "terminated" }],
    ["preempted", { state: "unknown", because: "Lambda Cloud shows it as preempted" }],
    ["dreaming", { state: "unknown", because: "Lambda Cloud shows it as dreaming" }],
    ["", { state: "unknown", because: "Lambda Cloud shows it as nothing" }],
  ])("with an instance that is %j shows %o", async (status, sighting) => {
    is(status);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it("says how many GPUs there are, where it does", async () => {
    for (const instance_type of [undefined, null, {}, { specs: {} }, { specs: { gpus: "eight" } }]) {
      is("active", { instance_type });
      expect(await provider().status(target)).toMatchObject({ state: "running", gpus: null });
    }
  });

  it("terminates by order, and is not told twice", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([
      {
        method: "POST",
        path: "/instance-operations/terminate",
        body: JSON.stringify({ instance_ids: [ID] }),
      },
    ]);
    expect(await provider().status(target)).toMatchObject({ state: "stopping" });
    expect(await provider().delete(target)).toBe("accepted");
    is("terminated");
    expect(await provider().delete(target)).toBe("done");
    expect(orders()).toHaveLength(1);
  });

  it("shows as missing what it says does not exist, by its own word alone", async () => {
    cloud.instances.clear();
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
    expect(orders()).toEqual([]);
  });

  it.each([
    ["vm-has-not-launched", "unavailable"],
    ["vm-action-in-progress", "unavailable"],
    ["vm-is-too-old", "refused"],
  ])("that can't terminate because of %s is not told to", async (reason_code, code) => {
    const terminate = { available: false, reason_code, reason_description: "not now" };
    is("active", { actions: { terminate } });
    await expect(provider().delete(target)).rejects.toMatchObject({
      code,
      message: expect.stringContaining("not now"),
    });
    expect(orders()).toEqual([]);
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["a page that is not there", fault(404, "global/not-found", "The requested resource was not found.")],
    ["another service's JSON", json(404, { error: "Specified instance does not exist." })],
    ["its own words with another status", { ...NOT_FOUND, status: 410 }],
    ["its own words behind a 200", { ...NOT_FOUND, status: 200 }],
    ["a redirect", { status: 307, body: "", headers: { Location: "/login" } }],
    ["a page in place of an instance", { status: 200, body: "<html>Sign in</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    ["an instance without a status", json(200, { data: { id: ID } })],
    ["another instance", json(200, { data: instance("terminated", { id: "another" }) })],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply: Reply) => {
    cloud.instead = () => reply;
    await expectNothingConcluded(provider(), target, [provider().snapshot]);
  });

  it.each([
    "{}",
    "",
    "<html></html>",
    '{"data":{"terminated_instances":[]}}',
    '{"data":{"terminated_instances":[{"id":"another"}]}}',
  ])("that answers a termination with 200 and %j has not accepted it", async (body) => {
    cloud.instead = ({ method }) => (method === "GET" ? undefined : { status: 200, body });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
  });

  it.each([
    ["with a bad key", BAD_KEY, "unauthorised", "credentials"],
    ["of an inactive account", INACTIVE, "unauthorised", "call"],
    ["asked too often", { status: 429, body: "", headers: { "Retry-After": "12" } }, "rate_limited", null],
    ["in trouble", { status: 503, body: "" }, "unavailable", null],
    ["in conflict", CONFLICT, "unavailable", null],
  ])("%s says so", async (_, reply: Reply, code, denied) => {
    cloud.instead = () => reply;
    const retryAfterSeconds = reply.headers === undefined ? null : 12;
    await expect(provider().status(target)).rejects.toMatchObject({ code, denied, retryAfterSeconds });
  });

  it("whose answer to a termination was lost is not told twice", async () => {
    cloud.instead = ({ method }) => {
      if (method === "GET") return undefined;
      is("terminating");
      return { status: 502, body: "" };
    };
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable" });
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toHaveLength(1);
  });

  it("is tried by looking, on the instance where there is one", async () => {
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider("another-key").verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    expect(orders()).toEqual([]);
    cloud.instead = () => ({ status: 200, body: "{}" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("Lambda Cloud's list", () => {
  const list = () => provider().list?.(null);

  it("has each instance with what it costs", async () => {
    cloud.put(
      instance("unhealthy", { id: "2", name: undefined, instance_type: null }),
      instance("terminated", { id: "3", instance_type: { price_cents_per_hour: 0, specs: { gpus: 0 } } }),
    );
    expect(await list()).toEqual({
      next: null,
      machines: [
        {
          ref: ID,
          name: "trainer",
          state: "running",
          gpu: "H100 (80 GB SXM5)",
          gpus: 8,
          region: "us-west-1",
          createdAt: null,
          hourlyCost: 35.92,
          stoppedHourlyCost: null,
          memberOf: null,
        },
        expect.objectContaining({ ref: "2", name: null, state: "running", gpus: null, hourlyCost: null }),
        expect.objectContaining({ ref: "3", state: "terminated", gpus: 0, hourlyCost: null }),
      ],
    });
  });

  it("shows an odd instance as unknown, and drops none", async () => {
    cloud.instead = () => json(200, { data: [{ id: "odd", status: 7, region: 4 }, { id: "bare" }] });
    expect((await list())?.machines).toMatchObject([
      { ref: "odd", state: "unknown", hourlyCost: null },
      { ref: "bare", state: "unknown" },
    ]);
  });

  it.each(["{}", '{"data":{}}', '{"data":[{"name":"without an id"}]}', "<html>Sign in</html>"])(
    "that is %s is not taken for an empty account",
    async (body) => {
      cloud.instead = () => ({ status: 200, body });
      await expect(list()).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
