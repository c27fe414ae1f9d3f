import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runpod } from "../../../src/actions/providers/runpod.ts";
import { type Call, FakeHttp, type Reply } from "../../outside/http.ts";

/** RunPod's pods, by https://docs.runpod.io/api-reference (REST v1). */

const API_KEY = "rpa_0123456789";
const target = { ref: "xedezhzb9la3ye", instanceId: "rig", actionId: "a-1" };

let pods: Map<string, "RUNNING" | "EXITED" | "TERMINATED">;
let capacity = true;
let fake: FakeHttp;

function answer({ method, path, headers }: Call): Reply {
  const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) });
  if (headers.authorization !== `Bearer ${API_KEY}`) return json(401, { error: "Unauthorized" });
  if (method === "GET" && path === "/pods") return json(200, []);
  const [, id = "", verb] = /^\/pods\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
  if (id === "busy") return json(429, { error: "Too Many Requests" });
  if (!pods.has(id)) return json(404, { error: "pod not found" });
  if (method === "GET") return json(200, { id, desiredStatus: pods.get(id), costPerHr: "0.74" });
  if (method === "DELETE") {
    pods.delete(id);
    return { status: 204, body: "" };
  }
  if (verb === "start" && !capacity) {
    return json(500, { error: "There are not enough free GPUs on the host machine to start this pod." });
  }
  pods.set(id, verb === "stop" ? "EXITED" : "RUNNING");
  return json(200, { id, desiredStatus: pods.get(id) });
}

beforeAll(async () => {
  fake = await FakeHttp.start(answer);
});
afterAll(() => fake.stop());
beforeEach(() => {
  capacity = true;
  pods = new Map([["xedezhzb9la3ye", "RUNNING"]]);
});

const provider = () => runpod({ api_key: API_KEY }, fake.url);

describe("RunPod", () => {
  it("is told to stop and to start, and shows it", async () => {
    expect(await provider().status(target)).toBe("running");
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.calls.at(-1)).toMatchObject({ method: "POST", path: "/pods/xedezhzb9la3ye/stop" });
    expect(await provider().status(target)).toBe("stopped");
    await provider().wake(target);
    expect(await provider().status(target)).toBe("running");
    await provider().forceHibernate(target);
    expect(await provider().status(target)).toBe("stopped");
  });

  it("deletes, and what is deleted is gone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(await provider().status(target)).toBe("gone");
    pods.set(target.ref, "TERMINATED");
    expect(await provider().status(target)).toBe("gone");
  });

  it("without capacity, with a wrong key, and asked too often says so, each in its way", async () => {
    capacity = false;
    await expect(provider().wake(target)).rejects.toMatchObject({ code: "no_capacity", isPassing: true });
    await expect(runpod({ api_key: "another-key" }, fake.url).verify()).rejects.toMatchObject({
      code: "unauthorised",
    });
    await expect(provider().verify()).resolves.toBeUndefined();
    await expect(provider().hibernate({ ...target, ref: "busy" })).rejects.toMatchObject({
      code: "rate_limited",
    });
    await expect(provider().hibernate({ ...target, ref: "other" })).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
  });
});
