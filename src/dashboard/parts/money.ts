import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { price } from "../format.ts";
import { language, words } from "../words.ts";

/** What acts upon an instance cost or save an hour, in the user's language. */

/** In words; null while it is not known. */
export function priceOrNull(dollars: number | null): string | null {
  return dollars === null ? null : price(dollars, language.value);
}

type Priced = Pick<ShownView, "running_cost" | "hibernated_cost">;

export function hibernateMoney({ running_cost, hibernated_cost }: Priced): string {
  const isKnown = running_cost !== null && hibernated_cost !== null;
  const saves = isKnown && running_cost > hibernated_cost ? running_cost - hibernated_cost : null;
  return words.value.money.hibernateStakes(
    priceOrNull(running_cost),
    priceOrNull(hibernated_cost),
    priceOrNull(saves),
  );
}

export function wakeMoney({ running_cost, hibernated_cost }: Priced): string {
  return words.value.money.wakeStakes(priceOrNull(running_cost), priceOrNull(hibernated_cost));
}

/** What a machine that runs, or may, costs now, and what it wasted today. */
export function runningMoney({ rate, wasted_today }: Pick<ShownView, "rate" | "wasted_today">): string {
  return words.value.money.running(priceOrNull(rate), wasted_today === 0 ? null : priceOrNull(wasted_today));
}
