import { inPortuguese } from "../../lifecycle/model/say-money-portuguese.ts";
import { price } from "../format.ts";
import type { MoneyWords } from "./english-money.ts";

export const portugueseMoney: MoneyWords = {
  ofEvent: (statement) => inPortuguese(statement, (amount) => price(amount, "pt-BR")),
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
