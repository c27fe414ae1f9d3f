import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { version } from "../../package.json";
import { NEWEST_MIGRATION, readDatabases } from "../../src/history/standing.ts";
import { call, DAY, setClock } from "../world.ts";

let now = DAY;

beforeEach(() => {
  now += 60_000;
  setClock(now);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("/healthz", () => {
  it("says that the service is fit, its version, its databases and its speed, to anybody", async () => {
    const { status, body } = await call("GET", "/healthz");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "ok",
      wrong: [],
      version,
      migration: NEWEST_MIGRATION,
      databases: [{ name: "DB", status: "ok", migration: NEWEST_MIGRATION }],
      history_shards: 1,
      simulation_speed: 1,
    });
  });

  it("asks the database once in five seconds, however many ask", async () => {
    const prepare = vi.spyOn(Object.getPrototypeOf(env.DB), "prepare");
    for (let request = 0; request < 20; request++) await call("GET", "/healthz");
    expect(prepare).toHaveBeenCalledTimes(2);
    setClock(now + 5000);
    await call("GET", "/healthz");
    expect(prepare).toHaveBeenCalledTimes(4);
  });

  it("is unfit while a migration is missing", async () => {
    const { results } = await env.DB.prepare("SELECT id, name, applied_at FROM d1_migrations").all();
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = ?").bind(NEWEST_MIGRATION).run();
    const { status, headers, body } = await call("GET", "/healthz");
    await env.DB.batch(
      results.map(({ id, name, applied_at }) =>
        env.DB.prepare("INSERT OR IGNORE INTO d1_migrations VALUES (?, ?, ?)").bind(id, name, applied_at),
      ),
    );
    expect(status).toBe(503);
    expect(headers.get("Retry-After")).toBe("5");
    expect(body).toMatchObject({
      status: "unfit",
      wrong: [`DB: the migration ${NEWEST_MIGRATION} is missing`],
      databases: [{ name: "DB", status: "behind", migration: expect.stringMatching(/^0\d{3}_/) }],
    });
    setClock(now + 5000);
    expect((await call("GET", "/healthz")).status).toBe(200);
  });

  it("is fit with a database that is ahead, as after a rollback", async () => {
    await env.DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')").run();
    const { status, body } = await call("GET", "/healthz");
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = '9999_later.sql'").run();
    expect([status, body.databases[0].migration]).toEqual([200, "9999_later.sql"]);
  });

  it("is unfit while the database refuses, and says no detail of it", async () => {
    vi.spyOn(Object.getPrototypeOf(env.DB), "prepare").mockImplementation(() => {
      throw new Error("D1_ERROR: secret detail of the database");
    });
    const { status, body } = await call("GET", "/healthz");
    expect(status).toBe(503);
    expect(body.wrong).toEqual(["DB: no answer"]);
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  it("does not wait for a database that never answers", async () => {
    const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
    vi.spyOn(statement, "first").mockReturnValue(new Promise(() => {}));
    expect(await readDatabases(env, 50)).toEqual([{ name: "DB", status: "no_answer", migration: null }]);
  });
});
