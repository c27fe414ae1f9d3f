import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { deleteLeftBehindPage, LEFT_ROWS_PER_PAGE } from "../../src/history/left-behind.ts";
import { newUser } from "../world.ts";
import { walk } from "./age.ts";

/** What a release that does not know people leaves behind of a user whom it deletes. */

const TABLES = ["sessions", "sign_in_links", "identities", "people", "audit"] as const;

async function fill(userId: string, acts = 1): Promise<void> {
  const { DB } = env;
  await DB.batch([
    DB.prepare(
      `INSERT INTO sessions (digest, id, user_id, device, created_at, last_used_at, expires_at)
       VALUES (?1, ?1, ?1, 'Firefox on Linux', 1, 1, 1)`,
    ).bind(userId),
    DB.prepare(
      `INSERT INTO sign_in_links (digest, id, user_id, made_by, made_by_kind, created_at, expires_at)
       VALUES (?1, ?1, ?1, 'operator', 'operator', 1, 1)`,
    ).bind(userId),
    DB.prepare(
      "INSERT INTO identities (issuer, subject, user_id, person_id, bound_at) VALUES ('i', 's', ?1, ?1, 1)",
    ).bind(userId),
    DB.prepare(
      "INSERT INTO people (id, user_id, name, role, created_at) VALUES (?1, ?1, 'Bea', 'owner', 1)",
    ).bind(userId),
    DB.prepare(
      `INSERT INTO audit (user_id, at, id, who, act, detail)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
       SELECT ?1, i, 'a', '{}', 'signIn', '{}' FROM n`,
    ).bind(userId, acts),
  ]);
}

/** As a deletion that is under way (`finishedAt` null) or over. */
async function noteDeletion(userId: string, finishedAt: number | null): Promise<void> {
  await env.DB.prepare(
    "INSERT INTO user_deletions (user_id, requested_at, finished_at, progress) VALUES (?, 1, ?, '{}')",
  )
    .bind(userId, finishedAt)
    .run();
  if (finishedAt !== null) await env.DB.prepare("DELETE FROM users WHERE id = ?").bind(userId).run();
}

async function rowsOf(userId: string): Promise<number> {
  const counts = await env.DB.batch<{ n: number }>(
    TABLES.map((table) =>
      env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE user_id = ?`).bind(userId),
    ),
  );
  return counts.reduce((sum, { results }) => sum + (results[0]?.n ?? 0), 0);
}

const sweep = () => walk((from) => deleteLeftBehindPage(env.DB, from));

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM user_deletions").run();
});

it("is deleted of users whose deletion is finished, and of nobody else", async () => {
  const [gone, leaving, here] = await Promise.all([newUser("Gone"), newUser("Leaving"), newUser("Here")]);
  for (const { userId } of [gone, leaving, here]) await fill(userId);
  await noteDeletion(gone.userId, 2);
  await noteDeletion(leaving.userId, null);
  const before = await Promise.all([rowsOf(leaving.userId), rowsOf(here.userId)]);
  const left = await rowsOf(gone.userId);
  expect(left).toBeGreaterThanOrEqual(TABLES.length);
  expect((await sweep()).rows).toBe(left);
  expect(await rowsOf(gone.userId)).toBe(0);
  expect(await Promise.all([rowsOf(leaving.userId), rowsOf(here.userId)])).toEqual(before);
  expect((await sweep()).rows).toBe(0);
});

it("is deleted however much it is, and however many were deleted", async () => {
  const acts = 2 * LEFT_ROWS_PER_PAGE + 3;
  const ids = Array.from({ length: 230 }, (_, index) => `u-left-${String(index).padStart(3, "0")}`);
  for (const userId of ids) await noteDeletion(userId, 2);
  const [first = "", last = ""] = [ids[0], ids.at(-1)];
  await fill(first, acts);
  await fill(last);
  const { rows, calls } = await sweep();
  expect(rows).toBe(acts + 4 + 5);
  // Three pages of users, and two more for what did not fit into the first.
  expect(calls).toBe(2 * 5);
  expect([await rowsOf(first), await rowsOf(last)]).toEqual([0, 0]);
});

it("asks once where nobody was ever deleted", async () => {
  expect(await sweep()).toEqual({ rows: 0, unreadable: 0, calls: 1 });
});
