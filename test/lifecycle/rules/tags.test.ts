import { describe, expect, it } from "vitest";
import type { Tags } from "../../../src/lifecycle/model/tags.ts";
import { at, START, Timeline } from "../timeline.ts";

/** A life in which everything happens: work, idleness, a hibernation that succeeds, a wake, silence, and another hibernation. */
function life(between: (timeline: Timeline) => void): Timeline {
  const timeline = new Timeline();
  const go = (clock: string, gpu: number | null) => {
    for (let next = timeline.now; next <= at(clock); next += 60_000) {
      timeline.until(next);
      if (gpu !== null) timeline.heartbeat({ gpu_utilization: gpu });
      between(timeline);
    }
    timeline.until(at(clock));
  };
  go("5:00", 87);
  go("12:00", 1);
  between(timeline);
  timeline.accept();
  between(timeline);
  timeline.succeed();
  between(timeline);
  timeline.command({ type: "wake.requested" });
  between(timeline);
  timeline.succeed();
  go("30:00", 87);
  go("1:10:00", null);
  timeline.permit();
  between(timeline);
  timeline.accept();
  timeline.succeed();
  go("2:00:00", null);
  // A change settles what has been saved so far.
  change(timeline, {});
  return timeline;
}

const change = (timeline: Timeline, tags: Tags) =>
  timeline.command({ type: "changed", changes: { tags }, sighted: null });

describe("a change of tags alone", () => {
  it("has no effect on the ladders, the orders, the costs or what is counted", () => {
    const plain = life(() => {});
    let changes = 0;
    const tagged = life((timeline) => {
      expect(change(timeline, { change: String(changes++) })).toBeNull();
    });
    expect(changes).toBeGreaterThan(100);
    expect(withoutIds(tagged.state)).toEqual(withoutIds(plain.state));
    const orders = ({ effects }: Timeline) =>
      effects.flatMap((each) => (each.type === "action" ? [each] : []));
    expect(orders(tagged)).toHaveLength(3);
    expect(withoutIds(orders(tagged))).toEqual(withoutIds(orders(plain)));
    const kinds = ({ events }: Timeline) =>
      events.map(({ kind }) => kind).filter((kind) => kind !== "changed");
    expect(kinds(tagged)).toEqual(kinds(plain));
    expect(tagged.armedAt).toBe(plain.armedAt);
  });

  it("is an event that tells the tags as one text, and brings the row up to date", () => {
    const timeline = new Timeline();
    timeline.drain();
    timeline.effects.length = 0;
    timeline.until(START + 1000);
    change(timeline, { team: "vision" });
    expect(timeline.effects.map(({ type }) => type)).toContain("projection");
    expect(timeline.events.at(-1)).toMatchObject({
      kind: "changed",
      severity: "info",
      message: "Changed: tags",
      detail: { tags: '{"team":"vision"}' },
    });
    expect(timeline.view.tags).toEqual({ team: "vision" });
    change(timeline, {});
    expect(timeline.view.tags).toEqual({});
  });

  it("stays with another machine, and is none at an instance that never had one", () => {
    const timeline = new Timeline();
    expect(timeline.state.profile.tags).toBeUndefined();
    expect(timeline.view.tags).toEqual({});
    change(timeline, { team: "vision" });
    timeline.command({ type: "changed", changes: { providerRef: "m-2" }, sighted: null });
    expect(timeline.view.tags).toEqual({ team: "vision" });
  });
});

const IDS: ReadonlySet<string> = new Set(["id", "actionId", "nextEffectId"]);

/** Without what counts the changes too. Sums of dollars are rounded: they are added up in other steps. */
function withoutIds(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (IDS.has(key)) return undefined;
      return typeof each === "number" ? Math.round(each * 1e9) / 1e9 : each;
    }),
  );
}
