import { duration, number, price } from "../format.ts";
import { language } from "../words.ts";
import { percentText } from "./amounts.ts";
import type { Worded } from "./answers.ts";
import { type Setting, settingIn } from "./setting.ts";
import type { SaidSetting } from "./words/english.ts";
import { replayWords } from "./words.ts";

/** The sentence of a proposal, in the reader's language; null where only the service can word it. */
export function proposalText({ says: { code, parameters } }: Worded): string | null {
  const { proposal } = replayWords.value;
  if (code === "nothing_to_save") return proposal.nothing;
  const setting = settingIn(parameters);
  if (setting === null) return null;
  const said = writtenOut(setting);
  switch (code) {
    case "spares":
      return proposal.spares(said);
    case "keep":
      return proposal.keep(said);
    case "interrupts":
      return proposal.interrupts(said);
    case "alike":
      return proposal.alike(said);
    case "spares_some": {
      const other = settingIn("other" in parameters ? parameters.other : null);
      return other === null ? null : proposal.sparesSome(said, writtenOut(other));
    }
    default:
      return null;
  }
}

function writtenOut(setting: Setting): SaidSetting {
  const { saved, workCutHours } = setting;
  return {
    threshold: percentText(setting.thresholdPercent),
    window: duration(setting.hibernateAfterMinutes * 60),
    share: percentText(setting.sharePercent),
    amount:
      saved === null
        ? { hours: `${number(setting.hibernatedHours, language.value)} h` }
        : { dollars: price(saved, language.value) },
    interruptions: setting.interruptions,
    workCut: workCutHours === 0 ? null : duration(workCutHours * 3600),
  };
}
