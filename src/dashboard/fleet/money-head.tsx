import { useComputed } from "@preact/signals";
import { now } from "../clock.ts";
import type { CostsAnswer } from "../costs/answers.ts";
import { dayOf, lastDays } from "../costs/range.ts";
import { loaded } from "../parts/loaded.tsx";
import { useLive } from "../poll.ts";
import { words } from "../words.ts";
import { COSTS_PAUSE_MS, MoneySentence, MonthLine, useMoney } from "./money-line.tsx";
import { fleetWords } from "./words.ts";

const DAYS = 30;

/** It is small: the table begins soon below it. */
const HEIGHT = 104;

const Bars = loaded(async () => (await import("../costs/bars-chart.tsx")).BarsChart);

/** What the fleet costs: in one sentence, and day by day. */
export function MoneyHead() {
  // Another day, another range. What ticks within it draws nothing anew.
  const today = useComputed(() => dayOf(now.value)).value;
  const days = lastDays(DAYS, today);
  const from = firstDay(days, today);
  const costs = useLive<CostsAnswer>(`/api/agent/costs?from=${from}&to=${today}&by=day`, COSTS_PAUSE_MS);
  const said = useMoney(costs.data);
  const { money } = fleetWords.value;
  return (
    <section class="money-head" aria-label={money.title}>
      <MoneySentence said={said} />
      <div class="days">
        {costs.data === null ? (
          costs.error === null && <p class="faint">{words.value.loading}</p>
        ) : (
          <Bars days={days} rows={costs.data.rows} height={HEIGHT} isSmall />
        )}
        <p class="days-line">
          <MonthLine said={said} costs={costs} />{" "}
          <span class="faint">
            {money.utcDays} · <a href="#/costs">{words.value.costs.title}</a>
          </span>
        </p>
      </div>
    </section>
  );
}

/** On the last day of a long month, thirty days begin after its first. */
function firstDay([first = ""]: readonly string[], today: string): string {
  const firstOfMonth = `${today.slice(0, 7)}-01`;
  return first < firstOfMonth && first !== "" ? first : firstOfMonth;
}
