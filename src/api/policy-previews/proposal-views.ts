import { type KeptProposal, presentOf } from "../../fleet/rules/preview.ts";
import type { PreviewRow, TagSum } from "../../fleet/tables/preview-rows.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import { type Proposal, proposalOf } from "../../replay/proposal.ts";
import { isSameSetting, type RatedPoint } from "../../replay/proposal-points.ts";
import { proposalInEnglish } from "../../replay/say-proposal.ts";
import { hours, minutes } from "./durations.ts";
import type { PointView, ProposalView, ProposedView } from "./proposal-schemas.ts";

/** So many tags are shown. */
const TAGS_SHOWN = 20;

/** What is proposed for all instances together, and for those of each tag; null where nothing can be. */
export function proposalView(
  { request, sum }: Pick<PreviewRow, "request" | "sum">,
  tags: readonly TagSum[],
): ProposalView | null {
  const present = presentOf(request);
  const proposal = proposalOf(sum.frontier, present);
  if (proposal === null) return null;
  const { measure, points, trade } = proposal;
  return {
    frontier: points.map((point) => pointView(point, proposal)),
    measure,
    trade: trade === null ? null : pointView(trade, proposal),
    ...proposedView(proposal),
    message: `${proposalInEnglish(proposal.says)}${ofHours(sum.basis.coarseMs)}`,
    by_tag: [...tags]
      .sort((one, other) => other.frontier.instances - one.frontier.instances)
      .slice(0, TAGS_SHOWN)
      .flatMap(({ tag, frontier }) => {
        const ofTag = proposalOf(frontier, present);
        return ofTag === null ? [] : [{ tag, instances: frontier.instances, ...proposedView(ofTag) }];
      }),
  };
}

/** Who spares everybody by what is known may not have spared everybody. */
function ofHours(coarseMs: number): string {
  return coarseMs > 0
    ? ` ${hours(coarseMs)} h of this are only known by the hour: what would have been interrupted between work in them is not seen.`
    : "";
}

export function proposedView(proposal: KeptProposal): ProposedView {
  const { says, proposed } = proposal;
  return {
    says,
    message: proposalInEnglish(says),
    proposed: proposed === null ? null : pointView(proposed, proposal),
  };
}

function pointView(point: RatedPoint, { proposed }: Pick<Proposal, "proposed">): PointView {
  return {
    threshold_percent: point.thresholdPercent,
    hibernate_after_minutes: point.hibernateAfterMinutes,
    saved: roundDollars(point.saved),
    hibernated_hours: hours(point.hibernatedMs),
    share_percent: point.sharePercent,
    hibernations: point.hibernations,
    interruptions: point.interruptions,
    delayed_minutes: minutes(point.delayedMs),
    work_cut_hours: hours(point.workCutMs),
    is_frontier: point.isOnFrontier,
    is_proposed: proposed !== null && isSameSetting(point, proposed),
  };
}
