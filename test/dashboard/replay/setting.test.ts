import { expect, it } from "vitest";
import { refusalProblems } from "../../../src/dashboard/replay/refusal.ts";
import { settingIn } from "../../../src/dashboard/replay/setting.ts";

it("reads the numbers of a proposal, and nothing else for them", () => {
  const numbers = {
    threshold_percent: 3,
    hibernate_after_minutes: 20,
    share_percent: 94,
    saved: null,
    hibernated_hours: 40,
    interruptions: 0,
    work_cut_hours: 0,
  };
  expect(settingIn(numbers)).toMatchObject({ thresholdPercent: 3, saved: null, sharePercent: 94 });
  expect(settingIn({ ...numbers, saved: 12.5 })).toMatchObject({ saved: 12.5 });
  const wrong = [null, undefined, 3, {}, { ...numbers, interruptions: "0" }, { ...numbers, saved: "1" }];
  for (const parameters of wrong) expect(settingIn(parameters)).toBe(null);
});

it("finds the field of what is not valid, at each level", () => {
  const message = "must be less than idle.hibernate_after_seconds (60 s), but is 180 s";
  for (const root of ["body.policy", "body.instance_policy"]) {
    const [problem] = refusalProblems({ issues: [{ path: `${root}.idle.warn_after_seconds`, message }] });
    expect(problem).toMatchObject({
      path: ["idle", "warn_after_seconds"],
      problem: { code: "less_than", limit: 60, is: 180 },
    });
  }
  expect(refusalProblems({ issues: [{ path: "body.days", message: "no" }] })).toMatchObject([{ path: null }]);
});
