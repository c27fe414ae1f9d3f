import type { Money } from "../money.ts";
import { inEnglish, sayTogether, statementOf, type Together } from "../say-money.ts";
import { inPortuguese, togetherInPortuguese } from "../say-money-portuguese.ts";
import type { Language } from "./said.ts";
import { SPEECH } from "./speech.ts";

/** What is said of the figures of an event of this kind; null when there is nothing to say. */
export function wordMoney(language: Language, kind: string, money: Money): string | null {
  const statement = statementOf(kind, money);
  if (statement === null) return null;
  return language === "en" ? inEnglish(statement) : inPortuguese(statement, SPEECH[language].dollars);
}

/** The end of a heading of several of them; null when nothing is known. */
export function wordTogether(language: Language, together: Together): string | null {
  return language === "en" ? sayTogether(together) : togetherInPortuguese(together, SPEECH[language].dollars);
}
