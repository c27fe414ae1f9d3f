import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hyperstack } from "../../../src/providers/hyperstack/driver.ts";
import { FakeHttp } from "../../outside/http.ts";
import { expectNothingConcluded } from "../not-understood.ts";
import {
  API_KEY,
  FakeHyperstack,
  LEGACY_ERROR,
  machine,
  NO_BALANCE,
  NO_STOCK,
  NOT_FOUND,
  READ_ONLY_KEY,
  refusal,
  TOO_MANY,
} from "./fake.ts";

const target = { ref: "94127", instanceId: "rig", actionId: "a-1" };
const PATH = "/core/virtual-machines/94127";

let cloud: FakeHyperstack;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeHyperstack();
  cloud.put(machine(94127));
  http.calls.length = 0;
});

const provider = (api_key = API_KEY) => hyperstack({ api_key }, http.url);
const is = (status: string, more = {}) => cloud.put(machine(94127, status, more));
const orders = () =>
  http.calls.filter(({ method, path }) => method !== "GET" || path !== PATH).map((call) => call.path);

describe("Hyperstack", () => {
  it("is told to hibernate and to restore, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 2, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(orders()).toEqual([
      `${PATH}/hibernate?retain_ip=true`,
      `${PATH}/hibernate-restore`,
      `${PATH}/hibernate?retain_ip=true`,
    ]);
    expect(http.calls.every(({ method }) => method === "GET")).toBe(true);
  });

  it("is asked for nothing more where what is wanted is so already, or on its way", async () => {
    is("HIBERNATED");
    expect(await provider().hibernate(target)).toBe("done");
    is("HIBERNATING");
    expect(await provider().hibernate(target)).toBe("accepted");
    is("RESTORING");
    expect(await provider().wake(target)).toBe("accepted");
    is("ACTIVE");
    expect(await provider().wake(target)).toBe("accepted");
    is("DELETING");
    expect(await provider().delete(target)).toBe("accepted");
    is("DELETED");
    expect(await provider().delete(target)).toBe("done");
    expect(orders()).toEqual([]);
  });

  it.each([
    ["hibernate", "RESTORING"],
    ["hibernate", "STOPPING"],
    ["wake", "HIBERNATING"],
    ["wake", "DELETING"],
  ] as const)("asked to %s what is %s lets it be asked again", async (order, status) => {
    is(status);
    await expect(provider()[order](target)).rejects.toMatchObject({
      code: "unavailable",
      message: `Hyperstack shows it as ${status}: it takes no order now`,
    });
    expect(orders()).toEqual([]);
  });

  it.each([
    ["ACTIVE", "running"],
    // Billed in full.
    ["SHUTOFF", "running"],
    ["CREATING", "starting"],
    ["BUILD", "starting"],
    ["STARTING", "starting"],
    ["REBOOTING", "starting"],
    ["RESTORING", "starting"],
    ["STOPPING", "stopping"],
    ["HIBERNATING", "stopping"],
    ["DELETING", "stopping"],
    ["HIBERNATED", "stopped"],
  ])("with a machine that is %s shows it as %s", async (status, state) => {
    is(status);
    expect(await provider().status(target)).toEqual({ state, gpus: 2, obstacle: null });
  });

  it("does not know a machine that is in an error, or that is hibernated and runs", async () => {
    is("ERROR");
    expect(await provider().status(target)).toEqual({
      state: "unknown",
      because: "Hyperstack shows it as ERROR (NOSTATE)",
    });
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "refused" });
    is("HIBERNATED", { power_state: "RUNNING" });
    expect(await provider().status(target)).toEqual({
      state: "unknown",
      because: "Hyperstack shows it as HIBERNATED (RUNNING)",
    });
    is("DELETED");
    expect(await provider().status(target)).toEqual({ state: "terminated" });
  });

  it("starts a machine that is switched off, and says that it can't be hibernated although it is billed", async () => {
    is("SHUTOFF");
    for (const order of [provider().hibernate, provider().forceHibernate]) {
      await expect(order(target)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/billed in full all the same.*must be in ACTIVE state/),
      });
    }
    cloud.instead = ({ path }) => (path.includes("/hibernate") ? TOO_MANY : undefined);
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "rate_limited" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ path: `${PATH}/start` });
  });

  it("that takes the hibernation of a machine that is switched off has accepted it", async () => {
    is("SHUTOFF");
    cloud.instead = ({ path }) =>
      path.includes("/hibernate") ? { status: 200, body: '{"status":true,"message":""}' } : undefined;
    expect(await provider().hibernate(target)).toBe("accepted");
  });

  it("deletes; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ method: "DELETE", path: PATH });
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["a gateway's JSON", { status: 404, body: '{"message":"no Route matched with those values"}' }],
    ["another's error", { status: 404, body: '{"status":false,"message":"x","error_reason":"gone"}' }],
    ["its own error behind another status", { ...NOT_FOUND, status: 410 }],
    ["its own error behind a 200", { ...NOT_FOUND, status: 200 }],
    ["a retired API", { status: 410, body: "Gone" }],
    ["a redirect", { status: 302, body: "", headers: { Location: "/" } }],
    ["a page in place of a machine", { status: 200, body: "<html>Sign in to the Wi-Fi</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    ["a machine without a status", { status: 200, body: '{"status":true,"instance":{"id":94127}}' }],
    ["another machine", { status: 200, body: '{"status":true,"instance":{"id":7,"status":"HIBERNATED"}}' }],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply) => {
    cloud.instead = () => reply;
    await expectNothingConcluded(provider(), target);
  });

  it.each(["{}", '{"status":"true"}', '{"status":false}', "", "<html></html>"])(
    "that answers an order with 200 and %j has not accepted it",
    async (body) => {
      cloud.instead = ({ path, method }) =>
        path === PATH && method === "GET" ? undefined : { status: 200, body };
      await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
      await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable" });
      is("HIBERNATED");
      await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it.each([
    ["without stock", NO_STOCK, "no_capacity", true],
    ["without balance", NO_BALANCE, "refused", false],
    ["that refuses within a 200", { ...NO_BALANCE, status: 200 }, "refused", false],
    ["in trouble", LEGACY_ERROR, "unavailable", true],
    ["in trouble of its own name", refusal(400, "server_error", "Something went wrong"), "unavailable", true],
  ])("%s says so at a restore", async (_, reply, code, isPassing) => {
    is("HIBERNATED");
    cloud.instead = ({ path }) => (path.endsWith("/hibernate-restore") ? reply : undefined);
    await expect(provider().wake(target)).rejects.toMatchObject({ code, isPassing });
  });

  it("asked too often passes on when to ask again", async () => {
    cloud.instead = () => TOO_MANY;
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
      retryAfterSeconds: 30,
    });
  });

  it("whose answer to an order was lost is not told twice", async () => {
    cloud.instead = ({ path }) => {
      if (!path.includes("/hibernate")) return undefined;
      is("HIBERNATING");
      return { status: 502, body: "" };
    };
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(orders()).toHaveLength(1);
  });

  it("is tried without changing anything, and a key that may only read is not enough", async () => {
    const before = structuredClone([...cloud.machines]);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider(READ_ONLY_KEY).verify(on)).rejects.toMatchObject({ code: "unauthorised" });
      await expect(provider("another-key").verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    await expect(provider().verify({ ...target, ref: "7" })).rejects.toMatchObject({ code: "not_found" });
    expect([...cloud.machines]).toEqual(before);
    cloud.instead = () => ({ status: 200, body: "{}" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("takes no snapshots", async () => {
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
    expect(await provider().snapshotState("1")).toBe("failed");
  });
});

describe("Hyperstack's list", () => {
  const list = (after: string | null = null) => provider().list?.(after);

  it("has each machine with its price, and ends with an empty page", async () => {
    cloud.put(machine(94128, "SHUTOFF"), machine(94129, "HIBERNATED", { name: "asleep" }));
    expect(await list()).toEqual({
      next: "2",
      machines: [
        {
          ref: "94127",
          name: "trainer",
          state: "running",
          gpu: "H100-80G-PCIe",
          gpus: 2,
          region: "CANADA-1",
          createdAt: Date.UTC(2026, 2, 1, 9, 30),
          hourlyCost: 3.8,
          stoppedHourlyCost: null,
          memberOf: null,
        },
        expect.objectContaining({ ref: "94128", state: "running" }),
        expect.objectContaining({ ref: "94129", state: "stopped", name: "asleep" }),
      ],
    });
    expect(await list("2")).toEqual({ next: null, machines: [] });
  });

  it("goes on page by page until all have been seen", async () => {
    cloud.put(...Array.from({ length: 205 }, (_, index) => machine(index + 1)));
    const seen = new Set<string>();
    let after: string | null = null;
    do {
      const page = await list(after);
      for (const { ref } of page?.machines ?? []) seen.add(ref);
      after = page?.next ?? null;
    } while (after !== null);
    expect(seen.size).toBe(206);
  });

  it("marks the nodes of clusters", async () => {
    cloud.clusters = [{ id: 1, name: "kube", nodes: [{ id: 3, instance: { id: 94127 } }, { id: 4 }] }];
    expect((await list())?.machines).toMatchObject([{ memberOf: "Kubernetes cluster kube" }]);
  });

  it("says no price that it does not know: of a spot flavor, of one without a GPU, or a price of 0", async () => {
    const flavor = { name: "n3-H100x1", gpu: "H100-80G-PCIe", gpu_count: 1 };
    cloud.put(
      machine(94127, "ACTIVE", { flavor: { ...flavor, name: "n3-H100x1-spot" } }),
      machine(2, "ACTIVE", { flavor: { name: "n1-cpu-small", gpu: "", gpu_count: 0 } }),
      machine(3, "ACTIVE", { flavor: { ...flavor, gpu: "RTX-A4000" } }),
      machine(4, "ACTIVE", { flavor: { ...flavor, gpu: "B300" } }),
    );
    expect((await list())?.machines.map(({ ref, gpu, hourlyCost }) => [ref, gpu, hourlyCost])).toEqual([
      ["94127", "H100-80G-PCIe", null],
      ["2", null, null],
      ["3", "RTX-A4000", null],
      ["4", "B300", null],
    ]);
  });

  it("shows machines also where prices and clusters can't be read, but not when they may be readable soon", async () => {
    const refuse = (reply: typeof TOO_MANY) => {
      cloud.instead = ({ path }) =>
        path.startsWith("/pricebook") || path.startsWith("/core/clusters") ? reply : undefined;
    };
    refuse(refusal(403, "forbidden", "no"));
    expect((await list())?.machines).toMatchObject([{ ref: "94127", hourlyCost: null, memberOf: null }]);
    refuse(TOO_MANY);
    await expect(list()).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("shows an odd machine as unknown, and drops none", async () => {
    cloud.put({
      id: 7,
      status: 3,
      power_state: null,
      name: 4,
      flavor: "x",
      environment: 1,
      created_at: "once",
    });
    expect((await list())?.machines.at(-1)).toEqual({
      ref: "7",
      name: null,
      state: "unknown",
      gpu: null,
      gpus: null,
      region: null,
      createdAt: null,
      hourlyCost: null,
      stoppedHourlyCost: null,
      memberOf: null,
    });
  });

  it.each([
    ["{}"],
    ['{"status":true}'],
    ['{"status":true,"instances":[{"name":"without an id"}]}'],
    ["<html>Sign in to the Wi-Fi</html>"],
  ])("that is %s is not taken for an empty account", async (body) => {
    cloud.instead = () => ({ status: 200, body });
    await expect(list()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("knows only pages that it has named itself", async () => {
    await expect(list("x")).rejects.toMatchObject({ code: "refused" });
    await expect(list("0")).rejects.toMatchObject({ code: "refused" });
  });
});
