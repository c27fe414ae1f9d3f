import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { PRESETS } from "../../src/lifecycle/model/presets.ts";
import { type Row, rows, withWorkloads } from "../workloads/table.ts";
import { WORKLOADS } from "../workloads/workloads.ts";

/** Workloads, made into heartbeats and judged by the real rules: whether what happens to each is right. */

let all: readonly Row[];

beforeAll(() => {
  all = rows();
});

describe.each(WORKLOADS.map(({ name }) => name))("%s", (name) => {
  it.each(PRESETS)("is judged right at the preset %s", (preset) => {
    const row = all.find(({ workload }) => workload.name === name);
    expect(row?.verdicts.after[preset]).toEqual({ says: expect.any(String), isRight: true });
  });
});

it("docs/idleness.md says what happens to each: npm run docs writes it", () => {
  const document = readFileSync(join(import.meta.dirname, "../../docs/idleness.md"), "utf8");
  expect(document).toBe(withWorkloads(document, all));
});

it("a document without a place for the tables is refused, and not written over", () => {
  expect(() => withWorkloads("# Idleness\n", all)).toThrow(/has no/);
});
