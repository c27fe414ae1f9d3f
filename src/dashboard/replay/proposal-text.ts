import { duration, number, price } from "../format.ts";
import type { Worded } from "./answers.ts";
import { type Setting, settingIn } from "./setting.ts";
import { hoursIn, isSeen } from "./times.ts";
import type { ReplayWords, SaidSetting } from "./words/english.ts";

/** The sentence of a proposal, in the reader's language; null where only the service can word it. Pure. */
export function proposalText(
  { says: { code, parameters } }: Pick<Worded, "says">,
  words: ReplayWords["proposal"],
  locale: string,
): string | null {
  if (code === "nothing_to_save") return words.nothing;
  const setting = settingIn(parameters);
  if (setting === null) return null;
  const said = writtenOut(setting, locale);
  switch (code) {
    case "spares":
      return words.spares(said);
    case "keep":
      return words.keep(said);
    case "interrupts":
      return words.interrupts(said);
    case "alike":
      return words.alike(said);
    case "spares_some": {
      const other = settingIn("other" in parameters ? parameters.other : null);
      return other === null ? null : words.sparesSome(said, writtenOut(other, locale));
    }
    default:
      return null;
  }
}

function writtenOut(setting: Setting, locale: string): SaidSetting {
  const { saved, hibernatedHours, workCutHours } = setting;
  const percent = (value: number) => `${number(value, locale, 2)}%`;
  return {
    threshold: percent(setting.thresholdPercent),
    window: duration(setting.hibernateAfterMinutes * 60),
    share: percent(setting.sharePercent),
    amount: saved === null ? { hours: hoursIn(hibernatedHours, locale) } : { dollars: price(saved, locale) },
    interruptions: setting.interruptions,
    // As tables have it.
    workCut: isSeen(workCutHours) ? hoursIn(workCutHours, locale) : null,
  };
}
