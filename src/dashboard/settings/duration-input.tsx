import { useState } from "preact/hooks";
import { words } from "../words.ts";
import { NumberInput } from "./number-input.tsx";
import type { DurationUnit } from "./policy-fields.ts";

const UNITS = ["seconds", "minutes", "hours", "days"] as const satisfies readonly DurationUnit[];

const SECONDS_IN: Readonly<Record<DurationUnit, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
};

/** How long something takes, in a unit of the reader's choice; `unit` is the API's. */
export function DurationInput(props: {
  attributes: Readonly<Record<string, string | boolean | undefined>>;
  /** What it is called. */
  label: string;
  unit: DurationUnit;
  /** What the level itself says; undefined when nothing, and null for never. */
  value: number | null | undefined;
  /** What holds without that: it tells which unit fits. */
  effective: number | null;
  onChange: (value: number | undefined) => void;
}) {
  const { attributes, label, unit, value, effective, onChange } = props;
  const [chosenUnit, setChosenUnit] = useState<DurationUnit | null>(null);
  /** As it was typed: "1." is on its way to 1.5. */
  const [typed, setTyped] = useState<{ text: string; value: number } | null>(null);
  const shownUnit = chosenUnit ?? fittingUnit(value ?? effective ?? 0, unit);
  const factor = SECONDS_IN[shownUnit] / SECONDS_IN[unit];
  const units = UNITS.filter((each) => SECONDS_IN[each] >= SECONDS_IN[unit]);
  const { units: names, unit: unitLabel } = words.value.policy;
  const enter = (text: string, by: number) => {
    if (text === "") {
      setTyped(null);
      onChange(undefined);
      return;
    }
    // What is counted in hours or days may be a part of one.
    const entered = Number(text) * by;
    const given = unit === "seconds" || unit === "minutes" ? Math.round(entered) : entered;
    setTyped({ text, value: given });
    onChange(given);
  };
  const text =
    typeof value !== "number" ? "" : typed?.value === value ? typed.text : String(rounded(value / factor));
  return (
    <>
      <NumberInput
        attributes={attributes}
        isNull={value === null}
        value={text}
        onText={(entered) => {
          // From now on it stays: a value that fits another unit better is still being typed.
          setChosenUnit(shownUnit);
          enter(entered, factor);
        }}
      />
      {units.length === 1 ? (
        <span class="unit">{names[shownUnit]}</span>
      ) : (
        <select
          class="unit"
          aria-label={words.value.of(unitLabel, label)}
          value={shownUnit}
          disabled={value === null}
          onChange={({ currentTarget }) => {
            const chosen = units.find((each) => each === currentTarget.value) ?? shownUnit;
            setChosenUnit(chosen);
            if (text !== "") enter(text, SECONDS_IN[chosen] / SECONDS_IN[unit]);
          }}
        >
          {units.map((each) => (
            <option key={each} value={each}>
              {names[each]}
            </option>
          ))}
        </select>
      )}
    </>
  );
}

/** In seconds. */
export function inSeconds(value: number, unit: DurationUnit): number {
  return value * SECONDS_IN[unit];
}

/** The largest unit, none below the API's own, in which it is a whole number; days only from two on. */
function fittingUnit(value: number, unit: DurationUnit): DurationUnit {
  const seconds = inSeconds(value, unit);
  const fitting = UNITS.filter(
    (each) =>
      SECONDS_IN[each] >= SECONDS_IN[unit] &&
      seconds % SECONDS_IN[each] === 0 &&
      seconds >= SECONDS_IN[each] * (each === "days" ? 2 : 1),
  );
  return fitting.at(-1) ?? unit;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
