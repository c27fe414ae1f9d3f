import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digitalocean } from "../../../src/providers/digitalocean/driver.ts";
import type { ListedMachine, MachinePage } from "../../../src/providers/provider.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";
import { expectNoStops, expectNothingConcluded } from "../not-understood.ts";
import {
  droplet,
  FakeDigitalOcean,
  FORBIDDEN,
  fault,
  ID,
  json,
  NOT_FOUND,
  PENDING,
  plain,
  REF,
  TOKEN,
  TOO_MANY,
  UNAUTHORIZED,
} from "./fake.ts";

const target = { ref: REF, instanceId: "rig", actionId: "a-1" };
const SNAPSHOT = `${REF}/dumont-a-1`;

let cloud: FakeDigitalOcean;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeDigitalOcean();
  cloud.put(droplet());
  http.calls.length = 0;
});

const provider = (api_token = TOKEN) => digitalocean({ api_token }, http.url);
const is = (status: string, more = {}) => cloud.put(droplet(status, more));
const orders = () => http.calls.filter(({ method }) => method !== "GET");

describe("DigitalOcean", () => {
  it("neither stops nor starts a Droplet, and is not even asked to", () =>
    expectNoStops(provider(), target, http.calls, "one that is powered off is billed as if it ran"));

  it.each([
    ["active", { state: "running", gpus: 8, obstacle: null }],
    // It is billed in full.
    ["off", { state: "running", gpus: 8, obstacle: null }],
    ["new", { state: "starting", gpus: 8, obstacle: null }],
    ["archive", { state: "unknown", because: "DigitalOcean shows it as archive" }],
    ["", { state: "unknown", because: "DigitalOcean shows it as nothing" }],
  ])("with a Droplet that is %j shows %o", async (status, sighting) => {
    is(status);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it("says how many GPUs there are, where it does", async () => {
    cloud.put(plain(ID));
    expect(await provider().status(target)).toMatchObject({ gpus: 0 });
    for (const size of [undefined, { gpu_info: {} }, { gpu_info: "eight" }]) {
      is("active", { size });
      expect(await provider().status(target)).toMatchObject({ state: "running", gpus: null });
    }
  });

  it("destroys by order; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([{ method: "DELETE", path: `/droplets/${REF}` }]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it("does not destroy the node of a cluster, which would be replaced, and takes no snapshot for that", async () => {
    const id = "ddaedf1b-7a0e-41ac-9817-11504493b242";
    is("active", { tags: ["k8s", "k8s:worker", `k8s:${id}`] });
    const obstacle = expect.stringContaining(`it is a node of the Kubernetes cluster ${id}`);
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle });
    for (const order of [provider().delete, provider().snapshot]) {
      await expect(order(target)).rejects.toMatchObject({ code: "refused", message: obstacle });
    }
    expect(orders()).toEqual([]);
  });

  it.each([undefined, null, "k8s", [7]])(
    "does not destroy one whose tags it does not say (%j): it may be the node of a cluster",
    async (tags) => {
      is("active", { tags });
      for (const order of [provider().delete, provider().snapshot]) {
        await expect(order(target)).rejects.toMatchObject({ code: "unavailable" });
      }
      expect(orders()).toEqual([]);
    },
  );

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["another service's JSON", json(404, { error: "not_found" })],
    ["another error of its own", fault(404, "gone", "The resource you requested could not be found.")],
    ["its own words with another status", { ...NOT_FOUND, status: 410 }],
    ["its own words behind a 200", { ...NOT_FOUND, status: 200 }],
    ["a redirect", { status: 301, body: "", headers: { Location: "/login" } }],
    ["a page in place of a Droplet", { status: 200, body: "<html>Sign in</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    ["a Droplet without a status", json(200, { droplet: { id: ID } })],
    ["another Droplet", json(200, { droplet: droplet("off", { id: 7 }) })],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply: Reply) => {
    cloud.instead = () => reply;
    await expectNothingConcluded(provider(), target, [provider().snapshot]);
  });

  it.each([200, 201, 202, 301])("that answers a deletion with %d has not accepted it", async (status) => {
    cloud.instead = ({ method }) => (method === "DELETE" ? { status, body: "{}" } : undefined);
    await expect(provider().delete(target)).rejects.toMatchObject({
      code: expect.stringMatching("unavailable|refused"),
    });
  });

  it.each([
    ["with a bad token", UNAUTHORIZED, "unauthorised", "credentials"],
    ["with a token that may not do this", FORBIDDEN, "unauthorised", "call"],
    ["asked too often", TOO_MANY, "rate_limited", null],
    ["in trouble", fault(500, "server_error", "Unexpected server-side error"), "unavailable", null],
    ["with another action under way", PENDING, "unavailable", null],
    ["that can't", fault(422, "unprocessable_entity", "Not for this Droplet."), "refused", null],
  ])("%s says so", async (_, reply: Reply, code, denied) => {
    cloud.instead = ({ method }) => (method === "DELETE" ? reply : undefined);
    const retryAfterSeconds = reply === TOO_MANY ? 23 : null;
    await expect(provider().delete(target)).rejects.toMatchObject({ code, denied, retryAfterSeconds });
  });

  it("is tried by looking, on the Droplet where there is one", async () => {
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      await expect(provider("dop_v1_another").verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
    expect(orders()).toEqual([]);
    cloud.instead = () => ({ status: 200, body: "{}" });
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("DigitalOcean's snapshot", () => {
  it("is begun once, pending while its action is under way, and ready when it is listed", async () => {
    expect(await provider().snapshot(target)).toEqual({ snapshotId: SNAPSHOT, done: false });
    expect(orders()).toMatchObject([
      {
        method: "POST",
        path: `/droplets/${REF}/actions`,
        body: JSON.stringify({ type: "snapshot", name: "dumont-a-1" }),
      },
    ]);
    expect(await provider().snapshot(target)).toEqual({ snapshotId: SNAPSHOT, done: false });
    expect(await provider().snapshotState(SNAPSHOT)).toBe("pending");
    cloud.finish("completed");
    expect(await provider().snapshotState(SNAPSHOT)).toBe("ready");
    expect(await provider().snapshot(target)).toEqual({ snapshotId: SNAPSHOT, done: true });
    expect(orders()).toHaveLength(1);
  });

  it("that is done, but not listed yet, is awaited for some minutes", async () => {
    await provider().snapshot(target);
    cloud.finish("completed", { isListed: false });
    expect(await provider().snapshotState(SNAPSHOT)).toBe("pending");
    const [action] = cloud.actions;
    if (action !== undefined) action.completed_at = new Date(Date.now() - 11 * 60_000).toISOString();
    expect(await provider().snapshotState(SNAPSHOT)).toBe("failed");
  });

  it("that failed is not taken for one, and neither is somebody else's", async () => {
    await provider().snapshot(target);
    cloud.finish("errored");
    expect(await provider().snapshotState(SNAPSHOT)).toBe("failed");
    cloud.begin("snapshot", "by-hand");
    expect(await provider().snapshot(target)).toEqual({ snapshotId: SNAPSHOT, done: false });
    cloud.finish("completed", { at: Date.now() - 3_600_000 });
    expect(await provider().snapshotState(SNAPSHOT)).toBe("failed");
    expect(orders()).toHaveLength(1);
  });

  it("waits for another action on the Droplet", async () => {
    cloud.begin("resize");
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
  });

  it.each([
    "{}",
    "",
    '{"action":{"type":"resize","status":"in-progress"}}',
    '{"action":{"type":"snapshot","status":"errored"}}',
  ])("that is answered with %j is not begun", async (body) => {
    cloud.instead = ({ method }) => (method === "POST" ? { status: 201, body } : undefined);
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is none under any other name", async () => {
    for (const id of ["", REF, `${REF}/`, `${REF}/by-hand`, `../${REF}/dumont-a`, `${REF}/dumont-a/../b`]) {
      expect(await provider().snapshotState(id)).toBe("failed");
    }
    expect(http.calls).toEqual([]);
  });
});

describe("DigitalOcean's list", () => {
  const all = async (): Promise<ListedMachine[]> => {
    const machines: ListedMachine[] = [];
    let after: string | null = null;
    do {
      const page: MachinePage | undefined = await provider().list?.(after);
      machines.push(...(page?.machines ?? []));
      after = page?.next ?? null;
    } while (after !== null);
    return machines;
  };

  it("has Droplets with and without GPUs, page by page, with what they cost", async () => {
    cloud.pageSize = 2;
    cloud.put(...[2, 3, 4].map((id) => plain(id)), droplet("off", { id: 5 }), droplet("new", { id: 6 }));
    const machines = await all();
    expect(machines.map(({ ref }) => ref)).toEqual([REF, "5", "6", "2", "3", "4"]);
    expect(machines[0]).toEqual({
      ref: REF,
      name: "trainer",
      state: "running",
      gpu: "nvidia_h100",
      gpus: 8,
      region: "nyc2",
      createdAt: Date.UTC(2026, 9, 1, 2, 3, 4),
      hourlyCost: 23.92,
      stoppedHourlyCost: null,
      memberOf: null,
    });
    // What is off is billed, too.
    expect(machines[1]).toMatchObject({ state: "running", hourlyCost: 23.92 });
    expect(machines[3]).toMatchObject({ gpu: null, gpus: 0, hourlyCost: 0.00893 });
  });

  it("marks the nodes of clusters", async () => {
    cloud.put(plain(7, { tags: ["k8s", "k8s:worker"] }));
    expect((await all()).find(({ ref }) => ref === "7")?.memberOf).toBe("Kubernetes cluster");
  });

  it("shows an odd Droplet as unknown, and drops none", async () => {
    cloud.instead = () => json(200, { droplets: [{ id: 8, status: 7, size: 4 }, { id: 9 }] });
    expect((await provider().list?.(null))?.machines).toMatchObject([
      { ref: "8", state: "unknown", hourlyCost: null },
      { ref: "9", state: "unknown" },
    ]);
  });

  it("begins at no page that there is not", async () => {
    for (const after of ["gpus/0", "gpus/x", "volumes/1", "../1", "https://evil.example/x/1"]) {
      await expect(provider().list?.(after)).rejects.toMatchObject({ code: "refused" });
    }
    expect(http.calls).toEqual([]);
  });

  it.each(["{}", '{"droplets":{}}', '{"droplets":[{"name":"without an id"}]}', "<html>Sign in</html>"])(
    "that is %s is not taken for an empty account",
    async (body) => {
      cloud.instead = () => ({ status: 200, body });
      await expect(provider().list?.(null)).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
