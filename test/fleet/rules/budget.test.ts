import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AtLimit,
  type Budget,
  breaksAt,
  doubtBudget,
  endOf,
  isDoubted,
  NO_BUDGET,
  type Spending,
  setBudget,
  startOf,
} from "../../../src/fleet/rules/budget.ts";
import { type Assessment, assess, lookAfterChange } from "../../../src/fleet/rules/budget-assessment.ts";
import { describeAlert } from "../../../src/fleet/rules/budget-words.ts";
import { say } from "../../../src/lifecycle/model/words/say.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 1, 10);

const budgetOf = (limits: Partial<Budget>): Budget => ({ ...NO_BUDGET, ...limits });
const spentOf = (spent: Partial<Spending>): Spending => ({
  day: 0,
  month: 0,
  rate: 0,
  unknownRates: 0,
  ...spent,
});
const look = (budget: Budget, spent: Partial<Spending>, now = START) =>
  assess(budget, spentOf(spent), now, 1);
const toldIn = ({ alerts }: Assessment) => alerts.map(({ period, percent }) => `${period} ${percent}`);

/** A fleet of this rate that is looked at whenever that is due, from `from` up to `until`. */
function pass(
  budget: Budget,
  { rate, from = START, until, month = 0 }: { rate: number; from?: number; until: number; month?: number },
) {
  const seen: { at: number; told: string[]; act: string }[] = [];
  let next = budget;
  let at: number | null = from;
  while (at !== null && at < until) {
    const spent = {
      day: (rate * (at - startOf("day", at))) / HOUR,
      month:
        (startOf("month", at) <= from ? month : 0) +
        (rate * (at - Math.max(from, startOf("month", at)))) / HOUR,
      rate,
    };
    const assessed: Assessment = look(next, spent, at);
    seen.push({ at, told: toldIn(assessed), act: assessed.act });
    next = assessed.budget;
    if (assessed.lookAt !== null) expect(assessed.lookAt).toBeGreaterThanOrEqual(at + MINUTE);
    at = assessed.lookAt;
  }
  return seen;
}

describe("a budget", () => {
  it("is told at 50, 80 and 100 %, each once and at its moment, and anew the next day", () => {
    const seen = pass(budgetOf({ day: 10 }), { rate: 1, until: START + DAY + 6 * HOUR });
    expect(seen.flatMap(({ at, told }) => told.map((one) => [one, (at - START) / HOUR]))).toEqual([
      ["day 50", 5],
      ["day 80", 8],
      ["day 100", 10],
      ["day 50", 29],
    ]);
    // No more looks than thresholds and midnights.
    expect(seen).toHaveLength(6);
  });

  it("tells only the highest of what is crossed at once", () => {
    expect(toldIn(look(budgetOf({ day: 10, month: 100 }), { day: 9, month: 120 }))).toEqual([
      "day 80",
      "month 100",
    ]);
  });

  it("of the day and the month are told apart, over the month's end", () => {
    const from = Date.UTC(2026, 1, 27);
    const seen = pass(budgetOf({ month: 100 }), { rate: 1, from, month: 60, until: Date.UTC(2026, 2, 4) });
    expect(seen.flatMap(({ told }) => told)).toEqual(["month 50", "month 80", "month 100", "month 50"]);
  });

  it("says nothing and looks at nothing without a limit, and waits for news without a rate", () => {
    expect(look(NO_BUDGET, { day: 1e6, month: 1e6, rate: 5 })).toMatchObject({
      alerts: [],
      act: "nobody",
      lookAt: null,
    });
    expect(look(budgetOf({ day: 10 }), { day: 3, rate: 0 }).lookAt).toBeNull();
    expect(lookAfterChange(NO_BUDGET, null, START, 1)).toBeNull();
  });

  it("of nothing is used up at once", () => {
    expect(toldIn(look(budgetOf({ day: 0 }), { day: 0 }))).toEqual(["day 100"]);
  });

  it("that is raised tells only what is crossed from then on; one that is lowered, what it crosses by that", () => {
    const { budget } = look(budgetOf({ day: 10, atLimit: "hibernate_all" }), { day: 12 });
    const raised = setBudget(
      budget,
      { day: 20, month: null, atLimit: "hibernate_all" },
      { day: 12, month: 12 },
      START,
    );
    expect(toldIn(look(raised, { day: 12 }))).toEqual([]);
    expect(toldIn(look(raised, { day: 16 }))).toEqual(["day 80"]);
    const again = look(raised, { day: 20 });
    expect([toldIn(again), again.act]).toEqual([["day 100"], "all"]);
    const lowered = setBudget(
      raised,
      { day: 11, month: null, atLimit: "alert" },
      { day: 12, month: 12 },
      START,
    );
    expect(toldIn(look(lowered, { day: 12 }))).toEqual(["day 100"]);
    const same = setBudget(budget, { day: 10, month: null, atLimit: "alert" }, { day: 12, month: 12 }, START);
    expect(toldIn(look(same, { day: 12 }))).toEqual([]);
  });
});

describe("what is done once a limit is used up", () => {
  const used = (atLimit: AtLimit) => budgetOf({ day: 10, atLimit });

  it("is nothing more than an alert, where its owner says so", () => {
    const first = look(used("alert"), { day: 10, rate: 1 });
    expect([toldIn(first), first.act]).toEqual([["day 100"], "nobody"]);
  });

  it("is to hibernate the idle ones, and again every quarter of an hour, until the day is over", () => {
    const seen = pass(used("hibernate_idle"), { rate: 1, until: START + DAY + HOUR });
    const acts = seen.filter(({ act }) => act === "idle").map(({ at }) => (at - START) / MINUTE);
    expect(acts[0]).toBe(600);
    expect(acts).toHaveLength((14 * 60) / 15);
    expect(seen.at(-1)).toMatchObject({ at: START + DAY, act: "nobody" });
  });

  it("is to hibernate all once, and from then on the idle ones: who is woken by hand is not fought", () => {
    const seen = pass(used("hibernate_all"), { rate: 1, until: START + DAY + 12 * HOUR });
    const acts = seen.map(({ act }) => act).filter((act) => act !== "nobody");
    expect(acts.filter((act) => act === "all")).toHaveLength(2);
    expect(acts[0]).toBe("all");
  });

  it("is done as soon as its owner chooses it", () => {
    const told = look(used("alert"), { day: 12, rate: 1 }).budget;
    const set = setBudget(
      told,
      { day: 10, month: null, atLimit: "hibernate_all" },
      { day: 12, month: 12 },
      START,
    );
    expect(look(set, { day: 12, rate: 1 }, START + MINUTE)).toMatchObject({ alerts: [], act: "all" });
  });
});

describe("the next look", () => {
  it("comes within a minute of a change, and no more often", () => {
    const budget = { ...budgetOf({ day: 10 }), lookedAt: START };
    expect(lookAfterChange(budget, null, START + 10_000, 1)).toBe(START + MINUTE);
    expect(lookAfterChange(budget, START + DAY, START + HOUR, 1)).toBe(START + HOUR);
    expect(lookAfterChange(budget, START + 5, START + HOUR, 1)).toBe(START + 5);
    expect(lookAfterChange(budget, null, START + 1000, 60)).toBe(START + 1000);
    // The clock was set back.
    expect(lookAfterChange(budget, null, START - DAY, 1)).toBe(START - DAY);
  });

  it("of a fleet that was set back waits until all have reported", () => {
    const budget = doubtBudget(budgetOf({ day: 10 }), START);
    expect(isDoubted(budget, START + 59 * MINUTE)).toBe(true);
    expect(isDoubted(budget, START + HOUR)).toBe(false);
    expect(lookAfterChange(budget, null, START, 1)).toBe(START + HOUR);
  });

  it("misses no threshold, and never comes twice within a minute, whatever is spent", () => {
    const dollars = fc.double({ min: 0, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({
          day: fc.option(dollars),
          month: fc.option(dollars),
          rate: dollars,
          hour: fc.integer({ min: 0, max: 700 }),
        }),
        ({ day, month, rate, hour }) => {
          const from = START + hour * HOUR;
          const seen = pass(budgetOf({ day, month, atLimit: "hibernate_idle" }), {
            rate,
            from,
            until: from + DAY,
          });
          const ofDay = seen.flatMap(({ told }) => told.filter((one) => one.startsWith("day")));
          const perDay = Map.groupBy(
            seen.flatMap(({ at, told }) => told.map((one) => `${startOf("day", at)} ${one}`)),
            (one) => one,
          );
          expect([...perDay.values()].every((told) => told.length === 1)).toBe(true);
          if (day !== null && day > 0 && rate * 24 >= 2 * day && hour % 24 === 0)
            expect(ofDay).toContain("day 100");
          expect(seen.length).toBeLessThan(200);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("the words", () => {
  it("say what is spent, when it breaks, and what nobody knows", () => {
    const spent = spentOf({ day: 5, rate: 2, unknownRates: 1 });
    const [alert] = look(budgetOf({ day: 10 }), spent, START + 5 * HOUR).alerts;
    expect(alert && say("en", describeAlert(alert, spent))).toBe(
      "The day's budget is used to 50 %: $5.00 of $10.00 since 00:00 UTC, and $2.00 more every hour. At this rate it is used up at 07:30 UTC. 1 instance has no known price, and is not counted.",
    );
    const [month] = look(budgetOf({ month: 400 }), spentOf({ month: 330, rate: 0.5 })).alerts;
    expect(month && say("en", describeAlert(month, spentOf({ rate: 0.5 })))).toContain(
      "At this rate it is used up on 2026-02-15.",
    );
    const [used] = look(budgetOf({ month: 400 }), spentOf({ month: 402 })).alerts;
    expect(used && say("en", describeAlert(used, spentOf({ unknownRates: 3 })))).toBe(
      "The month's budget is used up: $402.00 of $400.00 since the first of the month. 3 instances have no known price, and are not counted.",
    );
  });

  it("promise no moment beyond the period, and none for what is used up", () => {
    const limits = { day: 10, month: 100 };
    expect(breaksAt(limits, spentOf({ day: 1, rate: 0.1 }), "day", START)).toBeNull();
    expect(breaksAt(limits, spentOf({ day: 11, rate: 1 }), "day", START)).toBeNull();
    expect(breaksAt(limits, spentOf({ month: 90, rate: 1 }), "month", START)).toBe(START + 10 * HOUR);
  });

  it("know how long a month is", () => {
    expect(endOf("month", Date.UTC(2026, 0, 31, 23))).toBe(Date.UTC(2026, 1, 1));
    expect(endOf("month", Date.UTC(2026, 11, 5))).toBe(Date.UTC(2027, 0, 1));
  });
});
