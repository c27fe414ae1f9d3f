import { expect, it } from "vitest";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { COMPARED, comparisonOf } from "../../src/replay/compare.ts";
import { minute, readingsOf, storyOf } from "./stories.ts";

/** A job of forty minutes at 02:00 and another at 05:00. Between them, and until 08:00, nothing. */
const night = [
  ...readingsOf(0, 120, 0),
  ...readingsOf(120, 160, 95),
  ...readingsOf(160, 300, 0),
  ...readingsOf(300, 340, 95),
  ...readingsOf(340, 480, 0),
];

/** The worked example of docs/replay.md. */
it("sets what happened beside the candidate, the policy in force and each preset", () => {
  const settings = mergePolicy({ mode: "observe" });
  const candidate = mergePolicy({ idle: { warn_after_seconds: 7200, hibernate_after_seconds: 9000 } });
  const comparison = comparisonOf(storyOf(480, night, { settings }), candidate);
  const figures = COMPARED.map((of) => {
    const { outcome } = comparison[of];
    return [
      of,
      outcome.hibernations,
      outcome.hibernatedMs / MINUTE_MS,
      outcome.interruptions,
      outcome.workCutMs / MINUTE_MS,
    ];
  });
  expect(figures).toEqual([
    ["actual", 0, 0, 0, 0],
    ["candidate", 0, 0, 0, 0],
    ["in_force", 0, 0, 0, 0],
    ["thrifty", 3, 125 + 145 + 135, 2, 20],
    ["balanced", 3, 100 + 120 + 110, 2, 20],
    ["careful", 3, 70 + 90 + 80, 2, 20],
  ]);
  expect(comparison.thrifty.outcome.saved).toBeCloseTo(((125 + 145 + 135 - 20) / 60) * 0.39, 9);
  expect(comparison.thrifty.interruptions).toMatchObject([
    { hibernatedAt: minute(5), at: minute(120), evidence: "GPU at 95%", delayedMs: 10 * MINUTE_MS },
    { hibernatedAt: minute(165), at: minute(300) },
  ]);
});
