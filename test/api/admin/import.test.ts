import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { rollUpPage } from "../../../src/history/retention.ts";
import { WALK_START } from "../../../src/history/walk.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { openProvider } from "../../../src/providers/registry.ts";
import { mayLog } from "../../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, type Reply, setClock } from "../../world.ts";

/** What the whole round trip between two servers (test/server) does not meet. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_DAY = 24 * HOUR;

mayLog(/totalsAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Exported {
  readonly type: string;
  readonly [field: string]: unknown;
}

async function exportAll(userId: string): Promise<{ lines: Exported[]; pages: number }> {
  const lines: Exported[] = [];
  let query = "";
  for (let pages = 1; ; pages++) {
    const path = `/api/admin/users/${userId}/export${query}`;
    const { status, body } = await call("GET", path, { token: ADMIN_TOKEN });
    expect(status).toBe(200);
    lines.push(...body.lines);
    if (body.next_cursor === null) return { lines, pages };
    query = `?cursor=${body.next_cursor}`;
  }
}

function bring(userId: string, from: string, lines: readonly unknown[]): Promise<Reply> {
  const json = { from_user_id: from, exported_at: Date.now(), lines };
  return call("POST", `/api/admin/users/${userId}/import`, { token: ADMIN_TOKEN, json });
}

describe("an export", () => {
  it("comes in pages, each instance and each row of the history once", async () => {
    const user = await newUser();
    for (let number = 0; number < 23; number++) {
      const one = await Instance.register(user, `rig-${number}`);
      await one.heartbeat();
    }
    const { lines, pages } = await exportAll(user.userId);
    const of = (type: string) => lines.filter((line) => line.type === type);
    expect(new Set(of("instance").map((line) => line.instance_id)).size).toBe(23);
    expect(of("instance")).toHaveLength(23);
    expect(of("heartbeats")).toHaveLength(23);
    expect(of("event").length).toBeGreaterThanOrEqual(46);
    expect(pages).toBeGreaterThan(5);
    // Every heartbeat is in the history, so none waits in a state, too.
    for (const { state } of of("instance")) {
      expect(state).toMatchObject({ state: { unflushed: 0, outbox: [] } });
    }
  });

  it("is the operator's alone", async () => {
    const { userId, token } = await newUser();
    expect((await call("GET", `/api/admin/users/${userId}/export`, { token })).status).toBe(403);
    expect((await call("GET", "/api/admin/users/u-nobody/export", { token: ADMIN_TOKEN })).status).toBe(404);
    const path = `/api/admin/users/${userId}/export?cursor=bm9uc2Vuc2U`;
    expect((await call("GET", path, { token: ADMIN_TOKEN })).status).toBe(400);
  });
});

describe("an import", () => {
  it("names the line that is not as it should be", async () => {
    const user = { type: "user", name: "Ada", created_at: 1 };
    const { status, body } = await bring("u-import-bad", "u-x", [user, { type: "hour", instance_id: "a" }]);
    expect(status).toBe(400);
    expect(body.error.issues[0].path).toBe("body.lines.1.hour");
    expect((await bring("u-import-nobody", "u-x", [{ type: "export", version: 2 }])).status).toBe(400);
    const event = {
      type: "event",
      instance_id: "",
      id: "1",
      at: 1,
      kind: "x",
      severity: "info",
      message: "",
      detail: "{}",
    };
    expect((await bring("u-import-nobody", "u-x", [event])).status).toBe(404);
  });

  it("refuses a state that can't be read, and a machine that another instance watches, and takes the rest", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const { lines } = await exportAll(user.userId);
    const instance = lines.find(({ type }) => type === "instance");
    const { userId } = await newUser();
    await fleetOf(env, userId).claim({ provider: "vast", ref: "7" }, "holder");
    setClock(DAY + MINUTE / 2);
    const state = JSON.parse(JSON.stringify(instance?.state));
    const watched = {
      ...state,
      state: { ...state.state, profile: { ...state.state.profile, provider: "vast", providerRef: "7" } },
    };
    const { body } = await bring(userId, user.userId, [
      { ...instance, instance_id: "newer", state: { ...state, version: 99 } },
      { ...instance, instance_id: "null", state: null },
      { ...instance, instance_id: "watched", state: watched },
      { ...instance, instance_id: "rig" },
    ]);
    expect(body).toMatchObject({ brought: 1, known: 0 });
    expect(body.refused.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(body.refused[2].message).toBe("its machine is watched by holder");
    expect(await fleetOf(env, userId).instanceIds("", 10)).toEqual(["rig"]);
  });

  it("brings connections with their names, and what a service without connections has exported", async () => {
    const user = await newUser();
    const path = "/api/agent/connections?verify=false";
    for (const name of ["Team A", "Team B"]) {
      const json = { provider: "vast", name, credentials: { api_key: `vast-key-of-${name}` } };
      expect((await call("POST", path, { token: user.token, json })).status).toBe(201);
    }
    const { lines } = await exportAll(user.userId);
    const exported = lines.filter(({ type }) => type === "credentials");
    const [first, second] = exported;
    expect(exported.map(({ name, provider }) => [name, provider])).toEqual([
      ["Team A", "vast"],
      ["Team B", "vast"],
    ]);
    const target = await newUser();
    const former = { type: "credentials", kind: "vast", sealed: first?.sealed, set_at: 5000 };
    const unknown = { ...second, kind: "c-1", provider: "toaster" };
    const { body } = await bring(target.userId, user.userId, [former, second, unknown, second]);
    expect(body).toMatchObject({ brought: 2, known: 1, refused: [{ index: 2 }] });
    const list = await call("GET", "/api/agent/connections", { token: target.token });
    expect(list.body.connections).toMatchObject([
      { id: "vast", name: "Vast.ai" },
      { id: second?.kind, name: "Team B" },
    ]);
    const { provider } = await openProvider(env, target.userId, `vast@${second?.kind}`);
    const asked = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response('{"instances":null}'));
    await provider.status({ ref: "1", instanceId: "rig", actionId: "a" });
    const headers = new Headers(asked.mock.calls[0]?.[1]?.headers);
    expect(headers.get("Authorization")).toBe("Bearer vast-key-of-Team B");
  });

  it("brings back nobody whom the user has removed since", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const { lines } = await exportAll(user.userId);
    const instances = lines.filter(({ type }) => type === "instance");
    const target = await newUser();
    expect((await bring(target.userId, user.userId, instances)).body).toMatchObject({ brought: 1 });
    const path = "/api/agent/instances/rig";
    expect((await call("DELETE", path, { token: target.token })).status).toBe(200);
    await vi.waitFor(async () => expect(await fleetOf(env, target.userId).instanceIds("", 10)).toEqual([]));
    setClock(DAY + HOUR);
    expect((await bring(target.userId, user.userId, instances)).body).toMatchObject({ brought: 0, known: 1 });
  });

  it("counts no heartbeat twice, though it was rolled up between two imports", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    for (let minute = 0; minute < 90; minute++) {
      setClock(DAY + minute * MINUTE);
      await one.heartbeat();
    }
    await one.settled();
    const { lines } = await exportAll(user.userId);
    const history = lines.filter(({ type }) => ["heartbeats", "hour"].includes(type));
    const target = await newUser();
    const counted = async () => {
      const row = await env.DB.prepare(
        `SELECT (SELECT COUNT(*) FROM heartbeats WHERE user_id = ?1)
              + (SELECT COALESCE(SUM(heartbeats), 0) FROM heartbeat_hours WHERE user_id = ?1) AS n`,
      )
        .bind(target.userId)
        .first<{ n: number }>();
      return row?.n;
    };
    await bring(target.userId, user.userId, history);
    expect(await counted()).toBe(90);
    await rollUpPage(env.DB, WALK_START, DAY + A_DAY, 0);
    expect((await bring(target.userId, user.userId, history)).body).toMatchObject({ brought: 0 });
    expect(await counted()).toBe(90);
  });
});
