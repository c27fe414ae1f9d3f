import { costsOf } from "../model/hibernated-cost.ts";
import { record } from "../model/outbox.ts";
import type { Orphan, Unheard } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf } from "../model/provider.ts";
import { type InstanceState, withOrphan } from "../model/state.ts";
import { onlyDeletes, whyNotStopped } from "../model/stopping.ts";
import { spokenDuration, toIso } from "../model/time.ts";
import { nextStep, silenceEvidence } from "./ladder.ts";
import { ONLY_OBSERVES } from "./observing.ts";
import { awaitedFrom, whyUnheard } from "./unheard.ts";

/** What the owner of an instance is told that was never heard. */

/** Where no provider reaches a silent machine. */
export const NOBODY_CAN_STOP = "Nobody can stop this machine: connect its provider";

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
    message: [
      `Never heard: no heartbeat for ${spokenDuration(at - from)}${SINCE[because]}. Is the agent installed?`,
      // What it costs is said beside this, where it is known.
      ...(costsOf(state).hourlyCost === null ? ["If it runs, it costs money."] : []),
      consequenceOf(state, step?.at ?? null, policy),
    ].join(" "),
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

const SINCE: Record<Unheard["because"], string> = {
  registered: " since it was registered",
  moved: " since another machine is watched",
  imported: " since it was brought from an export",
  started: " since it was found running",
  unknown: "",
};

function consequenceOf(state: InstanceState, stepAt: number | null, policy: Policy): string {
  const { provider } = state.profile;
  const { reachesSilent } = abilitiesOf(provider);
  if (stepAt !== null && policy.observes) {
    return `Nothing is done about it: ${ONLY_OBSERVES}. Install the agent.`;
  }
  if (stepAt !== null) {
    return `It is hibernated at ${toIso(stepAt)} if it is not heard by then and ${kindOf(provider)} shows it running. Install the agent, or keep it alive.`;
  }
  if (whyUnheard(state.phase) === "imported") {
    return "It may be heard where it was exported from, so nothing is done about it: let its agent report here, or remove it here.";
  }
  if (onlyDeletes(provider)) {
    return `Nothing is done about it: ${whyNotStopped(provider)}. Install the agent, delete it where it is rented, or remove it here if there is no such machine.`;
  }
  return reachesSilent
    ? `Nothing is done about it${policy.orphan.actOnNeverHeard ? "" : " (orphan.act_on_never_heard)"}: install the agent, hibernate it here, or remove it here if there is no such machine.`
    : `${NOBODY_CAN_STOP}. Install the agent, stop it where it is rented, or remove it here if there is no such machine.`;
}

/** The short form, for whoever looks at the instance. */
export function unheardAlert({ profile }: InstanceState): string {
  const end = abilitiesOf(profile.provider).reachesSilent ? "" : ` ${NOBODY_CAN_STOP}.`;
  return `Never heard. Is the agent installed?${end}`;
}
