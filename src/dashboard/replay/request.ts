import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { KeptPreview } from "./answers.ts";

/** What is asked for: a policy as it is typed, at its level, over the last days. Pure. */

export const SPANS = ["day", "week", "month"] as const;

export type TrialSpan = (typeof SPANS)[number];

const DAYS: Readonly<Record<TrialSpan, number>> = { day: 1, week: 7, month: 30 };

/** Whose policy is typed. */
export type TrialLevel =
  | { readonly of: "user" }
  | {
      readonly of: "instance";
      readonly instanceId: string;
      /** What the level above says. */
      readonly user: PolicyOverrides;
    };

export interface TrialRequest {
  readonly policy: PolicyOverrides;
  readonly days: number;
  readonly instances?: readonly string[];
  readonly instance_policy?: PolicyOverrides;
}

export function trialOf(level: TrialLevel, overrides: PolicyOverrides, span: TrialSpan): TrialRequest {
  const days = DAYS[span];
  switch (level.of) {
    case "user":
      return { policy: overrides, days };
    case "instance":
      return { policy: level.user, days, instances: [level.instanceId], instance_policy: overrides };
  }
}

/** What a preview tried at this level; null for one that is of another. */
export function triedAtLevel(
  level: TrialLevel,
  { overrides, instance_policy, asked_of }: Pick<KeptPreview, "overrides" | "instance_policy" | "asked_of">,
): PolicyOverrides | null {
  switch (level.of) {
    case "user":
      return instance_policy === null ? overrides : null;
    case "instance": {
      const isOfIt = asked_of.instances?.length === 1 && asked_of.instances[0] === level.instanceId;
      return isOfIt ? instance_policy : null;
    }
  }
}
