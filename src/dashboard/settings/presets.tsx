import { useId, useState } from "preact/hooks";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { PRESET_VALUES, PRESETS, type PresetValues } from "../../lifecycle/model/presets.ts";
import { words } from "../words.ts";
import { writeDuration } from "./policy/durations.ts";
import { policyEditorWords } from "./policy/words.ts";
import { fieldId } from "./policy-field.tsx";
import { type PresetChoice, presetChoice, presetNumbers, withPreset } from "./preset-choice.ts";

const DAY_SECONDS = 86_400;

/** How patient a level is, as one choice: what the levels above say, a preset, or numbers of its own. */
export function Presets(props: {
  level: "instance" | "user";
  own: PolicyOverrides;
  above: readonly PolicyOverrides[];
  onChange: (overrides: PolicyOverrides) => void;
}) {
  const { level, own, above, onChange } = props;
  /** Before any number differs, nothing else tells that it is to. */
  const [wantsOwn, setWantsOwn] = useState(false);
  const name = useId();
  const { preset } = words.value.policy;
  const stands = presetChoice(own, above);
  const chosen = wantsOwn ? "custom" : stands;
  const choose = (choice: PresetChoice) => {
    setWantsOwn(choice === "custom");
    if (choice === "custom") document.getElementById(fieldId(["idle", "warn_after_seconds"]))?.focus();
    else onChange(withPreset(own, choice));
  };
  const option = (choice: PresetChoice, label: string, numbers: string) => (
    <div key={choice} class="preset">
      <input
        type="radio"
        id={`${name}-${choice}`}
        name={name}
        checked={chosen === choice}
        aria-describedby={`${name}-${choice}-numbers`}
        onChange={() => choose(choice)}
      />
      <label for={`${name}-${choice}`}>{label}</label>
      <span id={`${name}-${choice}-numbers`} class="faint">
        {numbers}
      </span>
    </div>
  );
  return (
    <fieldset class="presets">
      <legend>{preset.legend}</legend>
      {option("above", preset.above[level], inWords(presetNumbers(above)))}
      {PRESETS.map((each) => option(each, preset.names[each], inWords(PRESET_VALUES[each])))}
      {option(
        "custom",
        preset.names.custom,
        stands === "custom" ? inWords(presetNumbers([own, ...above])) : preset.customHint,
      )}
    </fieldset>
  );
}

function inWords({ idle, orphan }: PresetValues): string {
  const { delete_after_days } = orphan;
  const { units } = policyEditorWords.value.durations;
  return words.value.policy.preset.numbers(
    writeDuration(idle.warn_after_seconds, units),
    writeDuration(idle.hibernate_after_seconds, units),
    delete_after_days === null ? null : writeDuration(delete_after_days * DAY_SECONDS, units),
  );
}
