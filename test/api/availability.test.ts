import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { expectLogged, mayLog } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A database that refuses everything. */
function failDatabase(): void {
  const database = Object.getPrototypeOf(env.DB);
  const statement = Object.getPrototypeOf(env.DB.prepare("SELECT 1"));
  const down = () => Promise.reject(new Error("D1_ERROR: secret detail of the database"));
  vi.spyOn(database, "batch").mockImplementation(down);
  for (const method of ["first", "run", "all", "raw"]) vi.spyOn(statement, method).mockImplementation(down);
}

describe("while the database is down", () => {
  it("heartbeats are accepted, and nothing of them is lost", async () => {
    const one = await Instance.register(await newUser(), "rig");
    failDatabase();
    expectLogged(/outbox not delivered/);
    for (let minute = 0; minute < 25; minute++) {
      setClock(DAY + minute * 60_000);
      expect((await one.heartbeat()).status).toBe(200);
    }
    vi.restoreAllMocks();
    await one.until(Date.now() + 2 * 60_000);
    expect((await one.ask("GET", "/heartbeats")).body.heartbeats).toHaveLength(25);
  });

  it("everything that needs it answers 503 with Retry-After and no detail", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "rig");
    failDatabase();
    expectLogged(/request failed/);
    mayLog(/outbox not delivered/);
    const answers = [
      await one.ask("GET"),
      await one.ask("POST", "/keep-alive"),
      await call("PUT", "/api/agent/policy", { token: user.token, json: {} }),
      await call("GET", "/api/admin/users", { token: ADMIN_TOKEN }),
      await call("GET", "/healthz"),
    ];
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(Number(headers.get("Retry-After"))).toBeGreaterThan(0);
      expect(body).toEqual({
        success: false,
        error: { code: "unavailable", message: "The service cannot answer right now" },
      });
    }
  });

  it("an instance that is registered anyhow is in the list once the database is back", async () => {
    const user = await newUser();
    const batch = vi.spyOn(Object.getPrototypeOf(env.DB), "batch").mockRejectedValue(new Error("down"));
    expectLogged(/outbox not delivered/);
    const one = await Instance.register(user, "rig");
    expect((await call("GET", "/api/agent/instances", { token: user.token })).body.instances).toEqual([]);
    expect((await one.ask("GET")).status).toBe(200);
    batch.mockRestore();
    await one.until(Date.now() + 2 * 60_000);
    const { body } = await call("GET", "/api/agent/instances", { token: user.token });
    expect(body.instances).toHaveLength(1);
  });
});
