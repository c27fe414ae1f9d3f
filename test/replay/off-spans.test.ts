import { expect, it } from "vitest";
import { offSpansOf } from "../../src/replay/off-spans.ts";
import type { PastEvent } from "../../src/replay/story.ts";

/** What the events of a life tell of when its machine was off. */

function told(...events: readonly (readonly [at: number, kind: string, detail?: PastEvent["detail"]])[]) {
  return offSpansOf(events.map(([at, kind, detail = {}]) => ({ id: `${at}-${kind}`, at, kind, detail })));
}

const causes: readonly [string, PastEvent["detail"], string][] = [
  ["idleness", { reason: "idle" }, "policy"],
  ["its schedule", { reason: "owner", because: "schedule" }, "policy"],
  ["its longest time", { reason: "owner", because: "max_runtime" }, "policy"],
  ["its silence", { reason: "silence" }, "silence"],
  ["its owner", { reason: "owner" }, "outside"],
  ["itself", { reason: "instance" }, "outside"],
  ["a budget", { reason: "idle", because: "budget" }, "outside"],
  ["the kill switch", { reason: "owner", because: "kill_switch" }, "outside"],
];

it.each(causes)("knows that it was off for %s", (_, detail, by) => {
  expect(told([1, "hibernating"], [2, "hibernated", detail], [9, "woken"])).toEqual([
    { orderedAt: 1, from: 2, to: 9, by, woken: { at: 9, by: "outside" }, wakeTookMs: null },
  ]);
});

it("knows who had it woken, and when", () => {
  const off = [2, "hibernated", { reason: "idle" }] as const;
  expect(told(off, [5, "waking", { rule: "schedule" }], [8, "woken"])).toMatchObject([
    { to: 8, woken: { at: 5, by: "schedule" }, wakeTookMs: 3 },
  ]);
  expect(told(off, [5, "waking"], [6, "wake_failed"], [9, "found_running"])).toMatchObject([
    { to: 9, woken: { at: 9, by: "outside" }, wakeTookMs: null },
  ]);
  expect(told(off, [5, "waking"], [7, "orphaned"])).toMatchObject([{ to: 7, woken: { at: 5 } }]);
});

it("leaves open what has not ended, and forgets an order that was called off", () => {
  const called = told([1, "preparing"], [2, "preparation_cancelled"], [5, "hibernated", { reason: "idle" }]);
  expect(called).toEqual([{ orderedAt: 5, from: 5, to: null, by: "policy", woken: null, wakeTookMs: null }]);
});
