import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { vast } from "../../../src/actions/providers/vast.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/** Vast.ai's instances, by https://docs.vast.ai/api-reference: state by PUT, `success: false` in a 200. */

const API_KEY = "vast-key-0123456789";
const target = { ref: "28864630", instanceId: "rig", actionId: "a-1" };

let machines: Map<string, { actual_status: string | null; intended_status: string; cur_state: string }>;
let capacity = true;
let fake: FakeHttp;

function answer({ method, path, headers, body }: Call): Reply {
  const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
  if (headers.authorization !== `Bearer ${API_KEY}`)
    return json(401, { success: false, error: "auth_error" });
  if (path === "/users/current/") return json(200, { id: 1 });
  const id = /^\/instances\/([^/]+)\/$/.exec(path)?.[1] ?? "";
  if (id === "busy") return json(429, { success: false, msg: "API requests too frequent" });
  const machine = machines.get(id);
  if (machine === undefined) {
    return method === "GET"
      ? json(200, { instances: null })
      : json(404, { success: false, error: "no_such_instance", msg: `Instance ${id} not found.` });
  }
  switch (method) {
    case "GET":
      return json(200, { instances: { id: Number(id), ...machine } });
    case "PUT": {
      const { state } = JSON.parse(body);
      if (state === "running" && !capacity) {
        return json(200, {
          success: false,
          error: "resources_unavailable",
          msg: "Required resources are unavailable",
        });
      }
      machines.set(id, { actual_status: state, intended_status: state, cur_state: state });
      return json(200, { success: true });
    }
    case "DELETE":
      machines.delete(id);
      return json(200, { success: true });
    default:
      return json(405, {});
  }
}

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  capacity = true;
  machines = new Map([
    ["28864630", { actual_status: "running", intended_status: "running", cur_state: "running" }],
  ]);
});

const provider = () => vast({ api_key: API_KEY }, fake.url);

describe("Vast.ai", () => {
  it("is told to stop and to run, and shows it", async () => {
    expect(await provider().status(target)).toBe("running");
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({
      method: "PUT",
      path: "/instances/28864630/",
      body: '{"state":"stopped"}',
    });
    expect(await provider().status(target)).toBe("stopped");
    expect(await provider().hibernate(target)).toBe("accepted");
    await provider().wake(target);
    expect(await provider().status(target)).toBe("running");
    await provider().forceHibernate(target);
    expect(await provider().status(target)).toBe("stopped");
  });

  it("deletes, and what is deleted is gone, also when it is deleted again", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(await provider().status(target)).toBe("gone");
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it.each([
    ["frozen", "running", "running", "running"],
    ["running", "stopped", "stopped", "stopping"],
    ["exited", "stopped", "stopped", "stopped"],
    [null, "running", "running", "starting"],
    ["loading", "running", "running", "starting"],
    ["offline", "running", "running", "unknown"],
    ["offline", "stopped", "stopped", "stopped"],
  ])(
    "with status %s (wanted: %s, contract: %s) is %s",
    async (actual_status, intended_status, cur_state, state) => {
      machines.set("28864630", { actual_status, intended_status, cur_state });
      expect(await provider().status(target)).toBe(state);
    },
  );

  it("without capacity, with a wrong key, and asked too often says so, each in its way", async () => {
    capacity = false;
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "no_capacity", isPassing: true });
    const stranger = vast({ api_key: "another-key-0123" }, fake.url);
    await expect(stranger.verify()).rejects.toMatchObject({ code: "unauthorised", isPassing: false });
    await expect(provider().verify()).resolves.toBeUndefined();
    await expect(provider().hibernate({ ...target, ref: "busy" })).rejects.toMatchObject({
      code: "rate_limited",
      isPassing: true,
    });
    await expect(provider().snapshot(target)).rejects.toMatchObject({
      code: "unsupported",
      isPassing: false,
    });
    await expect(vast({ api_key: API_KEY }, "http://127.0.0.1:1").status(target)).rejects.toMatchObject({
      code: "unavailable",
      isPassing: true,
    });
  });
});
