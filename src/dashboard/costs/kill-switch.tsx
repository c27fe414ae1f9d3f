import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api.ts";
import { now } from "../clock.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { price } from "../format.ts";
import { confirmed } from "../parts/dialog.tsx";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { language, words } from "../words.ts";
import {
  EVERYTHING,
  isWithin,
  type KillFilter,
  type KillOrdered,
  type KillPlan,
  requestOf,
  SEEN_FOR_MS,
} from "./kill.ts";
import { KillFilterFields } from "./kill-filter.tsx";
import { KillLines, Risks } from "./kill-lines.tsx";
import { LastKill } from "./kill-progress.tsx";

const ADDRESS = "/api/agent/hibernate-all";

/** What was seen of what it would do, and when. It stands for the filter for which it was asked, and for no other. */
interface Seen {
  readonly filter: KillFilter;
  readonly plan: KillPlan;
  readonly atMs: number;
  /** It is not what was seen a moment ago. */
  readonly isChanged: boolean;
}

/** Hibernates many at once. There is no button for it before its user has seen what it would do. */
export function KillSwitch({ place }: { place: RefObject<HTMLElement | null> }) {
  const [filter, setFilter] = useState(EVERYTHING);
  const [answered, setSeen] = useState<Seen | null>(null);
  const [ordered, setOrdered] = useState<KillOrdered | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { kill } = words.value.costs;
  // An answer may come after the choice has changed.
  const seen = answered?.filter === filter ? answered : null;
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
    setBusy(false);
  };
  const look = () =>
    attempt(async () => {
      setOrdered(null);
      const plan = await ask<KillPlan>("POST", ADDRESS, requestOf(filter, true));
      setSeen({ filter, plan, atMs: now.peek(), isChanged: false });
    });
  const press = async ({ filter: of, plan }: Seen) => {
    const stakes = `${kill.stakes} ${kill.saves(saved(plan.would_save_hourly), plan.unknown_rates)}`;
    if (!(await confirmed(kill.question(plan.hibernate), stakes, kill.button(plan.hibernate)))) return;
    await attempt(async () => {
      const fresh = await ask<KillPlan>("POST", ADDRESS, requestOf(of, true));
      if (!isWithin(fresh, plan)) {
        setSeen({ filter: of, plan: fresh, atMs: now.peek(), isChanged: true });
        return;
      }
      const answer = await ask<KillOrdered>("POST", ADDRESS, requestOf(of, false));
      setSeen(null);
      setOrdered(answer);
      refreshFleet();
    });
  };
  return (
    <section class="card kill" ref={place} tabIndex={-1} aria-labelledby="kill-switch">
      <h2 id="kill-switch">{kill.title}</h2>
      <p class="faint">{kill.hint}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <KillFilterFields filter={filter} onChange={setFilter} />
        <div class="buttons">
          <button type="submit" class="primary" disabled={isBusy}>
            {kill.look}
          </button>
        </div>
      </form>
      <Verdict seen={seen} ordered={ordered} />
      {seen !== null && <Plan seen={seen} isBusy={isBusy} onPress={() => press(seen)} />}
      {ordered !== null && <KillLines of={ordered} isDone />}
      <LastKill address={ADDRESS} askedAt={ordered?.at ?? null} />
    </section>
  );
}

/** What would be done, or is, in a few words, which are read out. What was just ordered has the keyboard too: its button is gone. */
function Verdict({ seen, ordered }: { seen: Seen | null; ordered: KillOrdered | null }) {
  const done = useRef<HTMLHeadingElement>(null);
  const { kill } = words.value.costs;
  useEffect(() => {
    if (ordered !== null) done.current?.focus();
  }, [ordered]);
  return (
    <div role="status">
      {seen?.isChanged && <p class="banner">{kill.changed}</p>}
      {seen !== null && seen.plan.hibernate === 0 && (
        <p>{seen.plan.skip === 0 ? kill.noInstances : kill.nobody}</p>
      )}
      {seen !== null && seen.plan.hibernate > 0 && (
        <>
          <h3>{kill.would(seen.plan.hibernate)}</h3>
          <p>{kill.wouldSave(saved(seen.plan.would_save_hourly), seen.plan.unknown_rates)}</p>
        </>
      )}
      {ordered !== null && (
        <>
          <h3 ref={done} tabIndex={-1}>
            {kill.ordered(ordered.hibernate)}
          </h3>
          <p>{kill.saves(saved(ordered.saves_hourly), ordered.unknown_rates)}</p>
        </>
      )}
    </div>
  );
}

function Plan({ seen, isBusy, onPress }: { seen: Seen; isBusy: boolean; onPress: () => void }) {
  const { plan } = seen;
  return (
    <>
      <KillLines of={plan} isDone={false} />
      {plan.hibernate > 0 && (
        <>
          <Risks of={plan} />
          <PressButton seen={seen} isBusy={isBusy} onPress={onPress} />
        </>
      )}
    </>
  );
}

/** It reads the clock itself, so that nothing else is drawn anew. */
function PressButton({ seen: { plan, atMs }, isBusy, onPress }: Parameters<typeof Plan>[0]) {
  const { kill } = words.value.costs;
  if (now.value - atMs > SEEN_FOR_MS) return <p class="banner">{kill.old}</p>;
  return (
    <div class="buttons">
      <button type="button" class="stop" disabled={isBusy} onClick={onPress}>
        {kill.button(plan.hibernate)}
      </button>
    </div>
  );
}

function saved(dollars: number): string {
  return price(dollars, language.value);
}
