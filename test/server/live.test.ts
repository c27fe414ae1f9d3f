import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerInstance, request, sendHeartbeat } from "../../scripts/client.ts";
import { CuttableProxy } from "../outside/proxy.ts";
import { Viewer } from "./viewer.ts";
import { ServerWorld } from "./world.ts";

/** The live connection of a real server, by the WebSocket of Node. */

const PATIENCE = { timeout: 60_000 };
const COSTS = { hourly_cost: 1, hibernated_hourly_cost: 0 };

let world: ServerWorld;
let proxy: CuttableProxy;
beforeAll(async () => {
  world = await ServerWorld.create();
  proxy = await CuttableProxy.start(world.url);
});
afterAll(async () => {
  await proxy?.stop();
  await world?.end();
});

describe("the live connection", () => {
  it("opens for a user's token by subprotocol or header, and for pages of the same origin alone", async () => {
    const user = await world.newUser("Ada");
    const offered = Viewer.of(proxy.url, user);
    expect(await offered.outcome()).toBe("opened");
    expect(offered.socket.protocol).toBe("dumont");
    const authorized = { Authorization: `Bearer ${user.token}` };
    expect(await new Viewer(proxy.url, { headers: authorized }).outcome()).toBe("opened");
    expect(await new Viewer(proxy.url, { headers: { ...authorized, Origin: proxy.url } }).outcome()).toBe(
      "opened",
    );
    for (const origin of [world.url, "https://elsewhere.example"]) {
      const other = new Viewer(proxy.url, { headers: { ...authorized, Origin: origin } });
      expect(await other.outcome(), origin).toBe("refused");
    }
    expect(await new Viewer(proxy.url, { protocols: ["dumont", "bearer.no"] }).outcome()).toBe("refused");
    expect(await new Viewer(proxy.url, {}).outcome()).toBe("refused");
  });

  it("brings a change within a second, and while it sleeps the client asks for nothing", async () => {
    const user = await world.newUser("Ada");
    // A machine that is busy with other work may take longer once, not each time.
    const ids = ["rig-1", "rig-2", "rig-3", "rig-4"];
    const tokens = new Map<string, string>();
    for (const id of ids) {
      const registration = { instance_id: id, name: id, ...COSTS };
      tokens.set(id, await registerInstance(world.url, user.token, registration));
    }
    const viewer = Viewer.of(proxy.url, user);
    await expect.poll(() => viewer.fleet.get("rig-4"), PATIENCE).toBe("pending");
    const asked = proxy.paths.length;
    const took: number[] = [];
    for (const id of ids) {
      const heard = viewer.messages.length;
      // Long enough for the objects to leave memory.
      await sleep(15_000);
      expect([proxy.paths.length, viewer.messages.length]).toEqual([asked, heard]);
      await sendHeartbeat(world.url, tokens.get(id) ?? "", { instance_id: id, gpu_utilization: 90 });
      const answeredAt = performance.now();
      await expect.poll(() => viewer.fleet.get(id), { timeout: 60_000, interval: 10 }).toBe("running");
      took.push(performance.now() - answeredAt);
      if (Math.min(...took) < 1000) break;
    }
    expect(Math.min(...took)).toBeLessThan(1000);
    expect(proxy.paths.length).toBe(asked);
  });

  it("resumes after a loss, also of the whole server, and loses nothing", async () => {
    const [user, other] = [await world.newUser("Ada"), await world.newUser("Bob")];
    for (const id of ["stays", "goes"]) {
      await registerInstance(world.url, user.token, { instance_id: id, name: id, ...COSTS });
    }
    const first = Viewer.of(proxy.url, user);
    await expect.poll(() => first.fleet.size, PATIENCE).toBe(2);
    proxy.cut();
    await expect.poll(() => first.closed, PATIENCE).toBe(true);
    const token = await registerInstance(world.url, user.token, {
      instance_id: "new",
      name: "new",
      ...COSTS,
    });
    await registerInstance(world.url, other.token, { instance_id: "others", name: "others", ...COSTS });
    await request(`${world.url}/api/agent/instances/goes`, "DELETE", user.token);
    await sendHeartbeat(world.url, token, { instance_id: "new", gpu_utilization: 90 });
    // What was acknowledged outlives a power cut.
    await sleep(2000);
    await world.kill();
    await world.start();
    proxy.mend();
    const second = Viewer.of(proxy.url, user, first.revision);
    await expect.poll(() => second.fleet.get("new"), PATIENCE).toBe("running");
    expect(second.messages.filter(({ type }) => type === "snapshot")).toEqual([]);
    expect([...second.fleet.keys()]).toEqual(["new"]);
    const removed = second.messages.flatMap((each) => (each.type === "rows" ? each.removed : []));
    expect(removed).toEqual(["goes"]);
    const kinds = second.messages.flatMap((each) =>
      each.type === "events" ? each.events.map(({ kind }) => kind) : [],
    );
    expect(kinds).toContain("first_heartbeat");
  });
});
