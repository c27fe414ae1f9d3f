import { useMemo } from "preact/hooks";
import type { Amount, CostsAnswer } from "../costs/answers.ts";
import { about, price } from "../format.ts";
import { useLive } from "../poll.ts";
import type { SaidAmount } from "../words/english-costs.ts";
import { language, words } from "../words.ts";
import { fleet } from "./fleet.ts";
import { fleetMoney } from "./money.ts";

/** What today and this month have cost changes slowly; what it costs an hour comes with the list. */
const PAUSE_MS = 60_000;

/** The fleet's money in one sentence. */
export function MoneyLine({ hasLink = true }: { hasLink?: boolean }) {
  const { data, error } = useLive<CostsAnswer>("/api/agent/costs", PAUSE_MS);
  const known = fleet.value;
  const said = useMemo(() => (known === null ? null : fleetMoney(known, data)), [known, data]);
  if (said === null) return null;
  const { costs } = words.value;
  const { rate, wasted, unknown, today, month } = said;
  const dollars = (amount: number) => price(amount, language.value);
  return (
    <p class="money-line">
      {costs.fleet({
        rate: say(rate, dollars),
        wasted: wasted.machines === 0 ? null : { ...say(wasted, dollars), machines: wasted.machines },
        unknown,
        today: today === null ? null : say(today, dollars),
        month:
          month === null
            ? null
            : {
                ...say(month, month.isForecast ? (amount) => about(amount, language.value) : dollars),
                isForecast: month.isForecast,
                saved: month.saved === 0 ? null : dollars(month.saved),
              },
      })}{" "}
      {error !== null && <span class="faint">{data === null ? costs.notRead : costs.stale}</span>}{" "}
      {hasLink && (
        <>
          · <a href="#/costs">{costs.title}</a>
        </>
      )}
    </p>
  );
}

function say({ dollars, isMore }: Amount, write: (dollars: number) => string): SaidAmount {
  return { dollars: dollars === null ? null : write(dollars), isMore };
}
