import type { Statement, Together } from "./say-money.ts";

/** What `say-money.ts` says, in Portuguese. */

/** It in plain Portuguese. `dollars`: how an amount is written. */
export function inPortuguese(statement: Statement, dollars: (amount: number) => string): string {
  const anHour = (amount: number) => `${dollars(amount)} por hora`;
  switch (statement.of) {
    case "a machine that runs": {
      const { costs, wasted, wouldSave } = statement;
      return `Ela ${listed([
        ...(costs === undefined ? [] : [`custa ${anHour(costs)}`]),
        ...(wasted === undefined ? [] : [`desperdiçou ${dollars(wasted)}`]),
        ...(wouldSave === undefined ? [] : [`economizaria ${anHour(wouldSave)} se fosse hibernada`]),
      ])}.`;
    }
    case "a hibernated machine": {
      const { costs, costsRunning, saves, wasted } = statement;
      const now =
        costs === 0 ? "agora não custa nada" : costs === undefined ? null : `ainda custa ${anHour(costs)}`;
      const saving = saves === undefined ? [] : [`economiza ${anHour(saves)}`];
      return [
        ...(now === null ? [] : [`Ela ${listed([now, ...saving])}.`]),
        ...(now === null && costsRunning !== undefined ? [`Ligada, ela custa ${anHour(costsRunning)}.`] : []),
        ...(wasted === undefined ? [] : [`Antes, desperdiçou ${dollars(wasted)}.`]),
      ].join(" ");
    }
    case "several machines": {
      const { costs, unknown } = statement;
      const more = unknown === 0 ? "" : ` ou mais: não se sabe o preço de ${unknown}`;
      return `Juntas elas custam ${anHour(costs)}${more}.`;
    }
    case "a machine that may run":
      return `Se estiver ligada, ela custa ${anHour(statement.costs)}.`;
    case "a machine that is started":
      return `Uma vez ligada, ela custa ${anHour(statement.costs)}.`;
    case "a machine that is gone": {
      const { ends, total, wasted } = statement;
      const waste = wasted === undefined ? "" : `, dos quais ${dollars(wasted)} desperdiçados`;
      return [
        ...(total === undefined ? [] : [`Ao todo ela custou ${dollars(total)}${waste}.`]),
        ...(ends === undefined ? [] : [`Isso encerra ${anHour(ends)}.`]),
      ].join(" ");
    }
  }
}

/** The end of a heading: `US$ 14,20 por hora no total`; null when nothing is known. */
export function togetherInPortuguese(
  { rate, unknown_rates, saves_hourly, wasted }: Together,
  dollars: (amount: number) => string,
): string | null {
  const more = unknown_rates === 0 ? "" : ` ou mais (de ${unknown_rates} não se sabe o preço)`;
  const parts = [
    ...(rate === null ? [] : [`${dollars(rate)} por hora no total${more}`]),
    ...(saves_hourly === null ? [] : [`${dollars(saves_hourly)} por hora economizados`]),
    ...(wasted === null ? [] : [`${dollars(wasted)} desperdiçados`]),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} e ${words.at(-1)}`;
}
