import { describe, expect, it } from "vitest";
import { ADMIN_TOKEN, call, newUser } from "../world.ts";

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
});
