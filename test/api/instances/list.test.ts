import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("the list", () => {
  it("comes page by page, in order, each instance once", async () => {
    const user = await newUser();
    const ids = Array.from({ length: 7 }, (_, index) => `rig-${index}`);
    await Promise.all(ids.map((id) => Instance.register(user, id)));
    const seen: string[] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { body } = await call("GET", `/api/agent/instances?limit=3${cursor}`, { token: user.token });
      seen.push(...body.instances.map((each: { instance_id: string }) => each.instance_id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
      pages += 1;
    } while (cursor !== "");
    expect(seen).toEqual(ids);
    expect(pages).toBe(3);
  });

  it("answers who has it already with 304, however much time has passed, until something happens", async () => {
    const one = await Instance.register(await newUser(), "rig");
    await one.heartbeat({ gpu_utilization: 90 });
    const list = (headers: Record<string, string> = {}) =>
      call("GET", "/api/agent/instances", { token: one.userToken, headers });
    const first = await list();
    const tag = first.headers.get("ETag") ?? "";
    expect(first.body).toMatchObject({
      server_time: "2030-01-07T00:00:00Z",
      instances: [{ gpu_trend: [90] }],
    });

    setClock(DAY + MINUTE / 2);
    const unchanged = await list({ "If-None-Match": `"other", ${tag}` });
    expect([unchanged.status, unchanged.body, unchanged.headers.get("ETag")]).toEqual([304, "", tag]);
    const { body } = await list({ "If-None-Match": '"other"' });
    expect(body.instances[0].seconds_since_heartbeat).toBe(30);

    await one.heartbeat({ gpu_utilization: 80 });
    const changed = await list({ "If-None-Match": tag });
    expect(changed.status).toBe(200);
    expect(changed.body.instances[0].gpu_trend).toEqual([90, 80]);
  });

  it("is filtered by status and health, and refuses what is neither", async () => {
    const user = await newUser();
    const [busy, idle] = [await Instance.register(user, "busy"), await Instance.register(user, "idle")];
    await Instance.register(user, "pending");
    for (let minute = 0; minute <= 3; minute++) {
      setClock(DAY + minute * MINUTE);
      await busy.heartbeat({ gpu_utilization: 90 });
      await idle.heartbeat({ gpu_utilization: 1 });
    }
    const ask = async (query: string) => {
      const { body } = await call("GET", `/api/agent/instances?${query}`, { token: user.token });
      return body.instances.map((each: { instance_id: string }) => each.instance_id);
    };
    expect(await ask("status=running")).toEqual(["busy", "idle"]);
    expect(await ask("health=idle")).toEqual(["idle"]);
    expect(await ask("status=running&health=healthy")).toEqual(["busy"]);
    expect(await ask("status=pending")).toEqual(["pending"]);
    for (const query of ["status=gone", "health=", "limit=0", "limit=1001", "limit=x", "cursor=*"]) {
      const reply = await call("GET", `/api/agent/instances?${query}`, { token: user.token });
      expect([query, reply.status]).toEqual([query, 400]);
    }
  });

  it("asks no instance for summaries, and says as of when each is", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { name: "Rig" });
    await one.heartbeat({ gpu_utilization: 90 });
    await one.settled();
    setClock(DAY + MINUTE);
    await one.heartbeat({ gpu_utilization: 80 });
    await one.settled();
    const ask = (query: string) => call("GET", `/api/agent/instances?${query}`, { token: user.token });
    const [summary, full] = [await ask("view=summary"), await ask("view=full")];
    expect(summary.body).toMatchObject({
      server_time: "2030-01-07T00:01:00Z",
      next_cursor: null,
      guard: { state: "open", service_wide: "open" },
      instances: [
        // A steady heartbeat is not reported.
        { instance_id: "rig", status: "running", gpu_utilization: 90, as_of: "2030-01-07T00:00:00Z" },
      ],
    });
    expect(full.body.instances).toMatchObject([{ instance_id: "rig", gpu_utilization: 80 }]);
    expect(full.body.instances[0]).not.toHaveProperty("as_of");
    await runInDurableObject(one.actor, (actor) => {
      vi.spyOn(actor, "live").mockImplementation(() => {
        throw new Error("asked");
      });
    });
    expect((await ask("view=summary")).status).toBe(200);
  });

  it.each(["summary", "full"])("finds by provider, text, status and ids, in the %s view", async (view) => {
    const user = await newUser();
    await Promise.all([
      Instance.register(user, "a-1", { name: "Training", provider: "none" }),
      Instance.register(user, "a-2", { name: "Rendering", provider_ref: "Machine-7" }),
      Instance.register(user, "b-1", { name: "100% train_ing" }),
    ]).then((instances) => Promise.all(instances.map((one) => one.settled())));
    const ask = async (query: string) => {
      const { body } = await call("GET", `/api/agent/instances?view=${view}&${query}`, { token: user.token });
      return body.instances.map((each: { instance_id: string }) => each.instance_id);
    };
    expect(await ask("provider=none")).toEqual(["a-1"]);
    expect(await ask("text=TRAIN")).toEqual(["a-1", "b-1"]);
    expect(await ask("text=machine-7")).toEqual(["a-2"]);
    expect(await ask("text=%25")).toEqual(["b-1"]);
    expect(await ask("text=a-&provider=agent")).toEqual(["a-2"]);
    expect(await ask("ids=b-1,a-2,unknown")).toEqual(["a-2", "b-1"]);
    expect(await ask("ids=b-1,a-1&provider=none")).toEqual(["a-1"]);
    expect(await ask("status=pending&limit=2")).toEqual(["a-1", "a-2"]);
    expect(await ask("health=inactive")).toEqual(["a-1", "a-2", "b-1"]);
    expect(await ask("status=running")).toEqual([]);
  });

  it("finds in the full view what only time has made late", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat({ gpu_utilization: 90 });
    await one.settled();
    setClock(DAY + 3 * MINUTE);
    const ask = async (query: string) =>
      (await call("GET", `/api/agent/instances?${query}`, { token: user.token })).body.instances.length;
    expect([await ask("health=late"), await ask("health=healthy")]).toEqual([1, 0]);
  });

  it("refuses what is no view, no provider and no id", async () => {
    const { token } = await newUser();
    const many = Array.from({ length: 101 }, (_, index) => `rig-${index}`).join();
    for (const query of [
      "view=short",
      "provider=acme",
      "text=",
      "ids=",
      "ids=a,,b",
      "ids=a/b",
      `ids=${many}`,
    ]) {
      const reply = await call("GET", `/api/agent/instances?${query}`, { token });
      expect([query.slice(0, 20), reply.status]).toEqual([query.slice(0, 20), 400]);
    }
  });
});
