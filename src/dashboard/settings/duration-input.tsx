import { useEffect, useRef, useState } from "preact/hooks";
import { words } from "../words.ts";
import {
  type DurationUnit,
  fittingUnit,
  readDuration,
  SECONDS_IN,
  writeDuration,
} from "./policy/durations.ts";
import { policyEditorWords } from "./policy/words.ts";

interface Typed {
  readonly text: string;
  /** What it stands for, or what it follows where it can't be read. */
  readonly value: number | null | undefined;
  readonly isRead: boolean;
  /** Of a number without a unit: as it was when the typing began. */
  readonly bare: DurationUnit;
}

/** How long something takes, as people write it; `unit` is what the API counts in. */
export function DurationInput(props: {
  attributes: Readonly<Record<string, string | boolean | undefined>>;
  label: string;
  unit: DurationUnit;
  /** What the level itself says; undefined when nothing, and null for never. */
  value: number | null | undefined;
  /** What holds without that. */
  inherited: number | null;
  mayBeNever: boolean;
  onChange: (value: number | null | undefined) => void;
}) {
  const { attributes, label, unit, value, inherited, mayBeNever, onChange } = props;
  const input = useRef<HTMLInputElement>(null);
  /** As it is typed, while that stands for `value`: "1" is on its way to "15 min". */
  const [typed, setTyped] = useState<Typed | null>(null);
  const { durations } = policyEditorWords.value;
  const { none } = words.value.policy;
  const written = (amount: number | null) =>
    amount === null ? none.never : writeDuration(inSeconds(amount, unit), durations.units);
  const current = typed !== null && Object.is(typed.value, value) ? typed : null;
  const text = current?.text ?? (value === undefined ? "" : written(value));
  const problem = current?.isRead === false ? (mayBeNever ? durations.neverToo : durations.notRead) : null;
  useEffect(() => input.current?.setCustomValidity(problem ?? ""), [problem]);
  const enter = (entered: string) => {
    const bare = current?.bare ?? bareUnit(value ?? inherited, unit);
    const read = valueIn(entered, bare);
    const isRead = read !== "no duration";
    const next = isRead ? read : value;
    setTyped({ text: entered, value: next, isRead, bare });
    if (isRead && !Object.is(next, value)) onChange(next);
  };
  const valueIn = (entered: string, bare: DurationUnit): number | null | undefined | "no duration" => {
    const trimmed = entered.trim();
    if (trimmed === "") return undefined;
    if (mayBeNever && durations.never.includes(trimmed.toLowerCase())) return null;
    const seconds = readDuration(trimmed, bare);
    return seconds === null ? "no duration" : seconds / SECONDS_IN[unit];
  };
  const meant = current?.isRead === true && typeof value === "number" ? written(value) : null;
  return (
    <>
      <input
        {...attributes}
        ref={input}
        class="duration"
        type="text"
        autocomplete="off"
        spellcheck={false}
        aria-invalid={problem !== null || attributes["aria-invalid"] === true}
        placeholder={written(inherited)}
        value={text}
        onInput={({ currentTarget }) => enter(currentTarget.value)}
        onBlur={() => {
          if (current?.isRead === true) setTyped(null);
        }}
      />
      {mayBeNever && (
        <button
          type="button"
          class="choice"
          aria-label={words.value.of(none.never, label)}
          aria-pressed={value === null}
          onClick={() => onChange(value === null ? undefined : null)}
        >
          {none.never}
        </button>
      )}
      {meant !== null && meant !== text.trim() && <span class="faint">{durations.means(meant)}</span>}
      {problem !== null && (
        <span class="wrong" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}

/** In seconds. */
export function inSeconds(value: number, unit: DurationUnit): number {
  return value * SECONDS_IN[unit];
}

/** What a number without a unit is counted in: as what stands there. */
function bareUnit(value: number | null, unit: DurationUnit): DurationUnit {
  return value === null ? unit : fittingUnit(Math.round(inSeconds(value, unit)));
}
