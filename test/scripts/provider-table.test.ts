import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withProviderTable } from "../../scripts/provider-table.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/providers.md"), "utf8");

it("docs/providers.md says of each provider what the code does: npm run docs writes it", () => {
  expect(document).toBe(withProviderTable(document));
});

it("a document without a place for the table is refused, and not written over", () => {
  expect(() => withProviderTable("# Providers\n")).toThrow(/has no/);
});
