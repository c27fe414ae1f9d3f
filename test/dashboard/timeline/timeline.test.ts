import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LifecycleEvent, Severity } from "../../../src/dashboard/timeline/event.ts";
import { factsOf } from "../../../src/dashboard/timeline/evidence.ts";
import { filterIn, filterQuery, toggled } from "../../../src/dashboard/timeline/filter.ts";
import { folded } from "../../../src/dashboard/timeline/fold.ts";

const listOf = (kinds: readonly string[], severity: Severity = "info"): LifecycleEvent[] =>
  kinds.map((kind, place) => ({
    id: String(place),
    at: new Date(1_800_000_000_000 - place * 60_000).toISOString(),
    instance_id: "rig",
    kind,
    severity,
    message: "",
    detail: {},
  }));

describe("what only repeats itself", () => {
  it("is one line, in the order in which it happened, and the rest stays as it is", () => {
    const events = listOf([
      "kept_alive",
      ...Array<string[]>(15).fill(["busy", "idle"]).flat(),
      "first_heartbeat",
    ]);
    const entries = folded(events);
    expect(
      entries.map((entry) => (entry.is === "one" ? entry.event.kind : [entry.kinds, entry.times])),
    ).toEqual(["kept_alive", [["idle", "busy"], 15], "first_heartbeat"]);
  });

  it("is told each time while it happened twice only, where it is critical, or is of other instances", () => {
    expect(folded(listOf(["busy", "idle", "busy", "idle"]))).toHaveLength(4);
    expect(folded(listOf(["silent", "silent", "silent"], "critical"))).toHaveLength(3);
    const ofMany = listOf(["idle", "idle", "idle"]).map((event, place) => ({
      ...event,
      instance_id: `rig-${place}`,
    }));
    expect(folded(ofMany)).toHaveLength(3);
  });

  it("loses no event and changes no order, whatever happens", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("idle", "busy", "hibernated", "woken"), { maxLength: 60 }),
        (kinds) => {
          const events = listOf(kinds);
          const back = folded(events).flatMap((entry) => (entry.is === "one" ? [entry.event] : entry.events));
          expect(back).toEqual(events);
        },
      ),
    );
  });
});

describe("what stands behind an event", () => {
  it("is told in sentences, and money and ids are left to what tells them", () => {
    expect(
      factsOf({
        rule: "idle",
        metric: "GPU",
        threshold_percent: 5,
        highest_percent: 2.4,
        idle_since: "2026-11-27T19:29:17Z",
        heartbeats: 5,
        step_at: "2026-11-27T19:34:17Z",
        action_id: "hibernate-1",
        rate: 2.4,
        keep_alive_until: null,
      }),
    ).toEqual([
      { is: "idle", metric: "GPU", highest: 2.4, threshold: 5, since: "2026-11-27T19:29:17Z", heartbeats: 5 },
      { is: "next", at: "2026-11-27T19:34:17Z" },
      { is: "rule", path: "idle" },
    ]);
  });

  it("is shown as it is where no sentence is known, whatever it is", () => {
    expect(factsOf({ idle_since: "never", tries: 3, snapshot_first: true })).toEqual([
      { is: "other", name: "idle_since", value: "never" },
      { is: "other", name: "tries", value: "3" },
      { is: "other", name: "snapshot_first", value: "true" },
    ]);
    expect(factsOf({ odd: { toString: 1 } })).toEqual([
      { is: "other", name: "odd", value: '{"toString":1}' },
    ]);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (detail) => {
        expect(() => factsOf(detail)).not.toThrow();
      }),
    );
  });
});

describe("which events are shown", () => {
  it("stands in the address, and goes to the service as it takes it", () => {
    const filter = filterIn(new URLSearchParams("severity=critical&severity=warning&kind=idle&range=day"));
    expect(filter).toEqual({ severities: ["warning", "critical"], kind: "idle" });
    expect(filterQuery(filter)).toBe("&severity=warning&severity=critical&kind=idle");
    expect(toggled(filter, "warning")).toEqual(["critical"]);
    expect(toggled(filter, "info")).toEqual(["info", "warning", "critical"]);
  });

  it("is all of them for an address that says none well", () => {
    const filter = filterIn(new URLSearchParams(`severity=loud&severity=&kind=${"k".repeat(101)}`));
    expect(filterQuery(filter)).toBe("");
    expect(filterQuery(filterIn(new URLSearchParams("kind=a%26limit%3D9")))).toBe("&kind=a%26limit%3D9");
  });
});
