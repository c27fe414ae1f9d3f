import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tensordock } from "../../../src/providers/tensordock/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";
import { expectNothingConcluded } from "../not-understood.ts";
import {
  enclosed,
  FakeTensorDock,
  ID,
  instance,
  json,
  NO_BALANCE,
  NOT_FOUND,
  NOT_FOUND_BY_REFERENCE,
  TOKEN,
  TOO_MANY,
  UNAVAILABLE_WITHIN_200,
} from "./fake.ts";

const target = { ref: ID, instanceId: "rig", actionId: "a-1" };
const PATH = `/instances/${ID}`;

let cloud: FakeTensorDock;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeTensorDock();
  cloud.put(instance());
  http.calls.length = 0;
});

const provider = (api_token = TOKEN) => tensordock({ api_token }, http.url);
const is = (status: string, more = {}) => cloud.put(instance(status, more));
const orders = () => http.calls.filter(({ method }) => method !== "GET");
const onOrder = (reply: Reply) => {
  cloud.instead = ({ method }) => (method === "GET" ? undefined : reply);
};

describe("TensorDock", () => {
  it("is told to stop and to start, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 2, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ method: "POST", path: `${PATH}/stop` });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ method: "POST", path: `${PATH}/start` });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it("is asked for nothing more where what is wanted is so already, or on its way", async () => {
    is("StoppedDisassociated");
    expect(await provider().hibernate(target)).toBe("done");
    is("stopping");
    expect(await provider().hibernate(target)).toBe("accepted");
    for (const status of ["running", "starting"]) {
      is(status);
      expect(await provider().wake(target)).toBe("accepted");
    }
    is("deleting");
    expect(await provider().delete(target)).toBe("accepted");
    is("deleted");
    expect(await provider().delete(target)).toBe("done");
    expect(orders()).toEqual([]);
  });

  it("takes no start while it stops, and can be asked again", async () => {
    is("stopping");
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
    expect(orders()).toEqual([]);
  });

  it.each([
    ["running", { state: "running", gpus: 2, obstacle: null }],
    ["Running", { state: "running", gpus: 2, obstacle: null }],
    ["starting", { state: "starting", gpus: 2, obstacle: null }],
    ["stopping", { state: "stopping", gpus: 2, obstacle: null }],
    ["deleting", { state: "stopping", gpus: 2, obstacle: null }],
    ["StoppedDisassociated", { state: "stopped", gpus: 2, obstacle: null }],
    ["stopped_disassociated", { state: "stopped", gpus: 2, obstacle: null }],
    ["deleted", { state: "terminated" }],
    ["error", { state: "unknown", because: "TensorDock shows it as error" }],
    ["", { state: "unknown", because: "TensorDock shows it as nothing" }],
  ])("with an instance that is %j shows %o", async (status, sighting) => {
    is(status);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it("does not count an instance as stopped whose GPUs it does not show as released, unless it costs nothing", async () => {
    cloud.stopped = "Stopped";
    await provider().hibernate(target);
    expect(await provider().status(target)).toMatchObject({
      state: "unknown",
      because: expect.stringContaining("it may be billed as if it ran"),
    });
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "refused" });
    expect(orders()).toHaveLength(1);
    is("Stopped", { rateHourly: null });
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    is("Stopped", { rateHourly: 0 });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().hibernate(target)).toBe("done");
    expect(await provider().wake(target)).toBe("accepted");
  });

  it.each([
    ["bare", instance()],
    ["within data", { data: instance() }],
    ["within attributes", { data: enclosed(instance()) }],
  ])("is understood where an instance's fields stand %s", async (_, body) => {
    cloud.instead = () => json(200, body);
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 2, obstacle: null });
  });

  it("says how many GPUs there are, where it does", async () => {
    is("running", { resources: { gpus: [{ gpuV0Name: "h100-sxm5-80gb", count: 8 }] } });
    expect(await provider().status(target)).toMatchObject({ gpus: 8 });
    is("running", { resources: { gpus: {} } });
    expect(await provider().status(target)).toMatchObject({ gpus: 0 });
    for (const resources of [undefined, {}, { gpus: "two" }]) {
      is("running", { resources });
      expect(await provider().status(target)).toMatchObject({ gpus: null });
    }
  });

  it("deletes; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([{ method: "DELETE", path: PATH }]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
    cloud.instead = () => NOT_FOUND_BY_REFERENCE;
    expect(await provider().status(target)).toEqual({ state: "missing" });
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Instance not found</h1></html>" }],
    ["another service's JSON", json(404, { error: "not found" })],
    ["a page that is not there", json(404, { error: "This page could not be found" })],
    ["its own words with another status", { ...NOT_FOUND, status: 410 }],
    ["its own words behind a 200", { ...NOT_FOUND, status: 200 }],
    ["a list of no errors", json(404, { errors: [] })],
    ["a redirect", { status: 307, body: "", headers: { Location: "/login" } }],
    ["a page in place of an instance", { status: 200, body: "<html>Sign in</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    ["an instance without a status", json(200, { id: ID })],
    ["another instance", json(200, instance("StoppedDisassociated", { id: "other" }))],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply: Reply) => {
    cloud.instead = () => reply;
    await expectNothingConcluded(provider(), target);
  });

  it.each(["{}", '{"data":{}}', '{"data":{"type":"instance"}}', "", "<html></html>"])(
    "that answers an order with 200 and %j has not accepted it",
    async (body) => {
      onOrder({ status: 200, body });
      await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
      await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable" });
      is("StoppedDisassociated");
      await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it("that answers an order with the status of another one has not accepted it", async () => {
    onOrder(json(200, { data: { status: "running" } }));
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "unavailable",
      message: "TensorDock answered the order to stop with running",
    });
    is("StoppedDisassociated");
    expect(await provider().wake(target)).toBe("accepted");
    onOrder(json(200, { data: { status: "stopped" } }));
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable" });
  });

  it.each([
    ["without capacity, within a 200", UNAVAILABLE_WITHIN_200, "no_capacity", true],
    ["without GPUs", json(400, { error: "Not enough GPUs on this hostnode" }), "no_capacity", true],
    ["without balance", NO_BALANCE, "refused", false],
    ["that refuses within a 200", json(200, { error: "Instance must be stopped" }), "refused", false],
    ["in trouble within a 200", json(200, { error: "Internal error", status: 500 }), "unavailable", true],
    [
      "with a bad token within a 200",
      json(200, { error: "Unauthorized", status: 401 }),
      "unauthorised",
      false,
    ],
    ["in trouble", { status: 502, body: "" }, "unavailable", true],
  ])("%s says so at a start", async (_, reply: Reply, code, isPassing) => {
    is("StoppedDisassociated");
    onOrder(reply);
    await expect(provider().wake(target)).rejects.toMatchObject({ code, isPassing });
  });

  it("asked too often passes on when to ask again", async () => {
    cloud.instead = () => TOO_MANY;
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
      retryAfterSeconds: 20,
    });
  });

  it("whose answer to an order was lost is not told twice", async () => {
    cloud.instead = ({ method }) => {
      if (method === "GET") return undefined;
      is("stopping");
      return { status: 502, body: "" };
    };
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(orders()).toHaveLength(1);
  });

  it("is tried by looking, on the instance where there is one", async () => {
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider("another-token").verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    await expect(provider().verify({ ...target, ref: "other" })).rejects.toMatchObject({ code: "not_found" });
    expect(orders()).toEqual([]);
    cloud.instead = () => ({ status: 200, body: "{}" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("takes no snapshots", async () => {
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
    expect(await provider().snapshotState("1")).toBe("failed");
  });
});

describe("TensorDock's list", () => {
  const list = () => provider().list?.(null);

  it("has each instance with what it costs while it runs", async () => {
    cloud.put(
      instance("StoppedDisassociated", { id: "2", name: "asleep", resources: null }),
      instance("Stopped", { id: "3" }),
      instance("running", { id: "4", rateHourly: 0 }),
    );
    expect(await list()).toEqual({
      next: null,
      machines: [
        {
          ref: ID,
          name: "trainer",
          state: "running",
          gpu: "geforcertx4090-pcie-24gb",
          gpus: 2,
          region: null,
          createdAt: null,
          hourlyCost: 0.814,
          stoppedHourlyCost: null,
          memberOf: null,
        },
        expect.objectContaining({ ref: "2", state: "stopped", gpu: null, gpus: null, hourlyCost: null }),
        expect.objectContaining({ ref: "3", state: "unknown", hourlyCost: null }),
        expect.objectContaining({ ref: "4", state: "running", hourlyCost: null }),
      ],
    });
  });

  it.each([
    ["in data", { data: [instance()] }],
    ["in data's instances", { data: { instances: [enclosed(instance())] } }],
    ["in data's attributes", { data: { type: "list", attributes: { instances: [enclosed(instance())] } } }],
  ])("is understood where it stands %s", async (_, body) => {
    cloud.instead = () => json(200, body);
    expect((await list())?.machines).toMatchObject([{ ref: ID, state: "running", hourlyCost: 0.814 }]);
  });

  it("shows an odd instance as unknown, and drops none", async () => {
    cloud.instead = () => json(200, { data: { instances: [{ id: "odd", attributes: 4 }, { id: "bare" }] } });
    expect((await list())?.machines).toMatchObject([
      { ref: "odd", state: "unknown", hourlyCost: null },
      { ref: "bare", state: "unknown", hourlyCost: null },
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
