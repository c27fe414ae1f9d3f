import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** Whoever is woken by an alert finds it in the runbook, and each promise has a rule, or says why it has none. */

const ROOT = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

const rules = [...read("monitoring/alerts.yml").matchAll(/- alert: (\w+)/g)].map(([, name]) => String(name));

/** The section of an operator's page under this heading. */
function section(text: string, heading: string): string {
  const [, after = ""] = text.split(`\n## ${heading}\n`);
  return after.split(/^## /m)[0] ?? "";
}

/** The rows of the first table whose header begins with this word, cell by cell. */
function table(text: string, first: string): string[][] {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => line.startsWith(`| ${first} |`));
  const rest = lines.slice(head + 2);
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const runbook = section(read("docs/operations.md"), "At three in the morning");
const promises = table(read("docs/monitoring.md"), "promise");

describe("the runbook", () => {
  it("has what each alert means, what to look at and what to do, and nothing of an alert that is none", () => {
    const entries = new Map(
      runbook
        .split(/^### /m)
        .slice(1)
        .map((entry): [string, string] => [entry.split("\n")[0] ?? "", entry]),
    );
    expect([...entries.keys()].toSorted()).toEqual(rules.toSorted());
    for (const [name, entry] of entries) {
      for (const part of ["Means", "Look", "Do"]) expect(entry, name).toContain(`**${part}**: `);
    }
  });
});

describe("the table of promises", () => {
  it("has each promise of docs/reliability.md, and no other", () => {
    const promised = table(read("docs/reliability.md"), "promise").map(([promise]) => promise);
    expect(promised.length).toBeGreaterThan(10);
    expect(promises.map(([promise]) => promise).toSorted()).toEqual(promised.toSorted());
  });

  it("names a metric that is there and a rule that is there, or says why there is none", () => {
    const metrics = readdirSync(join(ROOT, "src/metrics")).map((file) => read(`src/metrics/${file}`));
    for (const [promise, metric = "", rule = ""] of promises) {
      for (const [, name] of metric.matchAll(/`(dumont_\w+)`/g)) {
        expect(
          metrics.some((text) => text.includes(`"${name}"`)),
          `${promise}: ${name}`,
        ).toBe(true);
      }
      const named = [...rule.matchAll(/\[(\w+)\]\(operations\.md#(\w+)\)/g)];
      for (const [, name, anchor] of named) {
        expect(rules, String(promise)).toContain(name);
        expect(anchor).toBe(name?.toLowerCase());
      }
      const isExplained = metric.startsWith("none") || metric === "the same";
      expect(named.length > 0 || isExplained, String(promise)).toBe(true);
    }
  });
});
