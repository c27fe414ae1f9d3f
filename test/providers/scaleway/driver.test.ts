import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ZONES } from "../../../src/providers/scaleway/api.ts";
import { scaleway } from "../../../src/providers/scaleway/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";
import { expectNothingConcluded } from "../not-understood.ts";
import {
  FakeScaleway,
  FORBIDDEN,
  ID,
  json,
  notFound,
  OUT_OF_STOCK,
  PROTECTED,
  QUOTA,
  READ_ONLY_KEY,
  SECRET_KEY,
  server,
  TOO_MANY,
  TRANSIENT,
  ZONE,
} from "./fake.ts";

const target = { ref: `${ZONE}/${ID}`, instanceId: "rig", actionId: "a-1" };
const PATH = `/instance/v1/zones/${ZONE}/servers/${ID}`;

let cloud: FakeScaleway;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeScaleway();
  cloud.put(server());
  http.calls.length = 0;
});

const provider = (secret_key = SECRET_KEY) => scaleway({ secret_key }, http.url);
const is = (state: string, more = {}) => cloud.put(server(state, more));
const orders = () => http.calls.filter(({ method }) => method !== "GET");
const onOrder = (reply: Reply) => {
  cloud.instead = ({ method }) => (method === "GET" ? undefined : reply);
};

describe("Scaleway", () => {
  it("is told to power off and on by actions, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: null, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({
      method: "POST",
      path: `${PATH}/action`,
      body: '{"action":"poweroff"}',
    });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ body: '{"action":"poweron"}' });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it("powers off a server in standby, which is billed as if it ran", async () => {
    is("stopped in place");
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    is("stopped in place");
    expect(await provider().wake(target)).toBe("accepted");
    expect(http.calls.at(-1)).toMatchObject({ body: '{"action":"poweron"}' });
  });

  it("is asked for nothing more where what is wanted is so already, or on its way", async () => {
    is("stopped");
    expect(await provider().hibernate(target)).toBe("done");
    is("stopping");
    expect(await provider().hibernate(target)).toBe("accepted");
    for (const state of ["running", "starting"]) {
      is(state);
      expect(await provider().wake(target)).toBe("accepted");
    }
    expect(orders()).toEqual([]);
  });

  it.each([
    ["hibernate", "starting"],
    ["wake", "stopping"],
    ["delete", "stopping"],
  ] as const)("asked to %s what is %s lets it be asked again", async (order, state) => {
    is(state);
    await expect(provider()[order](target)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
    expect(orders()).toEqual([]);
  });

  it.each([
    ["running", { state: "running" }],
    ["starting", { state: "starting" }],
    ["stopping", { state: "stopping" }],
    ["stopped", { state: "stopped" }],
    ["stopped in place", { state: "running" }],
    ["locked", { state: "unknown", because: "Scaleway shows it as locked (abuse)" }],
    ["dreaming", { state: "unknown" }],
  ])("with a server that is %s shows %o", async (state, sighting) => {
    is(state, { state_detail: "abuse" });
    expect(await provider().status(target)).toMatchObject(sighting);
  });

  it("does not order what a server's state does not allow", async () => {
    is("locked");
    for (const order of [provider().hibernate, provider().wake, provider().delete]) {
      await expect(order(target)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("Scaleway shows it as locked, which allows nothing"),
      });
    }
    expect(orders()).toEqual([]);
  });

  it.each([
    ["is protected", { protected: true }, /protection is on/],
    ["is a node of a cluster", { tags: ["kapsule=c-1", "pool=p-1"] }, /Kubernetes cluster c-1/],
  ])("whose server %s shows that, and neither stops, snapshots nor deletes it", async (_, more, obstacle) => {
    is("running", more);
    expect(await provider().status(target)).toMatchObject({
      state: "running",
      obstacle: expect.stringMatching(obstacle),
    });
    const { hibernate, forceHibernate, snapshot, delete: remove } = provider();
    for (const order of [hibernate, forceHibernate, snapshot, remove]) {
      await expect(order(target)).rejects.toMatchObject({ code: "refused" });
    }
    // Scaleway itself deletes it, although it is protected.
    is("stopped", more);
    await expect(remove(target)).rejects.toMatchObject({ code: "refused" });
    expect(orders()).toEqual([]);
    expect(await provider().wake(target)).toBe("accepted");
  });

  it("that was protected in between refuses by itself", async () => {
    onOrder(PROTECTED);
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "refused",
      message: "Scaleway answered 400: precondition_failed: server is protected",
    });
  });

  it("terminates a server that runs; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([{ body: '{"action":"terminate"}' }]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it("deletes a stopped server with the volumes that are its own, and keeps block volumes", async () => {
    const volumes = ["l_ssd", "sbs_volume", "scratch"].map((volume_type) => ({
      id: `vol-${volume_type}`,
      volume_type,
    }));
    is("stopped", { volumes: { ...volumes } });
    cloud.volumes.add("vol-l_ssd").add("vol-sbs_volume");
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders().map(({ method, path }) => [method, path])).toEqual([
      ["DELETE", PATH],
      ["DELETE", `/instance/v1/zones/${ZONE}/volumes/vol-l_ssd`],
      // It went with the server.
      ["DELETE", `/instance/v1/zones/${ZONE}/volumes/vol-scratch`],
    ]);
    expect([...cloud.volumes]).toEqual(["vol-sbs_volume"]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
  });

  it("names the volume that it does not delete with its server", async () => {
    is("stopped", { volumes: { 0: { id: "vol-1", volume_type: "l_ssd" } } });
    cloud.instead = ({ path }) => (path.includes("/volumes/") ? FORBIDDEN : undefined);
    await expect(provider().delete(target)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("its volume vol-1 is not, and is billed"),
    });
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["a gateway's JSON", json(404, { message: "no Route matched with those values" })],
    ["a proxy's error of the same type", json(404, { type: "not_found", message: "resource is not found" })],
    ["its word of something else", notFound("project", "55555555-5555-4555-8555-555555555555")],
    ["its own error with another status", { ...notFound("instance_server", ID), status: 410 }],
    ["a redirect", { status: 302, body: "", headers: { Location: "/" } }],
    ["a page in place of a server", { status: 200, body: "<html>Sign in to the Wi-Fi</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    [
      "a server that does not say whether it is protected",
      json(200, { server: { id: ID, state: "stopped" } }),
    ],
    ["another server", json(200, { server: { ...server("stopped"), id: "other" } })],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply: Reply) => {
    cloud.instead = () => reply;
    await expectNothingConcluded(provider(), target, [provider().snapshot]);
  });

  it.each(["{}", '{"task":null}', "", "<html></html>"])(
    "that answers an order with 200 and %j has not accepted it",
    async (body) => {
      onOrder({ status: 200, body });
      await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
      await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable" });
      is("stopped");
      await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable" });
      await expect(provider().delete(target)).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it.each([
    ["without stock", OUT_OF_STOCK, "no_capacity", true],
    ["beyond the quota", QUOTA, "refused", false],
    ["in a passing state", TRANSIENT, "unavailable", true],
    ["without permission", FORBIDDEN, "unauthorised", false],
    ["in trouble", { status: 500, body: "" }, "unavailable", true],
  ])("%s says so at a start", async (_, reply, code, isPassing) => {
    is("stopped");
    onOrder(reply);
    await expect(provider().wake(target)).rejects.toMatchObject({ code, isPassing });
  });

  it("asked too often passes on when to ask again", async () => {
    cloud.instead = () => TOO_MANY;
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
      retryAfterSeconds: 7,
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

  it("is tried without changing anything, and a key that may only read is not enough", async () => {
    const before = structuredClone([...cloud.servers]);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider(READ_ONLY_KEY).verify(on)).rejects.toMatchObject({ code: "unauthorised" });
      await expect(provider(ID).verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    const elsewhere = { ...target, ref: `nl-ams-1/${ID}` };
    await expect(provider().verify(elsewhere)).rejects.toMatchObject({ code: "not_found" });
    expect([...cloud.servers]).toEqual(before);
    cloud.instead = () => ({ status: 200, body: "{}" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("Scaleway's backup", () => {
  it("is an image that is named after the action, and is made once", async () => {
    is("stopped");
    const first = await provider().snapshot(target);
    expect(first).toEqual({ snapshotId: `${ZONE}/44444444-4444-4444-8444-444444444444`, done: false });
    expect(http.calls.at(-1)).toMatchObject({ body: '{"action":"backup","name":"dumont-a-1"}' });
    expect(await provider().snapshot(target)).toEqual(first);
    expect(orders()).toHaveLength(1);
    // Another action's name may begin with the same letters.
    expect(await provider().snapshot({ ...target, actionId: "a" })).toMatchObject({ done: false });
    expect(orders()).toHaveLength(2);
  });

  it("is found by its name where the answer does not name it, and asked for again where it is not shown yet", async () => {
    cloud.instead = ({ method }) => {
      if (method === "GET") return undefined;
      cloud.images.set("i-1", { id: "i-1", name: "dumont-a-1", state: "creating" });
      return json(202, { task: { href_result: null } });
    };
    expect(await provider().snapshot(target)).toEqual({ snapshotId: `${ZONE}/i-1`, done: false });
    cloud.images.clear();
    onOrder(json(202, { task: {} }));
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is ready when its image is available, and pending while that is created", async () => {
    const { snapshotId } = await provider().snapshot(target);
    const [image] = cloud.images.values();
    if (image === undefined || snapshotId === null) throw new Error("no image");
    expect(await provider().snapshotState(snapshotId)).toBe("pending");
    image.state = "available";
    expect(await provider().snapshotState(snapshotId)).toBe("ready");
    image.state = "error";
    expect(await provider().snapshotState(snapshotId)).toBe("failed");
    expect(await provider().snapshotState("../servers")).toBe("failed");
    cloud.images.clear();
    await expect(provider().snapshotState(snapshotId)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("Scaleway's list", () => {
  const list = (after: string | null = null) => provider().list?.(after);

  async function all() {
    const machines = [];
    let after: string | null = null;
    do {
      const page = await list(after);
      machines.push(...(page?.machines ?? []));
      after = page?.next ?? null;
    } while (after !== null);
    return machines;
  }

  it("has the servers of every zone, page by page", async () => {
    const id = (zone: number, index: number) =>
      `${zone}${String(index).padStart(7, "0")}-1111-4111-8111-111111111111`;
    cloud.servers.clear();
    for (const [zone, name] of ZONES.entries()) {
      cloud.put(
        ...Array.from({ length: 101 }, (_, each) => server("running", { id: id(zone, each), zone: name })),
      );
    }
    const machines = await all();
    expect(new Set(machines.map(({ ref }) => ref)).size).toBe(1010);
    expect(new Set(machines.map(({ region }) => region))).toEqual(new Set(ZONES));
  });

  it("says what each server is, but no price in dollars: Scaleway's are in euros", async () => {
    const tags = ["kapsule=c-1"];
    cloud.put(
      server("stopped in place", { id: "2", commercial_type: "DEV1-S", tags }),
      server("stopped", { id: "3", commercial_type: "NEW-1" }),
    );
    expect(await all()).toEqual([
      {
        ref: `${ZONE}/${ID}`,
        name: "trainer",
        state: "running",
        gpu: "H100-PCIe",
        gpus: 2,
        region: ZONE,
        createdAt: Date.UTC(2026, 2, 1, 9, 30, 0, 123),
        hourlyCost: null,
        stoppedHourlyCost: null,
        memberOf: null,
      },
      expect.objectContaining({
        ref: `${ZONE}/2`,
        state: "running",
        gpus: 0,
        gpu: null,
        memberOf: "Kubernetes cluster c-1",
      }),
      expect.objectContaining({ ref: `${ZONE}/3`, state: "stopped", gpus: null, gpu: null }),
    ]);
  });

  it("finds the types on later pages, and shows servers also where types can't be read", async () => {
    const others = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [`T-${index}`, { gpu: null }]),
    );
    cloud.types = { ...others, ...cloud.types };
    expect(await all()).toMatchObject([{ gpus: 2 }]);
    cloud.instead = ({ path }) => (path.includes("/products/") ? FORBIDDEN : undefined);
    expect(await all()).toMatchObject([{ gpus: null, gpu: null }]);
    cloud.instead = ({ path }) => (path.includes("/products/") ? TOO_MANY : undefined);
    await expect(all()).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("shows an odd server as unknown, and drops none", async () => {
    cloud.servers.clear();
    cloud.put({
      id: "odd",
      zone: ZONE,
      state: 4,
      name: 1,
      commercial_type: [],
      tags: "x",
      creation_date: "once",
    });
    expect(await all()).toEqual([
      {
        ref: `${ZONE}/odd`,
        name: null,
        state: "unknown",
        gpu: null,
        gpus: null,
        region: ZONE,
        createdAt: null,
        hourlyCost: null,
        stoppedHourlyCost: null,
        memberOf: null,
      },
    ]);
  });

  it.each(["{}", '{"servers":[{"name":"without an id"}]}', "<html>Sign in to the Wi-Fi</html>"])(
    "that is %s is not taken for an empty zone",
    async (body) => {
      cloud.instead = () => ({ status: 200, body });
      await expect(list()).rejects.toMatchObject({ code: "unavailable" });
    },
  );

  it.each(["x", "fr-par-2", "fr-par-2/0", "mars-1/1"])("knows no page %s", async (after) => {
    await expect(list(after)).rejects.toMatchObject({ code: "refused" });
    expect(http.calls).toEqual([]);
  });
});
