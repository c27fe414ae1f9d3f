import type { PreviewNow } from "../../fleet/previews.ts";
import type { KeptLine, NamedInterruption } from "../../fleet/rules/preview.ts";
import type { PreviewRow } from "../../fleet/tables/preview-rows.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { presetOf } from "../../lifecycle/model/presets.ts";
import { toIso } from "../../lifecycle/model/time.ts";
import { COMPARED } from "../../replay/compare.ts";
import type { Outcome } from "../../replay/outcome.ts";
import { hours, minutes } from "./durations.ts";
import { proposalView, proposedView } from "./proposal-views.ts";
import type { HeadView, LineView, OutcomeView, PreviewView } from "./schemas.ts";

/** Previews as they are shown. */

/** So many lines, and instances that were skipped, come with a preview. */
export const LINES_SHOWN = 20;
export const SKIPS_SHOWN = 50;

export function headView(preview: PreviewRow): HeadView {
  const { id, request, state, because, total, done, skipped, sum } = preview;
  const policy = mergePolicy(request.policy);
  const { tag, instances } = request;
  return {
    id,
    created_at: toIso(preview.createdAt),
    state,
    failed_because: because,
    days: request.days,
    from: toIso(preview.from),
    to: toIso(preview.to),
    policy,
    preset: presetOf(policy),
    overrides: request.policy,
    instance_policy: request.instancePolicy,
    asked_of: { instances, tag: tag === null ? null : { [tag.key]: tag.value } },
    instances: { total, done, skipped },
    results: COMPARED.map((of) => ({ of, ...outcomeView(sum.outcomes[of]) })),
  };
}

export function previewView({ preview, lines, skips, tags }: PreviewNow): PreviewView {
  const { basis, interruptions } = preview.sum;
  return {
    ...headView(preview),
    interruptions: interruptions.map(interruptionView),
    basis: {
      readings: basis.readings,
      coarse_hours: hours(basis.coarseMs),
      assumed_idle_hours: hours(basis.assumedIdleMs),
      readings_without_use: basis.readingsWithoutUse,
    },
    by_instance: lines.map(lineView),
    proposal: proposalView(preview, tags),
    skipped: skips.map(({ instanceId, because }) => ({ instance_id: instanceId, because })),
  };
}

export function lineView({ instanceId, name, tags, actual, candidate, proposal }: KeptLine): LineView {
  return {
    instance_id: instanceId,
    name,
    tags,
    actual: outcomeView(actual),
    candidate: outcomeView(candidate),
    proposal: proposal === null ? null : proposedView(proposal),
  };
}

function outcomeView(outcome: Outcome): OutcomeView {
  return {
    hours: {
      working: hours(outcome.workingMs),
      idle: hours(outcome.idleMs),
      silent: hours(outcome.silentMs),
      hibernated: hours(outcome.hibernatedMs),
    },
    unpriced_hours: hours(outcome.unpricedMs),
    cost: roundDollars(outcome.cost),
    wasted: roundDollars(outcome.wasted),
    saved: roundDollars(outcome.saved),
    hibernations: outcome.hibernations,
    regrets: outcome.regrets,
    deletions: outcome.deletions,
    interruptions: outcome.interruptions,
    delayed_minutes: minutes(outcome.delayedMs),
    work_cut_hours: hours(outcome.workCutMs),
  };
}

function interruptionView(interruption: NamedInterruption): PreviewView["interruptions"][number] {
  return {
    instance_id: interruption.instanceId,
    name: interruption.name,
    hibernated_at: toIso(interruption.hibernatedAt),
    at: toIso(interruption.at),
    evidence: interruption.evidence,
    delayed_minutes: minutes(interruption.delayedMs),
    work_cut_hours: hours(interruption.workCutMs),
  };
}
