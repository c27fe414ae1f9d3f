import { ask } from "../api.ts";
import { dateTime } from "../format.ts";
import { useRepeated } from "../poll.ts";
import { language, words } from "../words.ts";
import type { KillProgress } from "./kill.ts";
import { reason } from "./kill-lines.tsx";

/** While one is under way, and else. */
const SHORT_PAUSE_MS = 3000;
const LONG_PAUSE_MS = 60_000;

interface Last {
  readonly last: KillProgress | null;
  readonly last_by_budget: KillProgress | null;
}

/** How far the last ones have come: that which was just asked for, and that which a budget brought about. */
export function LastKill({ address, askedAt }: { address: string; askedAt: string | null }) {
  const { data } = useRepeated(
    `${address} ${askedAt}`,
    () => () => ask<Last>("GET", address),
    (known) => (isUnderWay(known) ? SHORT_PAUSE_MS : LONG_PAUSE_MS),
  );
  if (data === null) return null;
  const { kill } = words.value.costs;
  const { last, last_by_budget } = data;
  return (
    <>
      {last !== null && <Progress title={kill.last} of={last} isOpen={last.at === askedAt} />}
      {last_by_budget !== null && (
        <Progress title={kill.lastByBudget} of={last_by_budget} isOpen={!last_by_budget.is_over} />
      )}
    </>
  );
}

function isUnderWay(known: Last | null): boolean {
  return [known?.last, known?.last_by_budget].some((each) => each != null && !each.is_over);
}

function Progress({ title, of, isOpen }: { title: string; of: KillProgress; isOpen: boolean }) {
  const { kill } = words.value.costs;
  const { ordered = 0, ...others } = of.ended;
  return (
    <details class="last-kill" open={isOpen}>
      <summary>
        {title} {dateTime(of.at, language.value)}
      </summary>
      <p role="status">
        {kill.progress(ordered, of.hibernate)} {of.waiting > 0 && kill.waiting(of.waiting)}
      </p>
      {Object.keys(others).length > 0 && (
        <ul class="reasons">
          {Object.entries(others).map(([end, count]) => (
            <li key={end}>{kill.leftBecause(count, reason(kill.reasons, end))}</li>
          ))}
        </ul>
      )}
      {of.not_ordered.length > 0 && (
        <details>
          <summary>{kill.which}</summary>
          <ul class="reasons">
            {of.not_ordered.map(({ instance_id, because }) => (
              <li key={instance_id}>
                {instance_id}: {reason(kill.reasons, because)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </details>
  );
}
