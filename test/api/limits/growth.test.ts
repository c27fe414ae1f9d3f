import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createUserToken } from "../../../src/accounts/user-tokens.ts";
import { appendEvent } from "../../../src/history/append.ts";
import { alertOf } from "../../fleet/fleets.ts";
import { ADMIN_TOKEN, call, DAY, newUser } from "../../world.ts";

const OWNER = { role: "owner", expiresAt: null, madeById: null } as const;
const A_DAY = 24 * 60 * 60_000;

describe("a user's tokens", () => {
  it("are as many as may be, though several are issued at once; a revoked one makes room", async () => {
    const { userId, tokenId } = await newUser();
    const issue = (id: string) =>
      createUserToken(env.DB, { ...OWNER, id: `${id}-${userId}`, userId, name: id, now: DAY }, 3);
    const issued = await Promise.all(["a", "b", "c", "d"].map(issue));
    expect(issued.sort()).toEqual(["created", "created", "too_many", "too_many"]);
    const revoked = await call("DELETE", `/api/admin/tokens/${tokenId}`, { token: ADMIN_TOKEN });
    expect(revoked.status).toBe(200);
    expect(await issue("e")).toBe("created");
    expect(await issue("f")).toBe("too_many");
    expect(
      await createUserToken(env.DB, { ...OWNER, id: "x", userId: "u-none", name: "x", now: DAY }, 3),
    ).toBe("unknown_user");
  });

  it("are refused clearly beyond that", async () => {
    const { userId } = await newUser();
    const issue = () => call("POST", `/api/admin/users/${userId}/tokens`, { token: ADMIN_TOKEN });
    for (let index = 1; index < 50; index++) expect((await issue()).status).toBe(201);
    const refused = await issue();
    expect(refused.status).toBe(409);
    expect(refused.body.error).toEqual({
      code: "too_many",
      message: "A user has 50 tokens at most: revoke those that are no longer needed",
    });
  });
});

describe("an instance's events in the history", () => {
  it("are so many within 24 hours, and the last one says that what follows is not kept", async () => {
    const { userId } = await newUser();
    const append = (index: number, at: number) =>
      appendEvent(env.DB, userId, "rig", alertOf(`e-${index}`, { at }), 5).run();
    for (let index = 0; index < 9; index++) await append(index, DAY + index);
    // Again, as after an answer that was lost.
    await append(0, DAY);
    await append(4, DAY + 4);
    const kept = async () => {
      const { results } = await env.DB.prepare(
        "SELECT id, kind, message FROM events WHERE user_id = ? ORDER BY at",
      )
        .bind(userId)
        .all<{ id: string; kind: string; message: string }>();
      return results;
    };
    expect((await kept()).map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      "e-0 delete_failed",
      "e-1 delete_failed",
      "e-2 delete_failed",
      "e-3 delete_failed",
      "e-4 history_lost",
    ]);
    expect((await kept()).at(-1)?.message).toBe("More than 5 events within a day: what follows is not kept");
    await append(10, DAY + A_DAY + 5);
    expect((await kept()).at(-1)).toMatchObject({ id: "e-10", kind: "delete_failed" });
    // Another instance's are its own.
    await appendEvent(env.DB, userId, "other", alertOf("o", { at: DAY }), 5).run();
    expect(await kept()).toHaveLength(7);
  });
});
