import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { noteCleanup } from "../../src/service/service.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser } from "../world.ts";

describe("the operator", () => {
  it("creates users and sees them page by page", async () => {
    const created = [await newUser("Ada"), await newUser("Bob"), await newUser("Ada")];
    const seen: { user_id: string; name: string }[] = [];
    let cursor = "";
    do {
      const { body } = await call("GET", `/api/admin/users?limit=2${cursor}`, { token: ADMIN_TOKEN });
      seen.push(...body.users);
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen.map(({ user_id }) => user_id)).toEqual(created.map(({ userId }) => userId).sort());
    expect(seen.map(({ name }) => name).sort()).toEqual(["Ada", "Ada", "Bob"]);
  });

  it("issues tokens to users that exist, with a name or without", async () => {
    const { userId } = await newUser();
    const named = await call("POST", `/api/admin/users/${userId}/tokens`, {
      token: ADMIN_TOKEN,
      json: { name: "laptop" },
    });
    expect(named.status).toBe(201);
    expect((await call("GET", "/api/agent/policy", { token: named.body.token })).status).toBe(200);
    const unknown = await call("POST", "/api/admin/users/u-none/tokens", { token: ADMIN_TOKEN });
    expect(unknown.status).toBe(404);
  });

  it("reads what happened to the service page by page, newest first, and no user's events", async () => {
    await Instance.register(await newUser(), "rig");
    const report = { startedAt: DAY, instances: 1, unreachable: 0 };
    for (let run = 1; run <= 5; run++) {
      // Two of them at the same moment.
      const at = DAY + Math.min(run, 4);
      const event = { id: `run-${run}`, at, kind: "cleanup", severity: "info", message: "Cleanup" } as const;
      await noteCleanup(env, report, { ...event, detail: { run: `run-${run}` } });
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const path = `/api/admin/events?limit=2${cursor}`;
      const { status, body } = await call("GET", path, { token: ADMIN_TOKEN });
      expect(status).toBe(200);
      for (const event of body.events) expect(event).toMatchObject({ kind: "cleanup", instance_id: null });
      seen.push(...body.events.map(({ id }: { id: string }) => id));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(["run-5", "run-4", "run-3", "run-2", "run-1"]);
    const all = await call("GET", "/api/admin/events", { token: ADMIN_TOKEN });
    expect(all.body.events[0]).toEqual({
      id: "run-5",
      at: "2030-01-07T00:00:00Z",
      instance_id: null,
      kind: "cleanup",
      severity: "info",
      message: "Cleanup",
      detail: { run: "run-5" },
    });
    expect(all.body.next_cursor).toBeNull();
  });
});
