import { roundDollars, spokenDollars } from "./dollars.ts";
import { bearingOf, type Money } from "./money.ts";

/** What is said of the figures of an event, wherever it is told, and of those of many events together. */

/** All are dollars; those of `costs`, `saves` and `ends` an hour. */
export type Statement =
  | {
      readonly of: "a machine that runs";
      readonly costs: number | undefined;
      readonly wasted: number | undefined;
      readonly wouldSave: number | undefined;
    }
  | {
      readonly of: "a hibernated machine";
      readonly costs: number | undefined;
      readonly costsRunning: number | undefined;
      readonly saves: number | undefined;
      readonly wasted: number | undefined;
    }
  | { readonly of: "a machine that may run" | "a machine that is started"; readonly costs: number }
  | {
      readonly of: "a machine that is gone";
      readonly ends: number | undefined;
      readonly total: number | undefined;
      readonly wasted: number | undefined;
    }
  | { readonly of: "several machines"; readonly costs: number; readonly unknown: number };

/** What there is to say of an event of this kind; null when nothing is known, or its message says all. */
export function statementOf(kind: string, money: Money): Statement | null {
  const { rate, running_cost, hibernated_cost, would_save_hourly, saves_hourly, wasted } = money;
  const running = running_cost ?? rate;
  if (Object.keys(money).length === 0) return null;
  switch (bearingOf(kind)) {
    case "none":
    case "said":
      return null;
    case "together":
      return rate === undefined
        ? null
        : { of: "several machines", costs: rate, unknown: money.unknown_rates ?? 0 };
    case "if it runs":
      return running === undefined ? null : { of: "a machine that may run", costs: running };
    case "once it runs":
      return running === undefined ? null : { of: "a machine that is started", costs: running };
    case "gone": {
      const { cost_total: total, wasted_total } = money;
      return { of: "a machine that is gone", ends: saves_hourly, total, wasted: wasted_total };
    }
    case "now":
      return running_cost !== undefined || (rate !== undefined && rate === hibernated_cost)
        ? {
            of: "a hibernated machine",
            costs: rate,
            costsRunning: running_cost,
            saves: saves_hourly,
            wasted,
          }
        : rate === undefined && wasted === undefined
          ? null
          : { of: "a machine that runs", costs: rate, wasted, wouldSave: would_save_hourly };
  }
}

/** It in plain English. */
export function inEnglish(statement: Statement): string {
  switch (statement.of) {
    case "a machine that runs": {
      const { costs, wasted, wouldSave } = statement;
      return `It ${listed([
        ...(costs === undefined ? [] : [`costs ${anHour(costs)}`]),
        ...(wasted === undefined ? [] : [`has wasted ${spokenDollars(wasted)}`]),
        ...(wouldSave === undefined ? [] : [`would save ${anHour(wouldSave)} if it were hibernated`]),
      ])}.`;
    }
    case "a hibernated machine": {
      const { costs, costsRunning, saves, wasted } = statement;
      const sentences = [
        ...(costs === undefined
          ? []
          : [
              `It ${listed([costs === 0 ? "costs nothing now" : `still costs ${anHour(costs)}`, ...(saves === undefined ? [] : [`saves ${anHour(saves)}`])])}.`,
            ]),
        ...(costs === undefined && costsRunning !== undefined
          ? [`While it runs, it costs ${anHour(costsRunning)}.`]
          : []),
        ...(wasted === undefined ? [] : [`Before, it wasted ${spokenDollars(wasted)}.`]),
      ];
      return sentences.join(" ");
    }
    case "several machines": {
      const { costs, unknown } = statement;
      const more = unknown === 0 ? "" : ` and more: the price of ${unknown} is not known`;
      return `Together they cost ${anHour(costs)}${more}.`;
    }
    case "a machine that may run":
      return `If it runs, it costs ${anHour(statement.costs)}.`;
    case "a machine that is started":
      return `Once it runs, it costs ${anHour(statement.costs)}.`;
    case "a machine that is gone": {
      const { ends, total, wasted } = statement;
      const waste = wasted === undefined ? "" : `, of which ${spokenDollars(wasted)} was wasted`;
      return [
        ...(total === undefined ? [] : [`In all it cost ${spokenDollars(total)}${waste}.`]),
        ...(ends === undefined ? [] : [`That ends ${anHour(ends)}.`]),
      ].join(" ");
    }
  }
}

/** The figures of several events of one kind together. What is not known is left out, and machines of unknown price are counted. */
export interface Together {
  readonly rate: number | null;
  readonly unknown_rates: number;
  readonly saves_hourly: number | null;
  readonly wasted: number | null;
}

/** Null for events that have nothing to do with what their machines cost. */
export function together(kind: string, machines: readonly Money[]): Together | null {
  const bearing = bearingOf(kind);
  if (bearing === "none") return null;
  const rates = machines.map(({ rate, running_cost }) => (bearing === "now" ? rate : (running_cost ?? rate)));
  const unknown = machines.map(
    ({ unknown_rates }, index) => unknown_rates ?? (rates[index] === undefined ? 1 : 0),
  );
  return {
    rate: sumOf(rates),
    unknown_rates: bearing === "gone" ? 0 : unknown.reduce((sum, each) => sum + each, 0),
    saves_hourly: sumOf(machines.map((each) => each.saves_hourly)),
    wasted: sumOf(machines.map((each) => each.wasted ?? each.wasted_total)),
  };
}

function sumOf(dollars: readonly (number | undefined)[]): number | null {
  const known = dollars.filter((each) => each !== undefined);
  return known.length === 0 ? null : roundDollars(known.reduce((sum, each) => sum + each, 0));
}

/** The end of a heading: `$14.20 an hour together`; null when nothing is known. */
export function sayTogether({ rate, unknown_rates, saves_hourly, wasted }: Together): string | null {
  const parts = [
    ...(rate === null
      ? []
      : [
          `${anHour(rate)}${unknown_rates === 0 ? "" : ` and more (${unknown_rates} at unknown prices)`} together`,
        ]),
    ...(saves_hourly === null ? [] : [`${anHour(saves_hourly)} saved`]),
    ...(wasted === null ? [] : [`${spokenDollars(wasted)} wasted`]),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}

function anHour(dollars: number): string {
  return `${spokenDollars(dollars)} an hour`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
