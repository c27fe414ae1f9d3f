import { useComputed } from "@preact/signals";
import { useRef } from "preact/hooks";
import { now } from "../clock.ts";
import { MoneyLine } from "../fleet/money-line.tsx";
import { about, dayText, number, price } from "../format.ts";
import { Answered } from "../parts/answered.tsx";
import type { Live } from "../poll.ts";
import { may } from "../session.ts";
import { language, words } from "../words.ts";
import { BarsChart } from "./bars-chart.tsx";
import { Breakdown } from "./breakdown.tsx";
import { Budgets } from "./budgets.tsx";
import { CostsTable } from "./costs-table.tsx";
import { KillSwitch } from "./kill-switch.tsx";
import { dayOf, lastDays } from "./range.ts";
import { type Costs, useCosts } from "./read.ts";

const DAYS = 30;

/** What the fleet costs: day by day, whose, within which limits, and how to stop it. Loaded when it is first looked at. */
export function CostsPage() {
  const killSwitch = useRef<HTMLElement>(null);
  const { costs } = words.value;
  // Another day, another range. What ticks within it draws nothing anew.
  const today = useComputed(() => dayOf(now.value)).value;
  const days = lastDays(DAYS, today);
  const answer = useCosts(`from=${days[0] ?? today}&to=${today}&by=day`);
  const toKillSwitch = () => {
    killSwitch.current?.scrollIntoView();
    killSwitch.current?.focus({ preventScroll: true });
  };
  return (
    <>
      <div class="heading">
        <h1>{costs.title}</h1>
        {may("operator") && (
          <span class="buttons">
            <button type="button" class="danger" onClick={toKillSwitch}>
              {costs.kill.title} …
            </button>
          </span>
        )}
      </div>
      <MoneyLine />
      <DaysCard days={days} answer={answer} />
      <Budgets />
      {may("operator") && <KillSwitch place={killSwitch} />}
      <Breakdown today={today} />
    </>
  );
}

function DaysCard({ days, answer }: { days: readonly string[]; answer: Live<Costs> }) {
  const { costs } = words.value;
  return (
    <section class="card">
      <header>
        <h2>{costs.lastDays(DAYS)}</h2>
        <span class="faint">{costs.utc}</span>
      </header>
      <Answered of={answer}>
        {(data: Costs) =>
          data.rows.length === 0 ? (
            <p class="faint">{costs.nothing}</p>
          ) : (
            <>
              <BarsChart days={days} rows={data.rows} />
              <Remarks data={data} />
              <details>
                <summary>{costs.asTable}</summary>
                <CostsTable
                  rows={data.rows}
                  total={data.total}
                  keyName={costs.keys.day}
                  nameOf={(day) => dayText(day, language.value)}
                  first="key"
                />
              </details>
            </>
          )
        }
      </Answered>
    </section>
  );
}

/** What the bars can't show. */
function Remarks({ data: { rows, forecast } }: { data: Costs }) {
  const { costs } = words.value;
  const unpriced = rows.filter(({ unpriced_hours }) => unpriced_hours !== null && unpriced_hours > 0).length;
  return (
    <>
      {unpriced > 0 && <p class="remark">{costs.unpricedDays(unpriced)}</p>}
      {forecast !== null && (
        <p class="remark">
          {costs.forecast(about(forecast.cost, language.value))}{" "}
          <span class="faint">
            {costs.forecastBasis({
              spent: price(forecast.spent, language.value),
              daily: price(forecast.daily, language.value),
              daysLeft: number(forecast.days_left, language.value),
              closedDays: forecast.closed_days,
              unpriced: forecast.unknown_rates,
            })}
          </span>
        </p>
      )}
    </>
  );
}
