import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { KEPT_TABLES, USER_TABLES } from "../../src/history/belongings.ts";

/** The columns of a table's key, in their order, and whether it has a column `user_id`. */
async function describeTable(table: string): Promise<{ key: string[]; isOfUsers: boolean }> {
  const { results } = await env.DB.prepare("SELECT name, pk FROM pragma_table_info(?) ORDER BY pk")
    .bind(table)
    .all<{ name: string; pk: number }>();
  return {
    key: results.filter(({ pk }) => pk > 0).map(({ name }) => name),
    isOfUsers: results.some(({ name }) => name === "user_id"),
  };
}

it("every table with a column user_id is listed as a user's, with its key", async () => {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  const found = new Map<string, readonly string[]>();
  for (const { name } of tables.results) {
    const { key, isOfUsers } = await describeTable(name);
    if (isOfUsers) found.set(name, key);
  }
  for (const name of KEPT_TABLES) expect(found.delete(name)).toBe(true);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(USER_TABLES.map(({ name, key }) => [name, key])),
  );
});
