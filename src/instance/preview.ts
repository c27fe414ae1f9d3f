import { decide } from "../lifecycle/decide.ts";
import { addedIssues, type PolicyIssue, policyIssues } from "../lifecycle/model/policy-issues.ts";
import {
  mergePolicy,
  type PolicyOverrides,
  type PolicySettings,
} from "../lifecycle/model/policy-settings.ts";
import type { ConnectedProvider } from "../lifecycle/model/provider.ts";
import type { Reader } from "../lifecycle/model/words/said.ts";
import { type LiveView, liveView } from "../lifecycle/views/instance-view.ts";
import { type Upcoming, upcoming } from "../lifecycle/views/upcoming.ts";
import type { InstanceLife } from "./life.ts";
import type { Absent } from "./outcomes.ts";
import { settingsOf } from "./settings-of.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** What other overrides would mean for an instance. Nothing here changes it. */

export type PreviewOutcome =
  /** As it would be if they were set now. */
  | {
      readonly outcome: "previewed";
      readonly view: LiveView;
      readonly policy: PolicySettings;
      /** What the clock alone would bring. */
      readonly schedule: readonly Upcoming[];
    }
  | { readonly outcome: "bad_policy"; readonly issues: readonly PolicyIssue[] }
  | Absent;

export function preview(life: InstanceLife, overrides: PolicyOverrides, reader: Reader): PreviewOutcome {
  const stored = life.known();
  if (stored === null) return life.absence();
  const issues = issuesOf(stored, overrides, stored.state.profile.provider);
  if (issues.length > 0) return { outcome: "bad_policy", issues };
  const now = Date.now();
  const next = { ...stored, overrides };
  const [former, policy] = [life.policy(stored), life.policy(next)];
  const { state } = decide(stored.state, { type: "policy.changed", former }, policy, now);
  const view = liveView(stored.instanceId, state, policy, now, reader);
  return { outcome: "previewed", view, policy: settingsOf(next), schedule: upcoming(policy, now) };
}

/** Why these may not be its overrides, with this provider. */
export function issuesOf(
  stored: StoredInstance,
  overrides: PolicyOverrides,
  provider: ConnectedProvider,
): PolicyIssue[] {
  return addedIssues(
    policyIssues(settingsOf(stored), stored.state.profile.provider),
    policyIssues(mergePolicy(stored.userPolicy, overrides), provider),
  );
}
