import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { NEWEST_MIGRATION } from "../../src/history/standing.ts";

it("the code knows the newest migration", () => {
  expect(
    env.TEST_MIGRATIONS.map(({ name }) => name)
      .sort()
      .at(-1),
  ).toBe(NEWEST_MIGRATION);
});
