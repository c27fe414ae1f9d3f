import type { Statement } from "../../lifecycle/model/say-money.ts";
import { price } from "../format.ts";
import type { MoneyWords } from "./english-money.ts";

export const portugueseMoney: MoneyWords = {
  ofEvent: inPortuguese,
  running: (costs, wasted) => {
    const waste = wasted === null ? "" : ` Desperdiçados hoje: ${wasted}.`;
    return `${costs === null ? "Não se sabe quanto ela custa." : `Ela custa ${costs} por hora.`}${waste}`;
  },
  hibernateStakes: (costs, hibernated, saves) => {
    if (costs === null && hibernated === null) return "Não se sabe quanto isso economiza.";
    if (hibernated === null) return `Ela custa ${costs} por hora agora. Não se sabe quanto custa hibernada.`;
    if (costs === null) return `Hibernada ela custa ${hibernated} por hora. Não se sabe quanto custa agora.`;
    const saving = saves === null ? "" : `: isso economiza ${saves} por hora`;
    return `Ela custa ${costs} por hora agora, e ${hibernated} hibernada${saving}.`;
  },
  wakeStakes: (costs, hibernated) =>
    costs === null
      ? "A partir daí ela volta a custar."
      : `A partir daí ela custa ${costs} por hora${hibernated === null ? "" : `, em vez de ${hibernated}`}.`,
};

function inPortuguese(statement: Statement): string {
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

function dollars(amount: number): string {
  return price(amount, "pt-BR");
}

function anHour(amount: number): string {
  return `${dollars(amount)} por hora`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} e ${words.at(-1)}`;
}
