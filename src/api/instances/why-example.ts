import type { z } from "zod";
import { DEFAULT_POLICY } from "../../lifecycle/model/policy-settings.ts";
import type { whySchema } from "./why-schema.ts";

const quiet = {
  verdict: "quiet",
  because: null,
  metric: "GPU",
  threshold_percent: 5,
  sources: [{ name: "ssh_connections", value: 0, threshold: 1, state: "quiet" }],
  activity: null,
  is_late: false,
  is_preparing: false,
} as const;

export const whyExample: z.infer<typeof whySchema> = {
  instance_id: "28864630",
  at: "2025-12-19T03:02:30Z",
  status: "running",
  verdict: "idle",
  idle_since: "2025-12-19T03:00:00Z",
  idle_at_least: false,
  lifecycle: {
    next_step: "warn",
    at: "2025-12-19T03:03:00Z",
    in_seconds: 30,
    because: "GPU under 5% since 2025-12-19T03:00:00Z, highest 2%",
    blocked_by: null,
  },
  policy: {
    since: "2025-12-18T11:58:00Z",
    unknown_because: null,
    preset: "thrifty",
    settings: DEFAULT_POLICY,
  },
  heard: { at: "2025-12-19T03:02:00Z", percent: 2, ...quiet },
  readings: [
    { at: "2025-12-19T03:01:00Z", percent: 1, ...quiet },
    { at: "2025-12-19T03:02:00Z", percent: 2, ...quiet },
    { at: "2025-12-19T03:03:00Z", percent: 0, ...quiet },
  ],
  hour: null,
  differences: [],
  events: [
    {
      id: "mb5k2x1c",
      at: "2025-12-19T03:03:00Z",
      instance_id: "28864630",
      kind: "idle",
      severity: "warning",
      message: "GPU <5% utilization for 3min. Hibernating in 2min.",
      detail: { rule: "idle", metric: "GPU", threshold_percent: 5, highest_percent: 2 },
    },
  ],
};
