import { roundDollars } from "../model/dollars.ts";
import type { PendingEffect } from "../model/effects.ts";
import { hibernatedCost } from "../model/hibernated-cost.ts";
import type { EventDetail } from "../model/history-event.ts";
import { costsInAll, dollarsOf, wastedOfLate } from "../model/ledger.ts";
import { bearingOf, type Money, moneyOf } from "../model/money.ts";
import type { InstanceState } from "../model/state.ts";
import { onlyDeletes } from "../model/stopping.ts";
import { awakeRate, ledgerAt, rateOf, usageOf } from "./costs.ts";

/** What a machine costs, saves and has wasted. It is put into each new event that has to do with that, here and nowhere else. */

/** The state after a step, whose events from `firstId` on say what the machine costs then. `before`: as it was until then. */
export function withMoney(
  before: InstanceState,
  after: InstanceState,
  firstId: number,
  now: number,
): InstanceState {
  const isPriced = ({ id, effect }: PendingEffect) =>
    id >= firstId && effect.type === "event" && bearingOf(effect.event.kind) !== "none";
  if (!after.outbox.some(isPriced)) return after;
  const money = after.phase.status === "deleted" ? figuresOnceGone(before, now) : figuresNow(after, now);
  const outbox = after.outbox.map((pending): PendingEffect => {
    const { id, effect } = pending;
    if (effect.type !== "event" || !isPriced(pending)) return pending;
    const { event } = effect;
    return { id, effect: { ...effect, event: { ...event, detail: { ...event.detail, ...money } } } };
  });
  return { ...after, outbox };
}

/** As the machine stands; what is not known is left out. */
export function figuresNow(state: InstanceState, now: number): Money & EventDetail {
  const ledger = ledgerAt(state, now);
  const { hourlyCost: rate } = rateOf(state, ledger);
  const hibernated = hibernatedCost(state).hourly;
  const wasted = unlessNothing(wastedOfLate(ledger));
  const use = usageOf(state, ledger)?.use;
  if (use === "hibernated") {
    const running = awakeRate(state, ledger).hourlyCost;
    return moneyOf({
      rate,
      running_cost: running,
      hibernated_cost: hibernated,
      saves_hourly: difference(running, rate),
      wasted,
    });
  }
  // Nobody hibernates what works, but by an order.
  const isWanted = use === "working" && state.phase.status !== "hibernating";
  const mayStop = !isWanted && !onlyDeletes(state.profile.provider);
  return moneyOf({
    rate,
    hibernated_cost: hibernated,
    would_save_hourly: mayStop ? difference(rate, hibernated) : null,
    wasted,
  });
}

/** As the machine stood until it was gone. */
function figuresOnceGone(before: InstanceState, now: number): Money & EventDetail {
  const ledger = ledgerAt(before, now);
  const inAll = costsInAll(ledger);
  return moneyOf({
    saves_hourly: difference(rateOf(before, ledger).hourlyCost, 0),
    cost_total: unlessNothing(dollarsOf(inAll)),
    wasted_total: unlessNothing(inAll.wasted),
  });
}

/** How much less an hour costs; null where that is not known, or nothing. */
function difference(dear: number | null, cheap: number | null): number | null {
  return dear === null || cheap === null ? null : unlessNothing(dear - cheap);
}

/** What is not worth a word is left out. */
function unlessNothing(dollars: number): number | null {
  return roundDollars(dollars) > 0 ? dollars : null;
}
