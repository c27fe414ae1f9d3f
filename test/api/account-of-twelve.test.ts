import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { passAlarms } from "../fleet/fleets.ts";
import { call, DAY, Instance, newUser, setClock } from "../world.ts";

/** A user connects an account in which more runs than the user watches: from the key to the last machine watched. */

const MINUTE = 60_000;

const KEY = { api_key: "rpa_0123456789" };

/** How it is, and the cluster that one belongs to. `cost`: while it runs. */
interface Pod {
  readonly status: string;
  readonly cluster?: string;
  readonly cost?: number;
}

/** The account's pods. */
let pods: Map<string, Pod>;
/** What was ordered there. */
let ordered: string[];

const podOf = (id: string, { status, cluster, cost }: Pod, place: number) => ({
  id,
  name: `rig ${id}`,
  status,
  actions: status === "RUNNING" ? ["stop", "restart", "terminate"] : ["start", "terminate"],
  gpu: { id: "NVIDIA GeForce RTX 4090", count: 1 },
  cost: status === "RUNNING" ? (cost ?? (place + 1) / 4) : 0,
  ...(cluster === undefined ? {} : { cluster: { id: cluster } }),
});

beforeEach(() => {
  setClock(DAY);
  const ids = Array.from({ length: 12 }, (_, index) => `pod${index + 1}`);
  pods = new Map(ids.map((id) => [id, { status: "RUNNING" }]));
  pods.set("pod4", { status: "EXITED" });
  pods.set("pod5", { status: "EXITED" });
  pods.set("pod6", { status: "RUNNING", cluster: "cluster-1" });
  ordered = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { host, pathname } = new URL(String(input));
    if (host !== "api.runpod.io") throw new Error(host);
    const all = [...pods].map(([id, pod], place) => podOf(id, pod, place));
    if (init?.method !== undefined && init.method !== "GET") ordered.push(`${init.method} ${pathname}`);
    const id = pathname.split("/v2/pods/")[1];
    if (id === undefined) return Response.json({ pods: all });
    const found = all.find((pod) => pod.id === id);
    return Response.json(found ?? { title: "Not Found", status: 404, detail: "no such pod" }, {
      status: found === undefined ? 404 : 200,
    });
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("an account of twelve machines, of which three are watched, two stopped and one a cluster's", () => {
  it("is told of in one alert within one sync, adopted by one call, and shows what is stopped by hand", async () => {
    const user = await newUser();
    const { token } = user;
    const fleet = fleetOf(env, user.userId);
    const get = async (path: string) => (await call("GET", `/api/agent${path}`, { token })).body;
    const connected = await call("PUT", "/api/agent/providers/runpod?verify=false", { token, json: KEY });
    expect(connected.status).toBe(200);
    const policy = { orphan: { snapshot_before_delete: false } };
    const watched: Instance[] = [];
    for (const id of ["pod1", "pod2", "pod3"]) {
      watched.push(await Instance.register(user, id, { provider: "runpod", policy }));
    }

    // A registration tries with an action that there is not whether the key may order.
    ordered = [];
    await call("POST", "/api/agent/connections/runpod/sync", { token });
    const told = async () =>
      (await get("/events")).events.filter(({ kind }: { kind: string }) => kind === "unwatched_machines");
    const [alert, ...more] = await told();
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      severity: "warning",
      detail: { connection: "runpod", machines: 6, hourly_cost: 14.25, unpriced: 0 },
    });
    expect(alert.message).toContain("6 machines at RunPod run, watched by nobody: $14.25 an hour in all");
    const prices = { pod7: 1.75, pod8: 2, pod9: 2.25, pod10: 2.5, pod11: 2.75, pod12: 3 };
    for (const [id, dollars] of Object.entries(prices)) {
      expect(alert.message).toMatch(new RegExp(`rig ${id} \\([^)]*\\$${dollars.toFixed(2)} an hour`));
    }

    const adopted = await call("POST", "/api/agent/inventory/adopt", { token, json: { all: true } });
    expect(adopted.body).toMatchObject({ refused: [], is_more: false });
    const ids = adopted.body.adopted.map(({ instance_id }: { instance_id: string }) => instance_id);
    expect(ids.toSorted()).toEqual(Object.keys(prices).toSorted());
    expect(await get("/instances/pod7")).toMatchObject({
      name: "rig pod7",
      provider: "runpod",
      hourly_cost: null,
      rate: 1.75,
      rate_source: "provider",
      status: "pending",
    });

    // What its owner did not say, the list does.
    expect(await get("/instances/pod2")).toMatchObject({
      hourly_cost: null,
      rate: 0.5,
      rate_source: "provider",
    });

    // One becomes dearer, though nobody typed its price. One is stopped where it is rented; the others beat.
    pods.set("pod7", { status: "RUNNING", cost: 9 });
    const [stopped, ...others] = watched;
    for (const one of watched) await one.heartbeat();
    pods.set("pod1", { status: "EXITED" });
    for (let minute = 1; minute <= 40; minute++) {
      const now = DAY + minute * MINUTE;
      await Promise.all(others.map((one) => one.until(now)));
      await Promise.all(others.map((one) => one.heartbeat()));
      await stopped?.until(now);
      if (minute % 5 === 0) await passAlarms(fleet, now);
    }
    expect((await get("/instances/pod7")).rate).toBe(9);
    await stopped?.settled();
    expect(await stopped?.status()).toBe("hibernated");
    expect(await Promise.all(others.map((one) => one.status()))).toEqual(["running", "running"]);
    expect(ordered).toEqual([]);
    expect(await told()).toHaveLength(1);
    const unwatched = (await get("/inventory?watched=false")).machines;
    expect(unwatched.map(({ name, state }: Record<string, string>) => [name, state])).toEqual([
      ["rig pod4", "stopped"],
      ["rig pod5", "stopped"],
      ["rig pod6", "running"],
    ]);
  });
});
