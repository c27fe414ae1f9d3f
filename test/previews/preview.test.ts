import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";
import { anInstance, ask, PATH } from "./past.ts";

const MINUTE = 60_000;

beforeEach(() => setClock(DAY));
afterEach(() => vi.useRealTimers());

describe("a preview of a few instances", () => {
  it("is answered at once, kept, listed and deleted", async () => {
    const user = await newUser();
    await anInstance(user, "rig", { tags: { team: "vision" } });
    const started = await ask(user, { policy: { preset: "balanced" } });
    expect(started.status).toBe(200);
    const { body } = started;
    expect(body).toMatchObject({
      state: "done",
      failed_because: null,
      days: 7,
      preset: "balanced",
      asked_of: { instances: null, tag: null },
      instances: { total: 1, done: 1, skipped: 0 },
      by_instance: [{ instance_id: "rig", tags: { team: "vision" } }],
      skipped: [],
    });
    expect(body.results.map(({ of }: { of: string }) => of)).toEqual([
      "actual",
      "candidate",
      "in_force",
      "thrifty",
      "balanced",
      "careful",
    ]);
    const list = await call("GET", PATH, { token: user.token });
    expect(list.body.previews).toMatchObject([{ id: body.id, state: "done", results: body.results }]);
    const one = await call("GET", `${PATH}/${body.id}`, { token: user.token });
    expect(one.body).toEqual(body);
    const lines = await call("GET", `${PATH}/${body.id}/instances`, { token: user.token });
    expect(lines.body).toEqual({ instances: body.by_instance, next_cursor: null });
    expect((await call("DELETE", `${PATH}/${body.id}`, { token: user.token })).status).toBe(200);
    expect((await call("GET", `${PATH}/${body.id}`, { token: user.token })).status).toBe(404);
    expect((await call("DELETE", `${PATH}/${body.id}`, { token: user.token })).status).toBe(404);
  });

  it("changes nothing", async () => {
    const user = await newUser();
    const one = await anInstance(user, "rig");
    const before = [(await one.ask("GET")).body, await one.eventKinds()];
    await ask(user, { policy: { preset: "careful" } });
    expect([(await one.ask("GET")).body, await one.eventKinds()]).toEqual(before);
  });

  it("is of those named, or of those with a tag", async () => {
    const user = await newUser();
    await anInstance(user, "a", { tags: { team: "vision" } });
    await anInstance(user, "b", { tags: { team: "speech" } });
    await anInstance(user, "c");
    const ids = async (json: Record<string, unknown>) =>
      (await ask(user, { policy: {}, days: 1, ...json })).body.by_instance.map(
        ({ instance_id }: { instance_id: string }) => instance_id,
      );
    expect(await ids({})).toEqual(["a", "b", "c"]);
    expect(await ids({ instances: ["c", "a", "c"] })).toEqual(["a", "c"]);
    expect(await ids({ tag: { team: "speech" } })).toEqual(["b"]);
    expect(await ids({ tag: { team: "none" } })).toEqual([]);
  });

  it("proposes nothing where nobody asks for it, and counts tags where somebody does", async () => {
    const user = await newUser();
    await anInstance(user, "a", { tags: { team: "vision", site: "north" } });
    await anInstance(user, "b", { tags: { team: "vision" } });
    const without = await ask(user, { policy: {}, proposal: false });
    expect(without.body.proposal).toBeNull();
    expect(without.body.by_instance[0].proposal).toBeNull();
    const { body } = await ask(user, { policy: {} });
    expect(body.proposal.by_tag).toMatchObject([
      { tag: "team:vision", instances: 2 },
      { tag: "site:north", instances: 1 },
    ]);
  });
});

describe("a preview is refused", () => {
  it("where the policy contradicts itself, as it would be when it is set", async () => {
    const user = await newUser();
    await Instance.register(user, "rig", { policy: { idle: { warn_after_seconds: 200 } } });
    for (const policy of [
      { idle: { warn_after_seconds: 600 } },
      { idle: { warn_after_seconds: 60, hibernate_after_seconds: 120 } },
    ]) {
      const put = await call("PUT", "/api/agent/policy", { token: user.token, json: policy });
      const { status, body } = await ask(user, { policy });
      expect(status).toBe(400);
      expect(body.error.issues).toEqual(
        put.body.error.issues.map(({ path, message }: { path: string; message: string }) => ({
          path: path.replace("body.", "body.policy."),
          message,
        })),
      );
    }
  });

  it("where the overrides of instances do", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const { status, body } = await ask(user, {
      policy: {},
      instances: ["rig"],
      instance_policy: { idle: { warn_after_seconds: 900 } },
    });
    expect(status).toBe(400);
    expect(body.error.issues).toMatchObject([
      {
        path: "body.instance_policy.idle.warn_after_seconds",
        message: expect.stringContaining("for instance rig must be less than"),
      },
    ]);
  });

  it("where an instance is unknown or another user's, which is named", async () => {
    const user = await newUser();
    await Instance.register(user, "a");
    await Instance.register(await newUser(), "b");
    const { status, body } = await ask(user, { policy: {}, instances: ["a", "b", "c"] });
    expect(status).toBe(400);
    expect(body.error.issues).toEqual([
      { path: "body.instances.1", message: "there is no instance b" },
      { path: "body.instances.2", message: "there is no instance c" },
    ]);
  });

  it.each([
    [{ policy: {}, days: 0 }, "body.days"],
    [{ policy: {}, days: 31 }, "body.days"],
    [{ policy: {}, days: 1.5 }, "body.days"],
    [{ policy: {}, instances: [] }, "body.instances"],
    [{ policy: {}, instances: Array.from({ length: 201 }, (_, n) => `i${n}`) }, "body.instances"],
    [{ policy: {}, instances: ["a/b"] }, "body.instances.0"],
    [{ policy: {}, instances: ["a"], tag: { team: "x" } }, "body.tag"],
    [{ policy: {}, tag: {} }, "body.tag"],
    [{ policy: {}, tag: { a: "1", b: "2" } }, "body.tag"],
    [{ policy: {}, tag: { A: "1" } }, "body.tag.A"],
    [{ policy: {}, instance_policy: {} }, "body.instance_policy"],
    [{ policy: {}, instances: ["a"], instance_policy: { guard: {} } }, "body.instance_policy.guard"],
    [{ policy: { preset: "bold" } }, "body.policy.preset"],
    [{ policy: { idle: { treshold: 1 } } }, "body.policy.idle"],
    [{ days: 7 }, "body.policy"],
    [{ policy: {}, more: 1 }, "body"],
  ])("with the path of what is wrong: %j", async (json, path) => {
    const user = await newUser();
    const { status, body } = await ask(user, json);
    expect(status).toBe(400);
    expect(body.error.issues.map((issue: { path: string }) => issue.path)).toContain(path);
  });

  it("of a user who is suspended", async () => {
    const user = await newUser();
    await call("POST", `/api/admin/users/${user.userId}/suspend`, { token: ADMIN_TOKEN });
    expect((await ask(user, { policy: {} })).status).toBe(403);
  });

  it("of a user who asks for too many in a minute", async () => {
    const user = await newUser();
    const limit = vi.spyOn(env.PREVIEW_LIMIT, "limit").mockResolvedValueOnce({ success: false });
    const { status, headers, body } = await ask(user, { policy: {} });
    expect([status, headers.get("Retry-After"), body.error.code]).toEqual([429, "60", "too_many_requests"]);
    expect(limit).toHaveBeenCalledExactlyOnceWith({ key: user.userId });
    limit.mockRestore();
    expect((await ask(user, { policy: {} })).status).toBe(200);
  });
});

describe("the previews of a user", () => {
  it("are twenty at most: the oldest goes, with its instances", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    const ids: string[] = [];
    for (let n = 0; n < 22; n++) {
      setClock(DAY + n * MINUTE);
      ids.push((await ask(user, { policy: {}, days: 1 })).body.id);
    }
    const { body } = await call("GET", PATH, { token: user.token });
    expect(body.previews.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2).reverse());
    const gone = await call("GET", `${PATH}/${ids[0]}/instances`, { token: user.token });
    expect(gone.status).toBe(404);
  });

  it("are nobody else's", async () => {
    const user = await newUser();
    const { body } = await ask(user, { policy: {} });
    const other = await newUser();
    expect((await call("GET", PATH, { token: other.token })).body).toEqual({ previews: [] });
    for (const [method, path] of [
      ["GET", `${PATH}/${body.id}`],
      ["GET", `${PATH}/${body.id}/instances`],
      ["DELETE", `${PATH}/${body.id}`],
      ["GET", `${PATH}/nonsense`],
    ] as const) {
      expect((await call(method, path, { token: other.token })).status).toBe(404);
    }
    expect((await call("GET", `${PATH}/${body.id}`, { token: user.token })).status).toBe(200);
  });

  it("are paged by instance", async () => {
    const user = await newUser();
    for (const id of ["a", "b", "c", "d", "e"]) await Instance.register(user, id);
    const { body } = await ask(user, { policy: {}, days: 1 });
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await call("GET", `${PATH}/${body.id}/instances?limit=2${cursor}`, { token: user.token });
      seen.push(...page.body.instances.map(({ instance_id }: { instance_id: string }) => instance_id));
      cursor = page.body.next_cursor === null ? "" : `&cursor=${page.body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("tell the newest that is done, for whoever counts savings", async () => {
    const user = await newUser();
    await Instance.register(user, "rig");
    expect(await fleetOf(env, user.userId).newestOutcomes()).toBeNull();
    const { body } = await ask(user, { policy: {}, days: 1 });
    const newest = await fleetOf(env, user.userId).newestOutcomes();
    expect(newest).toMatchObject({ to: Date.parse(body.to), outcomes: { candidate: { hibernations: 0 } } });
  });
});
