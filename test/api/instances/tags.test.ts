import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { call, DAY, Instance, newUser, type Reply, setClock } from "../../world.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

type User = Awaited<ReturnType<typeof newUser>>;

const list = (user: Pick<User, "token">, query: string, headers: Record<string, string> = {}) =>
  call("GET", `/api/agent/instances?${query}`, { token: user.token, headers });

/** What the full list and that of summaries have found, which must be the same. */
async function found(user: User, ...tags: readonly string[]): Promise<string[]> {
  const query = tags.map((tag) => `tag=${encodeURIComponent(tag)}`).join("&");
  const [full, summary] = await Promise.all(
    [query, `${query}&view=summary`].map(async (each) => {
      const { status, body } = await list(user, each);
      expect(status).toBe(200);
      return body.instances.map(({ instance_id }: { instance_id: string }) => instance_id);
    }),
  );
  expect(summary).toEqual(full);
  return full;
}

const issuesOf = ({ status, body }: Reply) => [
  status,
  (body.error?.issues ?? []).map(({ path }: { path: string }) => path),
];

describe("tags", () => {
  it("are given at the registration, and shown wherever the instance is", async () => {
    const user = await newUser();
    const tags = { team: "vision", env: "prod" };
    const one = await Instance.register(user, "rig", { tags });
    await Instance.register(user, "without");
    await Instance.register(user, "null", { tags: null });
    await one.settled();
    expect((await one.ask("GET")).body.tags).toEqual(tags);
    for (const view of ["full", "summary"]) {
      const { body } = await list(user, `view=${view}`);
      expect(body.instances).toMatchObject([{ tags: {} }, { tags }, { tags: {} }]);
    }
  });

  it("are replaced as a whole, cleared, and left alone by any other change", async () => {
    const one = await Instance.register(await newUser(), "rig", { tags: { team: "vision", env: "prod" } });
    const change = async (json: object) => {
      const { status, body } = await one.ask("PATCH", "", json);
      expect(status).toBe(200);
      expect((await one.ask("GET")).body.tags).toEqual(body.tags);
      return body.tags;
    };
    expect(await change({ name: "new", hourly_cost: 2 })).toEqual({ team: "vision", env: "prod" });
    expect(await change({ tags: { owner: "ada" } })).toEqual({ owner: "ada" });
    expect(await change({ provider: "none", tags: { owner: "bob" } })).toEqual({ owner: "bob" });
    expect(await change({ policy: { keep_alive_minutes: 5 } })).toEqual({ owner: "bob" });
    expect(await change({ tags: null })).toEqual({});
    expect(await change({ tags: { a: "" } })).toEqual({ a: "" });
    expect(await change({ tags: {} })).toEqual({});
    await one.settled();
    const { body } = await one.ask("GET", "/events");
    expect(body.events.find(({ kind }: { kind: string }) => kind === "changed")).toMatchObject({
      message: "Changed: tags",
      detail: { tags: "{}" },
    });
  });

  it("are no change of machine: nothing is ordered, and its claim and clocks stay", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { policy: { orphan: { orphan_after_seconds: 180 } } });
    await one.heartbeat({ gpu_utilization: 90 });
    setClock(DAY + 2 * MINUTE);
    await one.ask("PATCH", "", { tags: { team: "vision" } });
    const { body } = await one.ask("GET");
    expect(body).toMatchObject({ status: "running", seconds_since_heartbeat: 120 });
    await one.until(DAY + 3 * MINUTE);
    expect(await one.status()).toBe("orphaned");
    expect((await one.ask("PATCH", "", { tags: { team: "other" } })).body.status).toBe("orphaned");
  });

  it("find instances in both views, at once after a change, all of them together", async () => {
    const user = await newUser();
    const a = await Instance.register(user, "a", { tags: { team: "vision", env: "prod" } });
    const b = await Instance.register(user, "b", {
      tags: { team: "vision", note: 'it\'s 50% & "more": <b>' },
    });
    await Instance.register(user, "c");
    await Promise.all([a.settled(), b.settled()]);
    expect(await found(user, "team:vision")).toEqual(["a", "b"]);
    expect(await found(user, "team:vision", "env:prod")).toEqual(["a"]);
    expect(await found(user, 'note:it\'s 50% & "more": <b>')).toEqual(["b"]);
    expect(await found(user, "team:' OR 1=1 --")).toEqual([]);
    await a.ask("PATCH", "", { tags: { team: "speech" } });
    await a.settled();
    expect(await found(user, "team:vision")).toEqual(["b"]);
    expect(await found(user, "team:speech")).toEqual(["a"]);
    // The first of what may be given once counts, as before.
    expect((await list(user, "limit=1&limit=x")).body.instances).toHaveLength(1);
  });

  it("are of their owner alone", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    const hers = await Instance.register(ada, "rig", { tags: { team: "vision" } });
    const his = await Instance.register(bob, "rig", { tags: { team: "speech" } });
    await Promise.all([hers.settled(), his.settled()]);
    expect(await found(bob, "team:vision")).toEqual([]);
    expect(await found(bob, "team:speech")).toEqual(["rig"]);
    const other = await Instance.register(ada, "hers", { tags: { team: "vision" } });
    const path = `/api/agent/instances/${other.id}`;
    const refused = await call("PATCH", path, { token: bob.token, json: { tags: { team: "stolen" } } });
    expect(refused.status).toBe(404);
    const machine = await call("PATCH", path, { token: other.token, json: { tags: {} } });
    expect([401, 403]).toContain(machine.status);
    expect((await other.ask("GET")).body.tags).toEqual({ team: "vision" });
  });

  it("count in entity tags: a list that is known is known until they change", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { tags: { team: "vision" } });
    await one.settled();
    for (const query of ["", "view=summary", "tag=team:vision", "tag=team:vision&view=summary"]) {
      const first = await list(user, query);
      const known = { "If-None-Match": first.headers.get("ETag") ?? "" };
      expect((await list(user, query, known)).status).toBe(304);
      await one.ask("PATCH", "", { tags: { team: "vision", at: query.replaceAll(/\W/g, "") } });
      await one.settled();
      const { status, body } = await list(user, query, known);
      expect([status, body.instances.length]).toEqual([200, 1]);
    }
  });
});

describe("bad tags", () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, "v"]));

  it("are refused with the path of what is wrong, and change nothing", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig", { tags: { team: "vision" } });
    const cases: [unknown, string][] = [
      [JSON.parse('{"__proto__":"x"}'), "body.tags.__proto__"],
      [{ Team: "x" }, "body.tags.Team"],
      [{ team: 1 }, "body.tags.team"],
      [{ team: "a\nb" }, "body.tags.team"],
      [{ team: "\ud800" }, "body.tags.team"],
      [{ team: "x".repeat(101) }, "body.tags.team"],
      [many(21), "body.tags"],
      [["team:vision"], "body.tags"],
      ["team:vision", "body.tags"],
    ];
    for (const [tags, path] of cases) {
      expect(issuesOf(await one.ask("PATCH", "", { name: "other", tags }))).toEqual([400, [path]]);
      const json = { instance_id: "new", tags };
      const registered = await call("POST", "/api/agent/instances", { token: user.token, json });
      expect(issuesOf(registered)).toEqual([400, [path]]);
    }
    const huge = await one.ask("PATCH", "", { tags: { team: "x".repeat(1_000_000) } });
    expect(huge.status).toBe(413);
    expect((await one.ask("GET")).body).toMatchObject({ name: "rig", tags: { team: "vision" } });
    expect((await list(user, "")).body.instances).toHaveLength(1);
  });

  it("of a filter are refused", async () => {
    const user = await newUser();
    for (const tag of ["", "team", ":x", "Team:x", "__proto__:x", "a:%00", `a:${"x".repeat(101)}`]) {
      expect(issuesOf(await list(user, `tag=${tag}`))).toEqual([400, ["query.tag.0"]]);
    }
    expect(issuesOf(await list(user, "tag=a:b&tag=c"))).toEqual([400, ["query.tag.1"]]);
    const tooMany = Array.from({ length: 21 }, (_, n) => `tag=k${n}:v`).join("&");
    expect(issuesOf(await list(user, tooMany))).toEqual([400, ["query.tag"]]);
    expect((await list(user, tooMany.replace("tag=k0:v&", ""))).status).toBe(200);
  });

  it("that may be, at their largest, are kept to the letter", async () => {
    const user = await newUser();
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [
        `k${String(n).padStart(2, "0")}${"x".repeat(37)}`,
        "\u{1f680}".repeat(n % 2 === 0 ? 100 : 1),
      ]),
    );
    const one = await Instance.register(user, "rig", { tags });
    await one.settled();
    expect((await one.ask("GET")).body.tags).toEqual(tags);
    expect((await one.ask("PATCH", "", { tags })).body.tags).toEqual(tags);
    await one.settled();
    expect((await list(user, "view=summary")).body.instances[0].tags).toEqual(tags);
    const { body } = await one.ask("GET", "/events");
    expect(body.events[0]).toMatchObject({ kind: "changed", detail: { tags: JSON.stringify(tags) } });
    expect((await one.heartbeat()).status).toBe(200);
  });
});
