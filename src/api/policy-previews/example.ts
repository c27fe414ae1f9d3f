import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { proposalInEnglish } from "../../replay/say-proposal.ts";
import type { PointView } from "./proposal-schemas.ts";
import type { HeadView, LineView, OutcomeView, PreviewView } from "./schemas.ts";

/** A preview as the API reference shows it. */

const actual: OutcomeView = {
  hours: { working: 61.2, idle: 14.1, silent: 0, hibernated: 92.7 },
  unpriced_hours: 0,
  cost: 30.12,
  wasted: 4.4,
  saved: 37.08,
  hibernations: 21,
  regrets: 1,
  deletions: 0,
  interruptions: 0,
  delayed_minutes: 0,
  work_cut_hours: 0,
};

const candidate: OutcomeView = {
  ...actual,
  hours: { working: 60.5, idle: 8.3, silent: 0, hibernated: 99.2 },
  cost: 27.52,
  wasted: 1.9,
  saved: 39.68,
  hibernations: 27,
  interruptions: 1,
  delayed_minutes: 4.2,
  work_cut_hours: 0.07,
};

const setting = {
  threshold_percent: 3,
  hibernate_after_minutes: 20,
  share_percent: 94,
  saved: 37.3,
  hibernated_hours: 93.3,
  interruptions: 0,
  work_cut_hours: 0,
};
const says = { code: "spares", parameters: setting } as const;
const point: PointView = {
  ...setting,
  hibernations: 24,
  delayed_minutes: 0,
  is_frontier: true,
  is_proposed: true,
};
const proposed = { says, message: proposalInEnglish(says), proposed: point };

export const lineExample: LineView = {
  instance_id: "28864630",
  name: "ML Training Rig",
  tags: { team: "vision" },
  actual,
  candidate,
  proposal: proposed,
};

export const headExample: HeadView = {
  id: "0b0f7f9e-3c61-4a53-9c6e-0f2a3e0a7c11",
  created_at: "2025-12-19T03:25:45Z",
  state: "done",
  failed_because: null,
  days: 7,
  from: "2025-12-12T03:25:45Z",
  to: "2025-12-19T03:25:45Z",
  policy: mergePolicy({ idle: { threshold_percent: 3, hibernate_after_seconds: 600 } }),
  preset: "custom",
  overrides: { idle: { threshold_percent: 3, hibernate_after_seconds: 600 } },
  instance_policy: null,
  asked_of: { instances: null, tag: null },
  instances: { total: 1, done: 1, skipped: 0 },
  results: [
    { of: "actual", ...actual },
    { of: "candidate", ...candidate },
  ],
};

export const previewExample: PreviewView = {
  ...headExample,
  interruptions: [
    {
      instance_id: "28864630",
      name: "ML Training Rig",
      hibernated_at: "2025-12-15T13:02:11Z",
      at: "2025-12-15T13:31:08Z",
      evidence: "GPU at 97%",
      delayed_minutes: 4.2,
      work_cut_hours: 0.07,
    },
  ],
  basis: { readings: 9876, coarse_hours: 0, assumed_idle_hours: 1.5, readings_without_use: 0 },
  by_instance: [lineExample],
  proposal: {
    frontier: [point],
    measure: "dollars",
    trade: null,
    ...proposed,
    by_tag: [{ tag: "team:vision", instances: 1, ...proposed }],
  },
  skipped: [],
};
