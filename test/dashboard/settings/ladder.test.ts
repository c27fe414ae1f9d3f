import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arrangementOf } from "../../../src/dashboard/settings/policy/arrangement.ts";
import { contradictionsOf } from "../../../src/dashboard/settings/policy/contradictions.ts";
import { axisOf, laddersOf, placeLabels, placeOn } from "../../../src/dashboard/settings/policy/ladder.ts";
import { POLICY_FIELDS, SECTIONS_OF_LEVEL } from "../../../src/dashboard/settings/policy-fields.ts";
import {
  allFields,
  changesBetween,
  fieldsOf,
  valueAt,
} from "../../../src/dashboard/settings/policy-values.ts";
import { policyIssues } from "../../../src/lifecycle/model/policy-issues.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";

const drawn = (overrides: PolicyOverrides = {}) => {
  const policy = mergePolicy(overrides);
  return laddersOf((path) => valueAt(policy, path));
};

describe("the ladders of a policy", () => {
  it("have each step at its time, in the order in which they come", () => {
    expect(drawn().map(({ rungs }) => rungs.map(({ rung, atSeconds }) => [rung, atSeconds]))).toEqual([
      [
        ["warn", 180],
        ["hibernate", 300],
      ],
      [
        ["orphan", 300],
        ["hibernate", 1800],
        ["force", 7200],
        ["delete", 604_800],
      ],
    ]);
  });

  it("show a step that never comes as that, and one that comes before its forerunner as wrong", () => {
    const [idle, silence] = drawn({
      idle: { warn_after_seconds: 900 },
      orphan: { delete_after_days: null, enabled: false },
    });
    expect(idle?.rungs.map(({ isTooSoon }) => isTooSoon)).toEqual([false, true]);
    expect(silence).toMatchObject({ isOn: false });
    expect(silence?.rungs.at(-1)).toMatchObject({ atSeconds: null, isTooSoon: false });
  });

  it("are contradicted where the service would refuse them, and nowhere else", () => {
    const seconds = fc.constantFrom(60, 300, 301, 1800, 7200, 604_800, 700_000);
    fc.assert(
      fc.property(
        seconds,
        seconds,
        seconds,
        seconds,
        seconds,
        fc.option(fc.constantFrom(0.01, 1, 7)),
        (...values) => {
          const [warn, hibernate, orphan, silent, force, days] = values;
          const overrides: PolicyOverrides = {
            heartbeat_interval_seconds: 20,
            idle: { warn_after_seconds: warn, hibernate_after_seconds: hibernate },
            orphan: {
              orphan_after_seconds: orphan,
              hibernate_after_seconds: silent,
              force_hibernate_after_seconds: force,
              delete_after_days: days,
            },
          };
          const pathsOf = (issues: readonly { readonly path: readonly string[] | null }[]) =>
            issues.map(({ path }) => path?.join(".")).sort();
          const refused = policyIssues(mergePolicy(overrides), "agent").filter(({ message }) =>
            message.startsWith("must be less than"),
          );
          expect(pathsOf(contradictionsOf(drawn(overrides)))).toEqual(pathsOf(refused));
        },
      ),
    );
  });

  it("lie on an axis that grows with what is typed, and never outside it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 * 86_400 }),
        fc.integer({ min: 0, max: 400 * 86_400 }),
        fc.option(fc.double({ min: 0, max: 4000, noNaN: true })),
        (warn, hibernate, days) => {
          const ladders = drawn({
            idle: { warn_after_seconds: warn, hibernate_after_seconds: hibernate },
            orphan: { delete_after_days: days },
          });
          const axis = axisOf(ladders);
          const places = ladders.flatMap(({ rungs }) =>
            rungs.flatMap(({ atSeconds }) => (atSeconds === null ? [] : [placeOn(axis, atSeconds)])),
          );
          for (const place of places) expect(place >= 0 && place <= 1).toBe(true);
          expect(axis.ticks.length).toBeGreaterThan(1);
        },
      ),
    );
  });
});

it("labels never cover each other and stay in the picture", () => {
  const label = fc.record({ at: fc.integer({ min: 0, max: 300 }), width: fc.integer({ min: 1, max: 140 }) });
  fc.assert(
    fc.property(fc.array(label, { maxLength: 6 }), (labels) => {
      const sorted = labels.toSorted((one, other) => one.at - other.at);
      const placed = placeLabels(sorted, 300, 8).map((each, index) => ({
        ...each,
        right: each.left + (sorted[index]?.width ?? 0),
      }));
      for (const [index, one] of placed.entries()) {
        expect(one.left >= 0 && one.right <= 300).toBe(true);
        for (const other of placed.slice(index + 1)) {
          expect(one.row !== other.row || one.right <= other.left || other.right <= one.left).toBe(true);
        }
      }
    }),
  );
});

it.each(["user", "instance"] as const)("each field of the %s level stands in the editor once", (level) => {
  const { mode, ladders, folded } = arrangementOf(level);
  const shown = [...mode, ...ladders.idle, ...ladders.silence, ...folded.flatMap(({ fields }) => fields)];
  const settable = [
    ...fieldsOf(POLICY_FIELDS),
    ...SECTIONS_OF_LEVEL[level].flatMap((section) => allFields(POLICY_FIELDS[section], [section])),
  ];
  const paths = (fields: typeof settable) => fields.map(({ path }) => path.join(".")).sort();
  expect(paths(shown)).toEqual(paths(settable));
});

it("counts in how many fields two levels differ", () => {
  expect(changesBetween({}, {})).toBe(0);
  expect(changesBetween({ idle: {} }, {})).toBe(0);
  expect(
    changesBetween(
      { keep_alive_minutes: 30, orphan: { delete_after_days: 7 } },
      { orphan: { delete_after_days: null }, idle: { metric: "cpu" } },
    ),
  ).toBe(3);
});
