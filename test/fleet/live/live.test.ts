import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CLOSE_CODES, type LiveMessage } from "../../../src/fleet/live/messages.ts";
import { InstanceActor } from "../../../src/instance/actor.ts";
import { ADMIN_TOKEN, call, DAY, eventually, Instance, newUser, setClock } from "../../world.ts";
import { reportOf } from "../fleets.ts";

const ORIGIN = "https://dumont.test";
const MINUTE = 60_000;
const PAGE = { Origin: ORIGIN, "Content-Type": "application/json" };

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

type User = Awaited<ReturnType<typeof newUser>>;

async function upgrade(headers: Record<string, string>, query = ""): Promise<Response> {
  return exports.default.fetch(`${ORIGIN}/api/agent/live${query}`, {
    headers: { Upgrade: "websocket", ...headers },
  });
}

/** A live connection, and all that came over it. */
class Viewer {
  readonly messages: LiveMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  onClose = () => {};
  readonly #socket: WebSocket;
  readonly #confirms: boolean;

  private constructor(socket: WebSocket, confirms: boolean) {
    this.#socket = socket;
    this.#confirms = confirms;
    socket.addEventListener("message", ({ data }) => {
      const message: LiveMessage = JSON.parse(String(data));
      this.messages.push(message);
      if (message.type === "confirm" && this.#confirms) this.send('{"type":"confirmed"}');
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.onClose();
    });
    socket.accept();
  }

  static async open(user: Pick<User, "token">, query = "", confirms = true): Promise<Viewer> {
    return Viewer.openBy({ Authorization: `Bearer ${user.token}` }, query, confirms);
  }

  static async openBy(headers: Record<string, string>, query = "", confirms = true): Promise<Viewer> {
    const { status, webSocket } = await upgrade(headers, query);
    if (webSocket === null) throw new Error(`refused: ${status}`);
    return new Viewer(webSocket, confirms);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(): void {
    this.#socket.close();
  }

  of<T extends LiveMessage["type"]>(type: T): Extract<LiveMessage, { type: T }>[] {
    return this.messages.filter((each): each is Extract<LiveMessage, { type: T }> => each.type === type);
  }

  /** Ids of the rows that came, in the order of their messages. */
  get ids(): string[] {
    return this.messages.flatMap((each) =>
      each.type === "snapshot" || each.type === "rows" ? each.rows.map((row) => row.instance_id) : [],
    );
  }

  /** The fleet as this viewer has it now. */
  get fleet(): Map<string, string> {
    const fleet = new Map<string, string>();
    for (const message of this.messages) {
      if (message.type === "rows") for (const id of message.removed) fleet.delete(id);
      if (message.type === "snapshot" || message.type === "rows") {
        for (const row of message.rows) fleet.set(row.instance_id, row.status);
      }
    }
    return fleet;
  }

  get eventKinds(): string[] {
    return this.of("events").flatMap(({ events }) => events.map(({ kind }) => kind));
  }

  get revision(): number {
    return this.of("rows").at(-1)?.revision ?? this.of("snapshot").at(-1)?.revision ?? 0;
  }
}

const fleetOf = (user: User) => env.FLEETS.getByName(user.userId);

/** Time enough for a push that would come. */
const quiet = () => new Promise((wake) => setTimeout(wake, 700));

/** Puts rows into the registry, as many as a large fleet has. */
async function fill(user: User, count: number): Promise<void> {
  const one = await Instance.register(user, "model");
  await one.settled();
  await runInDurableObject(fleetOf(user), (_, { storage }) => {
    const { instance_id, view, ...row } = storage.sql.exec("SELECT * FROM instances").one();
    const columns = ["instance_id", "view", ...Object.keys(row)];
    for (let index = 0; index < count; index++) {
      const id = `rig-${String(index).padStart(5, "0")}`;
      storage.sql.exec(
        `INSERT INTO instances (${columns.join()}) VALUES (${columns.map(() => "?").join()})`,
        id,
        String(view).replace(String(instance_id), id),
        ...Object.values(row),
      );
    }
  });
}

describe("a live connection", () => {
  it("takes the token as a subprotocol or a header, and accepts no subprotocol but its own", async () => {
    const user = await newUser();
    const offered = await upgrade({ "Sec-WebSocket-Protocol": `dumont, bearer.${user.token}` });
    expect([offered.status, offered.headers.get("Sec-WebSocket-Protocol")]).toEqual([101, "dumont"]);
    const byHeader = await upgrade({ Authorization: `Bearer ${user.token}` });
    expect([byHeader.status, byHeader.headers.get("Sec-WebSocket-Protocol")]).toEqual([101, null]);
    for (const { webSocket } of [offered, byHeader]) webSocket?.accept();
  });

  it("is refused without a user's token, to pages of another origin, and to what is no WebSocket", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
    expect((await upgrade({})).status).toBe(401);
    expect((await upgrade({ "Sec-WebSocket-Protocol": "dumont, bearer.nonsense" })).status).toBe(401);
    expect((await upgrade({}, `?token=${user.token}`)).status).toBe(401);
    expect((await upgrade(bearer(one.token))).status).toBe(403);
    expect((await upgrade(bearer(ADMIN_TOKEN))).status).toBe(403);
    for (const origin of [
      "https://elsewhere.test",
      "https://dumont.test:8443",
      "http://dumont.test",
      "null",
    ]) {
      expect((await upgrade({ ...bearer(user.token), Origin: origin })).status).toBe(403);
    }
    const same = await upgrade({ ...bearer(user.token), Origin: ORIGIN });
    expect(same.status).toBe(101);
    same.webSocket?.accept();
    expect((await call("GET", "/api/agent/live", { token: user.token })).status).toBe(400);
    expect((await upgrade(bearer(user.token), "?since=-1")).status).toBe(400);
  });

  it("brings the fleet, then each change and event once and in order, and nothing while nothing happens", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { name: "Rig" });
    await one.settled();
    const viewer = await Viewer.open(user);
    await eventually(() => expect(viewer.messages).toHaveLength(1));
    expect(viewer.messages[0]).toMatchObject({
      type: "snapshot",
      is_last: true,
      rows: [{ instance_id: "rig", name: "Rig", status: "pending", as_of: "2030-01-07T00:00:00Z" }],
      guard: { state: "open", service_wide: "open" },
    });

    await one.heartbeat();
    await eventually(() => expect(viewer.fleet.get("rig")).toBe("running"));
    expect(viewer.eventKinds).toContain("first_heartbeat");
    // Events come before the rows that conclude them.
    expect(viewer.messages.slice(1).map(({ type }) => type)).toEqual(["events", "rows"]);

    setClock(DAY + MINUTE);
    await one.heartbeat();
    await one.settled();
    await quiet();
    expect(viewer.messages).toHaveLength(3);

    await Instance.register(user, "other");
    await eventually(() => expect(viewer.fleet.get("other")).toBe("pending"));
    await one.ask("DELETE");
    await eventually(() => expect([...viewer.fleet.keys()]).toEqual(["other"]));
    const revisions = viewer.of("rows").map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  });

  it("words rows and events for each reader, whoever watches beside them, also after the fleet left memory", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { name: "Rig" });
    await one.heartbeat({ gpu_utilization: 97 });
    await one.settled();
    const viewers = [
      await Viewer.open(user),
      await Viewer.open(user, "?language=pt-BR&time_zone=America/Sao_Paulo"),
      await Viewer.open(user, "?language=pt-BR&time_zone=Mars/Olympus"),
    ];
    await eventually(() => expect(viewers.map(({ fleet }) => fleet.size)).toEqual([1, 1, 1]));
    await evictDurableObject(fleetOf(user));
    await one.until(DAY + 20 * MINUTE);
    await one.settled();
    const last = (viewer: Viewer) => viewer.of("rows").at(-1)?.rows.at(-1)?.lifecycle.because;
    await eventually(() =>
      expect(viewers.map(last)).toEqual([
        "No heartbeat since 2030-01-07T00:00:00Z, orphaned since 2030-01-07T00:05:00Z",
        "Nenhum heartbeat desde 06/01/2030, 21:00:00 UTC-03:00, órfã desde 06/01/2030, 21:05:00 UTC-03:00",
        "Nenhum heartbeat desde 07/01/2030, 00:00:00 UTC, órfã desde 07/01/2030, 00:05:00 UTC",
      ]),
    );
    expect(viewers.map((viewer) => viewer.of("snapshot")[0]?.rows[0]?.lifecycle.because)).toEqual([
      "Heartbeats arrive; GPU at 97%",
      "Chegam heartbeats; GPU em 97%",
      "Chegam heartbeats; GPU em 97%",
    ]);
    const messages = viewers.map((viewer) =>
      viewer.of("events").flatMap(({ events }) => events.map(({ message }) => message)),
    );
    expect(new Set(messages.map((each) => each.join())).size).toBeGreaterThan(1);
  });

  it("brings a change of tags alone, to its owner alone", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const one = await Instance.register(ada, "rig", { tags: { team: "vision" } });
    await one.settled();
    const [adas, bobs] = [await Viewer.open(ada), await Viewer.open(bob)];
    await eventually(() => expect(adas.messages).toHaveLength(1));
    expect(adas.messages[0]).toMatchObject({ rows: [{ tags: { team: "vision" } }] });
    await one.ask("PATCH", "", { tags: { team: "speech" } });
    await eventually(() =>
      expect(adas.of("rows").at(-1)).toMatchObject({
        rows: [{ instance_id: "rig", tags: { team: "speech" } }],
      }),
    );
    await quiet();
    expect(bobs.ids).toEqual([]);
  });

  it("sends together what comes together, and not within the report", async () => {
    const user = await newUser();
    const viewer = await Viewer.open(user);
    await eventually(() => expect(viewer.messages).toHaveLength(1));
    const ids = Array.from({ length: 20 }, (_, index) => `rig-${index}`);
    const startedAt = performance.now();
    await Promise.all(ids.map((id) => Instance.register(user, id)));
    await eventually(() => expect(viewer.fleet.size).toBe(20));
    // One message in 250 ms, however long it takes to register them all.
    expect(viewer.of("rows").length).toBeLessThan(2 + (performance.now() - startedAt) / 250);
  });

  it("never brings what happens in another user's fleet", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const [adas, bobs] = [await Viewer.open(ada), await Viewer.open(bob)];
    await Instance.register(ada, "rig");
    await eventually(() => expect(adas.ids).toEqual(["rig"]));
    await quiet();
    expect(bobs.ids).toEqual([]);
    expect(bobs.of("events")).toEqual([]);
  });

  it("brings a large fleet page by page, as fast as the client confirms", async () => {
    const user = await newUser();
    await fill(user, 4000);
    const viewer = await Viewer.open(user, "", false);
    await eventually(() => expect(viewer.of("confirm")).toHaveLength(1));
    await quiet();
    const before = viewer.of("snapshot").length;
    expect(before).toBeLessThan(21);
    // What changes meanwhile comes after the snapshot, not in between.
    const one = await Instance.register(user, "new");
    await one.settled();
    await quiet();
    expect(viewer.of("snapshot")).toHaveLength(before);
    viewer.send('{"type":"confirmed"}');
    await eventually(() => expect(viewer.of("snapshot").length).toBeGreaterThan(before));
    for (let asked = 1; !(viewer.of("snapshot").at(-1)?.is_last ?? false); asked++) {
      await eventually(() => {
        const done = viewer.of("snapshot").at(-1)?.is_last ?? false;
        expect(done || viewer.of("confirm").length > asked).toBe(true);
      });
      viewer.send('{"type":"confirmed"}');
    }
    expect(Math.max(...viewer.of("snapshot").map(({ rows }) => rows.length))).toBe(200);
    await eventually(() => expect(viewer.fleet.size).toBe(4002));
    expect(viewer.fleet.has("new")).toBe(true);
  });

  it("closes a client that does not confirm in time, or sends something else", async () => {
    const user = await newUser();
    await fill(user, 4000);
    const slow = await Viewer.open(user, "", false);
    await eventually(() => expect(slow.of("confirm")).toHaveLength(1));
    setClock(DAY + MINUTE);
    await Instance.register(user, "new");
    await eventually(() => expect(slow.closed?.code).toBe(CLOSE_CODES.tooSlow));

    const other = await newUser();
    const ids = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, index) => `rig-${index}`));
    for (const text of [
      "hello",
      '{"type":"rows"}',
      '{"type":"sight"}',
      '{"type":"sight","instance_ids":[1]}',
      `{"type":"sight","instance_ids":["${"x".repeat(201)}"]}`,
      `{"type":"sight","instance_ids":${ids(101)}}`,
    ]) {
      const viewer = await Viewer.open(other);
      viewer.send(text);
      await eventually(() => expect(viewer.closed?.code).toBe(CLOSE_CODES.notUnderstood));
    }
  });
});

describe("what a client sees", () => {
  const sight = (...instance_ids: string[]) => JSON.stringify({ type: "sight", instance_ids });
  const gpuOf = (viewer: Viewer) =>
    viewer
      .of("readings")
      .flatMap(({ rows }) => rows.map((row) => `${row.instance_id} ${row.gpu_utilization}`));

  it("is told at once, and then at each heartbeat, until it says otherwise or says nothing for minutes", async () => {
    const user = await newUser();
    const [one, other] = [await Instance.register(user, "rig"), await Instance.register(user, "other")];
    await one.heartbeat({ gpu_utilization: 50 });
    await Promise.all([one.settled(), other.settled()]);
    const [viewer, blind] = [await Viewer.open(user), await Viewer.open(user)];
    await eventually(() => expect(viewer.of("snapshot")).toMatchObject([{ takes_sight: true }]));
    viewer.send(sight("rig", "nobody"));
    await eventually(() => expect(gpuOf(viewer)).toEqual(["rig 50"]));
    setClock(DAY + MINUTE);
    // Between two heartbeats both leave memory.
    await evictDurableObject(one.actor);
    await evictDurableObject(fleetOf(user));
    await one.heartbeat({ gpu_utilization: 70 });
    await eventually(() => expect(gpuOf(viewer)).toEqual(["rig 50", "rig 70"]));
    expect(viewer.of("readings").at(-1)).toMatchObject({
      rows: [{ last_heartbeat: "2030-01-07T00:01:00Z", as_of: "2030-01-07T00:01:00Z", control: {} }],
    });

    setClock(DAY + 4 * MINUTE);
    await one.heartbeat({ gpu_utilization: 80 });
    viewer.send(sight("rig"));
    await eventually(() => expect(gpuOf(viewer)).toEqual(["rig 50", "rig 70", "rig 80"]));
    viewer.send(sight());
    await quiet();
    await one.heartbeat({ gpu_utilization: 90 });
    await quiet();
    expect(gpuOf(viewer)).toEqual(["rig 50", "rig 70", "rig 80"]);
    expect(gpuOf(blind)).toEqual([]);
  });

  it("is never an instance of another user, and no more than one look in a second", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const one = await Instance.register(ada, "rig");
    await one.heartbeat();
    await one.settled();
    const viewer = await Viewer.open(bob);
    viewer.send(sight("rig", `../${ada.userId}/rig`));
    await Instance.register(bob, "own");
    await eventually(() => expect(viewer.fleet.has("own")).toBe(true));
    for (let time = 0; time < 20; time++) viewer.send(sight("own"));
    await quiet();
    await one.heartbeat({ gpu_utilization: 70 });
    await quiet();
    const read = viewer.of("readings").flatMap(({ rows }) => rows.map((row) => row.instance_id));
    expect(new Set(read)).toEqual(new Set(["own"]));
    expect(read.length).toBeLessThanOrEqual(3);
  });

  it("is told at once also while the instance runs a former release", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat({ gpu_utilization: 50 });
    await one.settled();
    const look = vi.spyOn(InstanceActor.prototype, "look").mockImplementation(() => {
      throw new TypeError('The RPC receiver does not implement the method "look".');
    });
    const viewer = await Viewer.open(user);
    viewer.send(sight("rig"));
    await eventually(() => expect(gpuOf(viewer)).toEqual(["rig 50"]));
    look.mockRestore();
  });

  it("waits for nobody else's token to be looked up, though D1 does not answer", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat({ gpu_utilization: 50 });
    await one.settled();
    // The platform names the connection that came last first: this one must come after those whose token is due.
    setClock(DAY + 2 * MINUTE);
    const fresh = await Viewer.open(user);
    setClock(DAY);
    const due = [await Viewer.open(user), await Viewer.open(user)];
    setClock(DAY + 9 * MINUTE);
    for (const viewer of [...due, fresh]) viewer.send(sight("rig"));
    await eventually(() => expect([...due, fresh].map(gpuOf)).toEqual([["rig 50"], ["rig 50"], ["rig 50"]]));
    setClock(DAY + 11 * MINUTE);
    const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    const first = vi
      .spyOn(statement, "first")
      .mockImplementation(
        () => new Promise((_, reject) => setTimeout(() => reject(new Error("too late")), 3_000)),
      );
    const toldBefore: string[][] = [];
    for (const each of due) each.onClose = () => toldBefore.push(gpuOf(fresh));
    try {
      await one.heartbeat({ gpu_utilization: 70 });
      for (const each of due) await eventually(() => expect(each.closed?.code).toBe(CLOSE_CODES.tryAgain));
      expect(toldBefore).toEqual(due.map(() => ["rig 50", "rig 70"]));
      expect(first).toHaveBeenCalledTimes(1);
    } finally {
      first.mockRestore();
    }
  });

  it("is told to nobody whose token is revoked meanwhile", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.heartbeat();
    await one.settled();
    const viewer = await Viewer.open(user);
    viewer.send(sight("rig"));
    await eventually(() => expect(viewer.of("readings")).toHaveLength(1));
    await env.DB.prepare("UPDATE user_tokens SET revoked_at = 1 WHERE user_id = ?").bind(user.userId).run();
    setClock(DAY + 11 * MINUTE);
    viewer.send(sight("rig"));
    await eventually(() => expect(viewer.closed?.code).toBe(CLOSE_CODES.revoked));
    expect(viewer.of("readings")).toHaveLength(1);
  });
});

describe("a connection that comes back", () => {
  it("gets what it missed: changes, removals and events, and no more", async () => {
    const user = await newUser();
    const [stays, goes] = [await Instance.register(user, "stays"), await Instance.register(user, "goes")];
    await Instance.register(user, "still");
    for (const one of [stays, goes]) await one.settled();
    await quiet();
    const first = await Viewer.open(user);
    await eventually(() => expect(first.fleet.size).toBe(3));
    first.close();

    await stays.heartbeat();
    await stays.settled();
    await goes.ask("DELETE");
    await eventually(async () => expect(await fleetOf(user).instanceIds("", 10)).not.toContain("goes"));
    const second = await Viewer.open(user, `?since=${first.revision}`);
    await eventually(() => expect(second.of("rows").length).toBeGreaterThan(0));
    expect(second.of("snapshot")).toEqual([]);
    expect(second.ids).toEqual(["stays"]);
    expect(second.of("rows").flatMap(({ removed }) => removed)).toEqual(["goes"]);
    expect(second.eventKinds).toContain("first_heartbeat");

    const third = await Viewer.open(user, `?since=${second.revision}`);
    await eventually(() => expect(third.messages).toHaveLength(1));
    expect(third.messages[0]).toMatchObject({
      type: "rows",
      rows: [],
      removed: [],
      guard: { state: "open" },
    });
  });

  it("gets the whole fleet when what it missed is no longer known, or never was", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const ahead = await Viewer.open(user, "?since=1000000");
    await eventually(() => expect(ahead.of("snapshot")).toHaveLength(1));
    await runInDurableObject(fleetOf(user), (_, { storage }) => {
      for (let index = 0; index < 1000; index++) {
        storage.sql.exec(
          "INSERT INTO removals (instance_id, changed, revision) VALUES (?, ?, 1)",
          `gone-${index}`,
          index + 2,
        );
      }
    });
    const long = await Viewer.open(user, "?since=1");
    await eventually(() => expect(long.of("snapshot")).toHaveLength(1));
  });

  it("gets the whole fleet once orders can no longer be given by a connection, as does whoever looks", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const fleet = fleetOf(user);
    await fleet.report(reportOf("rented", { provider: "vast", status: "running" }));
    await fleet.keepCredentials("vast", { sealed: "x", setAt: 1 });
    await quiet();
    const viewer = await Viewer.open(user);
    await eventually(() => expect(viewer.fleet.size).toBe(2));
    const { revision } = viewer;
    const whys = () =>
      viewer.of("snapshot").map(({ rows }) => rows.map(({ control }) => control.why_not).join());
    expect(whys()).toEqual([","]);
    for (let time = 1; time <= 3; time++) {
      await fleet.noteTrial("vast", {
        at: DAY,
        setAt: 1,
        isCheck: false,
        outcome: "refused",
        problem: "401",
      });
    }
    await eventually(() => expect(whys()).toEqual([",", "refused,"]));
    const back = await Viewer.open(user, `?since=${revision}`);
    await eventually(() => expect(back.of("snapshot")).toHaveLength(1));
    await quiet();
    const after = await Viewer.open(user, `?since=${viewer.revision}`);
    await fleet.keepCredentials("vast", { sealed: "x", setAt: 2 });
    await eventually(() => expect(after.of("snapshot")).toHaveLength(1));
    await eventually(() => expect(whys()).toEqual([",", "refused,", ","]));
  });

  it("gets the whole fleet, and all changes, past rows that can't be read", async () => {
    const user = await newUser();
    await fill(user, 450);
    await runInDurableObject(fleetOf(user), (_, { storage }) => {
      const odd = "UPDATE instances SET view = 'no JSON' WHERE instance_id IN ('rig-00100', 'rig-00300')";
      storage.sql.exec(odd);
    });
    await evictDurableObject(fleetOf(user));
    const viewer = await Viewer.open(user, "");
    await eventually(() => expect(viewer.of("snapshot").at(-1)?.is_last).toBe(true));
    expect(viewer.fleet.size).toBe(449);
    await runInDurableObject(fleetOf(user), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE instances SET changed = 100 + CAST(substr(instance_id, 5) AS INTEGER) WHERE instance_id LIKE 'rig-%'",
      );
      storage.sql.exec("UPDATE fleet SET json = json_set(json, '$.revision', 600)");
    });
    await evictDurableObject(fleetOf(user));
    const later = await Viewer.open(user, "?since=50");
    await eventually(() => expect(later.revision).toBe(600));
    expect(later.fleet.size).toBe(448);
  });

  it("gets many changes in several messages, each with the revision up to which it tells all", async () => {
    const user = await newUser();
    await fill(user, 450);
    await runInDurableObject(fleetOf(user), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE instances SET changed = 100 + CAST(substr(instance_id, 5) AS INTEGER) WHERE instance_id LIKE 'rig-%'",
      );
      storage.sql.exec("UPDATE fleet SET json = json_set(json, '$.revision', 600)");
    });
    await evictDurableObject(fleetOf(user));
    const viewer = await Viewer.open(user, "?since=50");
    await eventually(() => expect(viewer.revision).toBe(600));
    expect(viewer.of("rows").map(({ rows, revision }) => [rows.length, revision])).toEqual([
      [200, 299],
      [200, 499],
      [50, 600],
    ]);
  });
});

describe("a fleet that left memory", () => {
  it("keeps its connections, and goes on where each stood", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await quiet();
    const viewer = await Viewer.open(user);
    await eventually(() => expect(viewer.fleet.size).toBe(1));
    await evictDurableObject(fleetOf(user));
    await quiet();
    expect(viewer.closed).toBeNull();
    await one.heartbeat();
    await eventually(() => expect(viewer.fleet.get("rig")).toBe("running"));
    expect(viewer.ids).toEqual(["rig", "rig"]);
  });
});

describe("who may watch", () => {
  it("are fifty connections a user: the oldest is closed for a further one", async () => {
    const user = await newUser();
    const viewers: Viewer[] = [];
    for (let index = 0; index < 50; index++) {
      setClock(DAY + index);
      viewers.push(await Viewer.open(user));
    }
    setClock(DAY + 50);
    const newest = await Viewer.open(user);
    await eventually(() => expect(viewers[0]?.closed?.code).toBe(CLOSE_CODES.replaced));
    expect(viewers.slice(1).every(({ closed }) => closed === null)).toBe(true);
    await Instance.register(user, "rig");
    await eventually(() => expect(newest.ids).toEqual(["rig"]));
    await eventually(() => expect(viewers[1]?.ids).toEqual(["rig"]));
  });

  it("is no longer a token that is revoked: at once, or when it is next looked up", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const other = await call("POST", `/api/admin/users/${user.userId}/tokens`, { token: ADMIN_TOKEN });
    const [mine, others] = [await Viewer.open(user), await Viewer.open({ token: other.body.token })];
    await call("DELETE", `/api/admin/tokens/${user.tokenId}`, { token: ADMIN_TOKEN });
    await eventually(() => expect(mine.closed?.code).toBe(CLOSE_CODES.revoked));
    expect(others.closed).toBeNull();

    // The fleet hears nothing of this one.
    await env.DB.prepare("UPDATE user_tokens SET revoked_at = 1 WHERE id = ?")
      .bind(other.body.token_id)
      .run();
    setClock(DAY + 11 * MINUTE);
    await one.heartbeat();
    await eventually(() => expect(others.closed?.code).toBe(CLOSE_CODES.revoked));
    expect(others.eventKinds).not.toContain("first_heartbeat");
  });

  it("is a browser that is signed in, by our own page, until its session or its token ends", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    const json = { token: user.token };
    const cookies = await Promise.all(
      [1, 2, 3].map(async () => {
        const { headers } = await call("POST", "/api/session", { json, headers: PAGE });
        return { Cookie: headers.get("Set-Cookie")?.split(";")[0] ?? "" };
      }),
    );
    const [first = PAGE, second = PAGE, third = PAGE] = cookies;
    for (const headers of [
      first,
      { ...first, Origin: "https://evil.example" },
      { ...first, Origin: "null" },
    ]) {
      expect((await upgrade(headers)).status).toBe(403);
    }
    const open = (cookie: Record<string, string>) =>
      Viewer.openBy({ ...cookie, Origin: ORIGIN, "Sec-WebSocket-Protocol": "dumont" });
    const [mine, two, three] = [await open(first), await open(second), await open(third)];
    await call("DELETE", "/api/session", { headers: { ...first, ...PAGE } });
    await eventually(() => expect(mine.closed?.code).toBe(CLOSE_CODES.revoked));
    expect(two.closed).toBeNull();

    // The fleet hears nothing of this one.
    await env.DB.prepare(
      "DELETE FROM sessions WHERE user_id = ? AND digest = (SELECT MIN(digest) FROM sessions)",
    )
      .bind(user.userId)
      .run();
    setClock(DAY + 11 * MINUTE);
    await one.heartbeat();
    await eventually(() => expect([two, three].filter(({ closed }) => closed !== null)).toHaveLength(1));
    await call("DELETE", `/api/admin/tokens/${user.tokenId}`, { token: ADMIN_TOKEN });
    await eventually(() => expect([two.closed?.code, three.closed?.code]).toEqual([4003, 4003]));
  });

  it("is looked up for all at once, and nobody else waits for that, though D1 does not answer", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    const waiting: Viewer[] = [];
    for (let index = 0; index < 3; index++) {
      const { body } = await call("POST", `/api/admin/users/${user.userId}/tokens`, { token: ADMIN_TOKEN });
      waiting.push(await Viewer.open({ token: body.token }));
    }
    setClock(DAY + 11 * MINUTE);
    const fresh = await Viewer.open(user);
    await eventually(() => expect(fresh.fleet.get("rig")).toBe("pending"));
    const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    const first = vi.spyOn(statement, "first").mockImplementation(
      // Not for good: nothing of it may reach into another test.
      () => new Promise((_, reject) => setTimeout(() => reject(new Error("too late")), 8_000)),
    );
    const before: unknown[] = [];
    for (const each of waiting) {
      each.onClose = () =>
        before.push([
          fresh.fleet.get("rig"),
          fresh.fleet.get("other"),
          each.eventKinds,
          first.mock.calls.length,
        ]);
    }
    try {
      await one.heartbeat();
      await fleetOf(user).report(reportOf("other"));
      for (const each of waiting) {
        await eventually(() => expect(each.closed?.code).toBe(CLOSE_CODES.tryAgain));
      }
      expect(before).toEqual(waiting.map(() => ["running", "running", [], 3]));
      expect(first).toHaveBeenCalledTimes(3);
    } finally {
      first.mockRestore();
    }
  });

  it("goes on where it stood once its token was found valid", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    await one.settled();
    await quiet();
    const viewer = await Viewer.open(user);
    setClock(DAY + 11 * MINUTE);
    await one.heartbeat();
    await eventually(() => expect(viewer.fleet.get("rig")).toBe("running"));
    expect(viewer.ids).toEqual(["rig", "rig"]);
    expect(viewer.closed).toBeNull();
  });
});
