import { readFormer } from "../lifecycle/model/former-settings.ts";
import { type PolicySettings, withOverrides } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS, toIso } from "../lifecycle/model/time.ts";
import { momentIn } from "./detail.ts";
import type { PastEvent, PolicyInForce, Span } from "./story.ts";

/** What an instance goes by now. */
export interface PresentPolicy {
  readonly settings: PolicySettings;
  /** Whether the operator has suspended its user. */
  readonly suspended: boolean;
}

type Held = Omit<PolicyInForce, "from">;

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
  const note = (at: number, held: Held) => {
    if (at <= to) policies.push({ from: Math.max(at, from), ...held });
  };
  let held: Held = { ...present, unknownBecause: null };
  let rest = events.filter((event) => event.at > from && endsPolicy(event));
  for (let last = rest.at(-1); last !== undefined; last = rest.at(-1)) {
    rest = rest.slice(0, -1);
    note(last.at, held);
    if (last.kind === "policy_changed") {
      held = beforeChange(last, held);
      continue;
    }
    const { undone, kept } = undoneBy(last, rest, events);
    const [first] = undone;
    const unknownBecause = `what was set before ${toIso(last.at)}, when the instance was set back or brought here, is not kept`;
    if (kept === null) held = { ...held, unknownBecause };
    else if (first !== undefined) {
      note(first.at, { ...held, unknownBecause });
      rest = [...kept];
    }
  }
  note(from, held);
  return policies.reverse();
}

function endsPolicy({ kind }: PastEvent): boolean {
  return kind === "policy_changed" || kind === "resumed";
}

function beforeChange({ at, detail }: PastEvent, after: Held): Held {
  const suspended = typeof detail.suspended === "boolean" ? !detail.suspended : after.suspended;
  const former = readFormer(detail.former);
  if (former !== null) return { ...after, settings: withOverrides(after.settings, former), suspended };
  const unknownBecause = `the change of policy at ${toIso(at)} does not say what was set before`;
  return { ...after, suspended, unknownBecause };
}

/**
 * Who sets an instance back undoes what was changed since the moment to which it is set. Where nobody knows that moment, every change
 * may be undone: `kept` is null then.
 */
function undoneBy(
  { detail }: PastEvent,
  changes: readonly PastEvent[],
  events: readonly PastEvent[],
): { readonly undone: readonly PastEvent[]; readonly kept: readonly PastEvent[] | null } {
  const knownUntil = momentIn(detail, "known_until");
  if (knownUntil !== null) {
    // It is kept to the second.
    const isKept = ({ at }: PastEvent) => at < knownUntil + SECOND_MS;
    return { undone: changes.filter((change) => !isKept(change)), kept: changes.filter(isKept) };
  }
  const isWhole = events.some(({ kind }) => kind === "registered");
  return { undone: [], kept: isWhole && changes.length === 0 ? [] : null };
}
