import type { PreviewedSavings } from "../../alerts/cost-report.ts";
import { isPriced } from "../../replay/outcome.ts";
import { proposalOf } from "../../replay/proposal.ts";
import type { Fleet } from "../fleet.ts";
import { presentOf } from "../rules/preview.ts";
import { nextMonth } from "../rules/report-times.ts";

/** What the newest preview that is done would have saved, of those whose days end in the month; null without one. */
export function previewedIn({ previews }: Fleet, month: number): PreviewedSavings | null {
  const end = nextMonth(month);
  const preview = previews.newestDone(({ to, done }) => done > 0 && to >= month && to < end);
  if (preview === null) return null;
  const { from, to, done, request, sum } = preview;
  const { actual, candidate } = sum.outcomes;
  const hasPrices = isPriced(actual) && isPriced(candidate);
  return {
    from,
    to,
    instances: done,
    savedBeyond: hasPrices ? candidate.saved - actual.saved : null,
    hibernatedBeyondMs: candidate.hibernatedMs - actual.hibernatedMs,
    interruptions: candidate.interruptions,
    proposal: proposalOf(sum.frontier, presentOf(request))?.says ?? null,
  };
}
