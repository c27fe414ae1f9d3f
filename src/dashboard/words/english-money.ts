import { inEnglish, type Statement } from "../../lifecycle/model/say-money.ts";

/** What an act costs or saves, and what a machine has cost. Amounts are written out; null is not known. */
export const englishMoney = {
  /** Beside an event. */
  ofEvent: (statement: Statement): string => inEnglish(statement),
  /** What a machine that runs costs an hour, and of today's costs those that were wasted. */
  running: (costs: string | null, wasted: string | null): string => {
    const waste = wasted === null ? "" : ` Wasted today: ${wasted}.`;
    return `${costs === null ? "What it costs is not known." : `It costs ${costs} an hour.`}${waste}`;
  },
  hibernateStakes: (costs: string | null, hibernated: string | null, saves: string | null): string => {
    if (costs === null && hibernated === null) return "What that saves is not known.";
    if (hibernated === null) return `It costs ${costs} an hour now. What it costs hibernated is not known.`;
    if (costs === null) return `Hibernated, it costs ${hibernated} an hour. What it costs now is not known.`;
    const saving = saves === null ? "" : `: that saves ${saves} an hour`;
    return `It costs ${costs} an hour now, and ${hibernated} hibernated${saving}.`;
  },
  wakeStakes: (costs: string | null, hibernated: string | null): string =>
    costs === null
      ? "From then on it costs money again."
      : `From then on it costs ${costs} an hour${hibernated === null ? "" : ` instead of ${hibernated}`}.`,
};

export type MoneyWords = typeof englishMoney;
