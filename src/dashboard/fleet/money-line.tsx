import { useMemo } from "preact/hooks";
import type { Amount, CostsAnswer } from "../costs/answers.ts";
import { about, capitalized, money as dollarsText, price } from "../format.ts";
import { type Live, useLive } from "../poll.ts";
import { query, route } from "../route.ts";
import { language, words } from "../words.ts";
import { addressWith, sortName } from "./choice.ts";
import { fleet } from "./fleet.ts";
import { type FleetMoney, fleetMoney } from "./money.ts";
import type { Group, SortKey } from "./select.ts";
import { fleetWords } from "./words.ts";

/** What today and this month have cost changes slowly; what it costs an hour comes with the list. */
export const COSTS_PAUSE_MS = 60_000;

/** Names that are told of those whose price nobody knows. */
const NAMED = 20;

/** The fleet's money in one sentence, for a page that reads no costs of its own. */
export function MoneyLine() {
  const costs = useLive<CostsAnswer>("/api/agent/costs", COSTS_PAUSE_MS);
  const said = useMoney(costs.data);
  return (
    <>
      <MoneySentence said={said} />
      <MonthLine said={said} costs={costs} />
    </>
  );
}

/** Null while not the whole fleet is known: a part of it would cost too little. */
export function useMoney(costs: CostsAnswer | null): FleetMoney | null {
  const known = fleet.value;
  return useMemo(() => (known?.isWhole ? fleetMoney(known, costs) : null), [known, costs]);
}

interface Part {
  readonly key: string;
  readonly text: string;
  readonly group: Group;
  readonly sort: SortKey;
  readonly isWaste?: boolean;
  readonly title?: string;
}

/** Each part of it leads to the instances that it is about. */
export function MoneySentence({ said }: { said: FleetMoney | null }) {
  return (
    <p class="money-line">
      {said !== null &&
        partsOf(said).map((part, index) => (
          <span key={part.key}>
            {index > 0 && <span aria-hidden="true"> · </span>}
            <PartLink part={index === 0 ? { ...part, text: capitalized(part.text) } : part} />
          </span>
        ))}
    </p>
  );
}

function PartLink({ part: { text, group, sort, isWaste = false, title } }: { part: Part }) {
  const isHere = route.value.page === "fleet";
  const isChosen = isHere && query.value.get("group") === group && query.value.get("sort") === sortName(sort);
  const from = isHere ? query.value : new URLSearchParams();
  const changes = isChosen
    ? { group: null, sort: null, status: null }
    : { group, sort: sortName(sort), status: null };
  return (
    <a
      class={isWaste ? "wasted" : undefined}
      href={addressWith(from, changes)}
      aria-current={isChosen ? "true" : undefined}
      title={title}
    >
      {text}
    </a>
  );
}

function partsOf({ rate, day, wasted, unknown, month }: FleetMoney): Part[] {
  const { money } = fleetWords.value;
  const rateText = amountText(rate, dollars);
  const dayText = amountText(day, whole);
  const whose = (wasted.areOrphans ? money.orphans : money.machines)(wasted.machines);
  const wastedText = amountText(wasted, dollars);
  const parts: (Part | null)[] = [
    {
      key: "rate",
      text: rateText === null ? money.rateUnknown : money.rate(rateText),
      group: "costing",
      sort: "rate",
    },
    dayText === null || day.dollars === 0
      ? null
      : { key: "day", text: money.day(dayText), group: "costing", sort: "cost" },
    wasted.machines === 0
      ? null
      : {
          key: "wasted",
          text: wastedText === null ? money.wastedUnknown(whose) : money.wasted(wastedText, whose),
          group: wasted.areOrphans ? "orphaned" : "wasting",
          sort: "rate",
          isWaste: true,
        },
    unknown.length === 0
      ? null
      : {
          key: "unknown",
          text: money.unpriced(unknown.length),
          group: "unpriced",
          sort: "attention",
          title: unknown.slice(0, NAMED).join(", "),
        },
    month === null || month.saved === 0
      ? null
      : { key: "saved", text: money.saved(whole(month.saved)), group: "hibernated", sort: "rate" },
  ];
  return parts.filter((part) => part !== null);
}

/** What today and this month have cost, below the sentence. */
export function MonthLine({
  said,
  costs: { data, error },
}: {
  said: FleetMoney | null;
  costs: Live<unknown>;
}) {
  const { money } = fleetWords.value;
  const { costs } = words.value;
  const parts: string[] = [];
  if (said?.today) {
    const text = amountText(said.today, dollars);
    parts.push(text === null ? money.todayUnknown : money.today(text));
  }
  if (said?.month) {
    const { isForecast, isMore } = said.month;
    const text = amountText(said.month, isForecast ? (amount) => about(amount, language.value) : dollars);
    if (text === null) parts.push(money.monthUnknown);
    else if (!isForecast) parts.push(money.monthSoFar(text));
    // What it is at least is not about what it is.
    else parts.push(isMore ? money.month(text) : money.monthForecast(text));
  }
  if (error !== null) parts.push(data === null ? costs.notRead : costs.stale);
  return <span class="faint month-line">{capitalized(parts.join(" · "))}</span>;
}

/** Null where nothing of it is known. */
function amountText({ dollars: amount, isMore }: Amount, write: (dollars: number) => string): string | null {
  if (amount === null) return null;
  return isMore ? fleetWords.value.money.atLeast(write(amount)) : write(amount);
}

function dollars(amount: number): string {
  return price(amount, language.value);
}

/** Of a big amount nobody reads the cents. */
function whole(amount: number): string {
  return amount >= 100 ? dollarsText(amount, language.value, 0) : dollars(amount);
}
