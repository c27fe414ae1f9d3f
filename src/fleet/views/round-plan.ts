import type { RoundPlace } from "../../lifecycle/model/instance-event.ts";
import { standingsOf } from "../../providers/connections.ts";
import type { Fleet } from "../fleet.ts";
import { shownView } from "../report.ts";
import {
  type Asked,
  counted,
  NO_COUNTS,
  type RoundCounts,
  roundFor,
  type Verdict,
  verdictOf,
} from "../rules/hibernation-round.ts";
import type { AskedHibernation } from "../tables/asked-hibernations.ts";
import type { ListFilter } from "./list-filter.ts";

/** What a hibernation of many would do. */

export interface RoundRequest {
  readonly asked: Asked;
  /** Whom it is about; `status` and idleness as `asked` has them. */
  readonly filter: RoundPlace;
  readonly requestId?: string | undefined;
}

export interface RoundLine {
  readonly instanceId: string;
  readonly name: string;
  readonly status: string;
  readonly rate: number | null;
  readonly verdict: Verdict;
}

export interface RoundPlan {
  readonly at: number;
  readonly counts: RoundCounts;
  /** First those that are to be hibernated, each in the order of the ids. */
  readonly lines: readonly RoundLine[];
  /** Whether there are more than `lines`. */
  readonly isMore: boolean;
}

/** So many rows of the registry are read at a time. */
export const ROWS_PER_READ = 1000;

/** What would be done now, and what that would save. `take` is given the rounds of those that would be asked. */
export function planRound(
  fleet: Fleet,
  { asked, filter, requestId }: RoundRequest,
  { at, now, limit }: { readonly at: number; readonly now: number; readonly limit: number },
  take: (meant: readonly AskedHibernation[]) => void = () => undefined,
): RoundPlan {
  const standings = standingsOf(fleet.connections.list());
  const wanted: ListFilter = {
    ...filter,
    status: asked.status ?? undefined,
    health: asked.onlyIdle ? "idle" : undefined,
  };
  const hibernated: RoundLine[] = [];
  const skipped: RoundLine[] = [];
  let counts = NO_COUNTS;
  let after: string | null = "";
  while (after !== null) {
    const { rows, end } = fleet.registry.list(after, ROWS_PER_READ, wanted);
    const meant: AskedHibernation[] = [];
    for (const { instanceId, view } of rows) {
      const shown = shownView(view, standings);
      const verdict = verdictOf(shown, asked, now);
      counts = counted(counts, verdict);
      const { name, status, rate } = shown;
      const lines = verdict.does === "hibernate" ? hibernated : skipped;
      if (lines.length < limit) lines.push({ instanceId, name, status, rate, verdict });
      if (!isAsked(verdict)) continue;
      meant.push({ instanceId, round: { ...roundFor(shown, asked, at), place: filter }, requestId });
    }
    take(meant);
    after = end;
  }
  const lines = [...hibernated, ...skipped].slice(0, limit);
  return { at, counts, lines, isMore: counts.hibernate + counts.skip > lines.length };
}

/** One whose policy only observes is asked, too: it tells what would be ordered. */
function isAsked(verdict: Verdict): boolean {
  return verdict.does === "hibernate" || verdict.because === "observe";
}
