import { costsOf } from "../model/hibernated-cost.ts";
import { record } from "../model/outbox.ts";
import type { Orphan, Unheard } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import { type InstanceState, withOrphan } from "../model/state.ts";
import { onlyDeletes, whyNotStopped } from "../model/stopping.ts";
import { toIso } from "../model/time.ts";
import { phrase, together } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { nextStep, silenceEvidence } from "./ladder.ts";
import { awaitedFrom, whyUnheard } from "./unheard.ts";

/** What the owner of an instance is told that was never heard. */

/** Tells the owner, once. From `at` on it has a place on the ladder, which leads on only where the policy says so. */
export function warnOfUnheard(state: InstanceState, at: number, policy: Policy): InstanceState {
  const from = awaitedFrom(state);
  const orphan: Orphan = {
    since: at,
    clockFrom: from,
    step: "orphaned",
    guard: null,
    failed: null,
    deleteFailed: null,
  };
  const told = withOrphan(state, orphan);
  const step = nextStep(told, orphan, policy);
  const because = whyUnheard(state.phase);
  return record(told, {
    at,
    kind: "never_heard",
    severity: "warning",
    message: together("sentences", [
      phrase("silence.unheard", { silence: at - from, since: SINCE[because] }),
      // What it costs is said beside this, where it is known.
      costsOf(state).hourlyCost === null ? phrase("silence.costs_if_it_runs") : "",
      consequenceOf(state, step?.at ?? null, policy),
    ]),
    detail: {
      rule: "orphan.never_heard_after_seconds",
      because,
      awaited_from: toIso(from),
      hourly_cost: costsOf(state).hourlyCost,
      ...silenceEvidence(state),
      ...(step === null ? {} : { step_at: toIso(step.at) }),
    },
  });
}

const SINCE: Record<Unheard["because"], Said> = {
  registered: phrase("silence.since_registered"),
  moved: phrase("silence.since_moved"),
  imported: phrase("silence.since_imported"),
  started: phrase("silence.since_started"),
  unknown: "",
};

function consequenceOf(state: InstanceState, stepAt: number | null, policy: Policy): Said {
  const { provider } = state.profile;
  const { reachesSilent } = abilitiesOf(provider);
  if (stepAt !== null) {
    return policy.observes
      ? phrase("silence.only_observed")
      : phrase("silence.hibernated_if_running", { at: stepAt, provider: kindOf(provider) });
  }
  if (whyUnheard(state.phase) === "imported") return phrase("silence.heard_elsewhere");
  if (onlyDeletes(provider)) return phrase("silence.not_stopped", { why: whyNotStopped(provider) });
  if (!reachesSilent) return phrase("silence.nobody_can_stop_unheard");
  return policy.orphan.actOnNeverHeard
    ? phrase("silence.not_acted_on")
    : phrase("silence.not_acted_on_by_policy");
}

/** The short form, for whoever looks at the instance. */
export function unheardAlert({ profile }: InstanceState): Said {
  return abilitiesOf(profile.provider).reachesSilent
    ? phrase("silence.alert_unheard")
    : phrase("silence.alert_unheard_unstoppable");
}
