import { expect, it } from "vitest";
import { endsOf, problemOf } from "../../src/alerts/problems.ts";
import { historyEventKindSchema } from "../../src/lifecycle/model/history-event.ts";

it("no event both says that something is wrong and that it is over", () => {
  for (const kind of historyEventKindSchema.options) {
    expect(problemOf(kind) !== null && endsOf(kind).length > 0, kind).toBe(false);
  }
});

it("whatever lasts is ended by an event", () => {
  const ended = new Set(historyEventKindSchema.options.flatMap(endsOf));
  const lasting = historyEventKindSchema.options.map(problemOf).filter((problem) => problem !== "incident");
  expect(ended).toEqual(new Set(lasting.filter((problem) => problem !== null)));
});

it("a kind of a newer version is news", () => {
  expect(problemOf("toString")).toBeNull();
  expect(endsOf("constructor")).toEqual([]);
});
