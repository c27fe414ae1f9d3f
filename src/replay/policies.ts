import { readFormer } from "../lifecycle/model/former-settings.ts";
import { type PolicySettings, withOverrides } from "../lifecycle/model/policy-settings.ts";
import { toIso } from "../lifecycle/model/time.ts";
import type { PastEvent, PolicyInForce, Span } from "./story.ts";

/** What an instance goes by now. */
export interface PresentPolicy {
  readonly settings: PolicySettings;
  /** Whether the operator has suspended its user. */
  readonly suspended: boolean;
}

/**
 * The policies that were in force in this time, oldest first: from the present one each change is gone back by what it kept of the
 * former settings. Before a change that kept nothing, those after it stand in, and are marked as unknown. `events`: all of the
 * instance from the beginning of that time up to now, oldest first.
 */
export function policiesOf(
  present: PresentPolicy,
  events: readonly PastEvent[],
  { from, to }: Span,
): readonly PolicyInForce[] {
  const policies: PolicyInForce[] = [];
  let policy: Omit<PolicyInForce, "from"> = { ...present, unknownBecause: null };
  for (const event of events.filter(endsPolicy).reverse()) {
    if (event.at <= from) break;
    if (event.at <= to) policies.push({ from: event.at, ...policy });
    policy = before(event, policy);
  }
  return [{ from, ...policy }, ...policies.reverse()];
}

/** A restore takes the levels of the policy along, and nobody knows to where. */
function endsPolicy({ kind }: PastEvent): boolean {
  return kind === "policy_changed" || kind === "resumed";
}

function before(
  { at, kind, detail }: PastEvent,
  after: Omit<PolicyInForce, "from">,
): Omit<PolicyInForce, "from"> {
  const suspended = typeof detail.suspended === "boolean" ? !detail.suspended : after.suspended;
  const former = kind === "policy_changed" ? readFormer(detail.former) : null;
  if (former !== null) return { ...after, settings: withOverrides(after.settings, former), suspended };
  const unknownBecause =
    kind === "resumed"
      ? `what was set before the instance was set back or brought here (${toIso(at)}) is not kept`
      : `the change of policy at ${toIso(at)} does not say what was set before`;
  return { ...after, suspended, unknownBecause };
}
