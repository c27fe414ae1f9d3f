import { previewExample } from "../../../src/api/policy-previews/example.ts";
import type { Figures, KeptPreview, Point, PolicyReplay } from "../../../src/dashboard/replay/answers.ts";

/** What the API answers, as the page reads it: where the two differ, this does not compile. */
export const PREVIEW: PolicyReplay = previewExample;

export const FIGURES: Figures = {
  hours: { working: 60, idle: 8, silent: 0, hibernated: 100 },
  unpriced_hours: 0,
  cost: 27.52,
  wasted: 1.9,
  saved: 39.68,
  hibernations: 27,
  regrets: 0,
  deletions: 0,
  interruptions: 0,
  delayed_minutes: 0,
  work_cut_hours: 0,
};

export function preview(change: Partial<PolicyReplay> = {}): PolicyReplay {
  return { ...PREVIEW, ...change };
}

export function kept(candidate: Partial<Figures>, change: Partial<KeptPreview> = {}): KeptPreview {
  return { ...PREVIEW, results: [{ of: "candidate", ...FIGURES, ...candidate }], ...change };
}

export function point(change: Partial<Point> = {}): Point {
  return {
    threshold_percent: 5,
    hibernate_after_minutes: 20,
    saved: 30,
    hibernated_hours: 90,
    share_percent: 94,
    interruptions: 0,
    work_cut_hours: 0,
    is_frontier: false,
    is_proposed: false,
    ...change,
  };
}
