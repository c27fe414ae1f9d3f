import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import type { LiveMessage } from "../../src/fleet/live/messages.ts";
import { CuttableProxy } from "../outside/proxy.ts";
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

/** A connection through the proxy. `since`: resumes where a former one ended. */
class Viewer {
  readonly messages: LiveMessage[] = [];
  readonly socket: WebSocket;
  opened = false;
  closed = false;

  constructor(offers: { protocols?: string[]; headers?: Record<string, string> }, since?: number) {
    const query = since === undefined ? "" : `?since=${since}`;
    const address = `${proxy.url.replace("http", "ws")}/api/agent/live${query}`;
    // Node's takes headers too, which the types of a browser's do not know.
    this.socket = Reflect.construct(WebSocket, [address, offers]);
    this.socket.addEventListener("open", () => {
      this.opened = true;
    });
    this.socket.addEventListener("close", () => {
      this.closed = true;
    });
    this.socket.addEventListener("message", ({ data }) => {
      if (data === "pong") return;
      const message: LiveMessage = JSON.parse(String(data));
      this.messages.push(message);
      if (message.type === "confirm") this.socket.send('{"type":"confirmed"}');
    });
  }

  static of(user: User, since?: number): Viewer {
    return new Viewer({ protocols: ["dumont", `bearer.${user.token}`] }, since);
  }

  get fleet(): Map<string, string> {
    const fleet = new Map<string, string>();
    for (const message of this.messages) {
      if (message.type === "rows") for (const id of message.removed) fleet.delete(id);
      if (message.type !== "snapshot" && message.type !== "rows") continue;
      for (const { instance_id, status } of message.rows) fleet.set(instance_id, status);
    }
    return fleet;
  }

  get revision(): number {
    return this.messages.reduce((last, each) => ("revision" in each ? each.revision : last), 0);
  }

  async outcome(): Promise<"opened" | "refused"> {
    await expect.poll(() => this.opened || this.closed, PATIENCE).toBe(true);
    return this.opened ? "opened" : "refused";
  }
}

describe("the live connection", () => {
  it("opens for a user's token by subprotocol or header, and for pages of the same origin alone", async () => {
    const user = await world.newUser("Ada");
    const offered = Viewer.of(user);
    expect(await offered.outcome()).toBe("opened");
    expect(offered.socket.protocol).toBe("dumont");
    const authorized = { Authorization: `Bearer ${user.token}` };
    expect(await new Viewer({ headers: authorized }).outcome()).toBe("opened");
    expect(await new Viewer({ headers: { ...authorized, Origin: proxy.url } }).outcome()).toBe("opened");
    for (const origin of [world.url, "https://elsewhere.example"]) {
      const other = new Viewer({ headers: { ...authorized, Origin: origin } });
      expect(await other.outcome(), origin).toBe("refused");
    }
    expect(await new Viewer({ protocols: ["dumont", "bearer.no"] }).outcome()).toBe("refused");
    expect(await new Viewer({}).outcome()).toBe("refused");
  });

  it("brings a change within a second, and while it sleeps the client asks for nothing", async () => {
    const user = await world.newUser("Ada");
    const token = await registerInstance(world.url, user.token, {
      instance_id: "rig",
      name: "Rig",
      ...COSTS,
    });
    const viewer = Viewer.of(user);
    await expect.poll(() => viewer.fleet.get("rig"), PATIENCE).toBe("pending");
    const asked = proxy.paths.length;
    const heard = viewer.messages.length;
    // Long enough for the objects to leave memory.
    await sleep(15_000);
    expect([proxy.paths.length, viewer.messages.length]).toEqual([asked, heard]);
    await sendHeartbeat(world.url, token, { instance_id: "rig", gpu_utilization: 90 });
    const answeredAt = performance.now();
    await expect.poll(() => viewer.fleet.get("rig"), { timeout: 60_000, interval: 10 }).toBe("running");
    expect(performance.now() - answeredAt).toBeLessThan(1000);
    expect(proxy.paths.length).toBe(asked);
  });

  it("resumes after a loss, also of the whole server, and loses nothing", async () => {
    const [user, other] = [await world.newUser("Ada"), await world.newUser("Bob")];
    for (const id of ["stays", "goes"]) {
      await registerInstance(world.url, user.token, { instance_id: id, name: id, ...COSTS });
    }
    const first = Viewer.of(user);
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
    const second = Viewer.of(user, first.revision);
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
