import type { ComponentChildren } from "preact";
import { number } from "../format.ts";
import { language, words } from "../words.ts";
import { DurationInput, inSeconds } from "./duration-input.tsx";
import { NumberInput } from "./number-input.tsx";
import { writeDuration } from "./policy/durations.ts";
import { policyEditorWords } from "./policy/words.ts";
import type { FieldKind, FieldName, FieldValue } from "./policy-fields.ts";
import { isWindows, type Path, type PlacedField } from "./policy-values.ts";
import { spokenZone, TimezoneInput } from "./timezone-input.tsx";
import { spokenWindows } from "./window-words.ts";
import { WindowsInput } from "./windows-input.tsx";

/** One field of a policy: what this level says, and what holds where it says nothing, with whose word that is. */

export type Source = "instance" | "user" | "service";

interface FieldProps {
  field: PlacedField;
  /** What holds where this level says nothing, and whose word that is. */
  inherited: FieldValue | undefined;
  source: Exclude<Source, "instance">;
  /** Which level this is. */
  level: Exclude<Source, "service">;
  /** What this level itself says; undefined when nothing. */
  value: FieldValue | undefined;
  /** In which time zone windows are read. */
  timezone: string;
  problem: ComponentChildren | null;
  onChange: (value: FieldValue | undefined) => void;
}

export const fieldId = (path: Path) => `policy-${path.join("-")}`;

export function fieldLabel(path: Path): string {
  const names: Readonly<Record<string, string>> = words.value.policy.names;
  const name = path.at(-1) ?? "";
  return names[name] ?? name;
}

/** What helps to set it: what its value means, if its values mean different things. */
export function hintOf(path: Path, value: FieldValue | undefined): string | null {
  const hints: Readonly<Record<string, string>> = words.value.policy.hints;
  const meanings: Readonly<Record<string, Readonly<Record<string, string>>>> = words.value.policy.meanings;
  const name = path.at(-1) ?? "";
  return meanings[name]?.[String(value)] ?? hints[name] ?? null;
}

export function PolicyField(props: FieldProps) {
  const { field, inherited, value, problem } = props;
  const id = fieldId(field.path);
  const hint = hintOf(field.path, value ?? inherited);
  const [hintId, problemId, fromId] = [`${id}-hint`, `${id}-problem`, `${id}-from`];
  const described = [fromId, hint === null ? null : hintId, problem === null ? null : problemId].filter(
    (each) => each !== null,
  );
  const attributes = {
    id,
    "aria-invalid": problem !== null,
    "aria-describedby": described.join(" "),
  };
  const label = fieldLabel(field.path);
  const isWide = field.kind.type === "windows";
  return (
    <div class={isWide ? "field wide" : `field of-${field.kind.type}`}>
      {isWide ? <span id={`${id}-label`}>{label}</span> : <label for={id}>{label}</label>}
      <Origin {...props} id={fromId} label={label} />
      <Input {...props} label={label} attributes={attributes} />
      {hint !== null && (
        <p id={hintId} class="faint">
          {hint}
        </p>
      )}
      {problem !== null && (
        <p id={problemId} class="wrong">
          {problem}
        </p>
      )}
    </div>
  );
}

/** Whose word holds; where it is this level's, the way back to the one above. */
function Origin(props: FieldProps & { id: string; label: string }) {
  const { id, label, field, inherited, source, level, value, timezone, onChange } = props;
  const { from, takeBack, takesBack } = policyEditorWords.value;
  if (value === undefined) {
    return (
      <span id={id} class="origin">
        <span class={`from ${source}`}>{from[source]}</span>
      </span>
    );
  }
  const back = inherited === undefined ? takeBack : takesBack(spoken(inherited, field.kind, timezone));
  return (
    <span class="origin">
      <span id={id} class={`from ${level}`}>
        {from.instance}
      </span>{" "}
      <button
        type="button"
        class="link"
        aria-label={words.value.of(takeBack, label)}
        title={back}
        onClick={() => onChange(undefined)}
      >
        {takeBack}
      </button>
    </span>
  );
}

interface InputProps extends FieldProps {
  label: string;
  attributes: {
    readonly id: string;
    readonly "aria-invalid": boolean;
    readonly "aria-describedby": string;
  };
}

function Input(props: InputProps) {
  const { field, label, attributes, inherited, source, value, timezone, onChange } = props;
  const { kind } = field;
  /** As the choice that leaves the value to the level above. */
  const above =
    inherited === undefined
      ? "–"
      : `${spoken(inherited, kind, timezone)} (${policyEditorWords.value.from[source]})`;
  switch (kind.type) {
    case "duration":
      return (
        <span class="entry">
          <DurationInput
            attributes={attributes}
            label={label}
            unit={kind.unit}
            value={typeof value === "number" || value === null ? value : undefined}
            inherited={typeof inherited === "number" ? inherited : null}
            mayBeNever={kind.none !== undefined}
            onChange={onChange}
          />
        </span>
      );
    case "number":
      return (
        <span class="entry">
          <NumberInput
            attributes={attributes}
            isNull={value === null}
            value={typeof value === "number" ? value : ""}
            placeholder={placeholderOf(inherited)}
            onText={(text) => onChange(text === "" ? undefined : Number(text))}
          />
          {kind.unit !== null && <span class="unit">{words.value.policy.units[kind.unit]}</span>}
          <None kind={kind} label={label} value={value} onChange={onChange} />
        </span>
      );
    case "boolean":
      return (
        <Select
          attributes={attributes}
          above={above}
          choices={{ true: words.value.yes, false: words.value.no }}
          value={value === undefined ? "" : String(value)}
          onChange={(chosen) => onChange(chosen === "" ? undefined : chosen === "true")}
        />
      );
    case "choice":
      return (
        <Select
          attributes={attributes}
          above={above}
          choices={Object.fromEntries(
            kind.choices.map((choice) => [choice, words.value.policy.choice(choice)]),
          )}
          value={typeof value === "string" ? value : ""}
          onChange={(chosen) => onChange(chosen === "" ? undefined : chosen)}
        />
      );
    case "timezone":
      return (
        <TimezoneInput
          attributes={attributes}
          above={above}
          value={typeof value === "string" ? value : undefined}
          effective={timezone}
          onChange={onChange}
        />
      );
    case "windows":
      return (
        <>
          {value === undefined && isWindows(inherited) && (
            <span class="effective">{spokenWindows(inherited, timezone)}</span>
          )}
          <WindowsInput
            id={attributes.id}
            describedBy={attributes["aria-describedby"]}
            isDated={kind.dated}
            value={isWindows(value) ? value : undefined}
            effective={isWindows(inherited) ? inherited : []}
            timezone={timezone}
            onChange={onChange}
          />
        </>
      );
  }
}

/** A number as its field shows it, which is not as a text does. */
function placeholderOf(inherited: FieldValue | undefined): string {
  if (inherited === undefined) return "";
  return typeof inherited === "number" ? String(inherited) : words.value.policy.none.ignored;
}

/** Switches a value off, where that can be: never, or ignored. */
function None({
  kind,
  label,
  value,
  onChange,
}: Pick<FieldProps, "value" | "onChange"> & {
  kind: Extract<FieldKind, { type: "number" }>;
  label: string;
}) {
  if (kind.none === undefined) return null;
  const text = words.value.policy.none[kind.none];
  return (
    <label class="never">
      <input
        type="checkbox"
        aria-label={words.value.of(text, label)}
        checked={value === null}
        onChange={({ currentTarget }) => onChange(currentTarget.checked ? null : undefined)}
      />
      {text}
    </label>
  );
}

/** One of these, or nothing. */
function Select(props: {
  attributes: InputProps["attributes"];
  above: string;
  choices: Readonly<Record<string, string>>;
  value: string;
  onChange: (chosen: string) => void;
}) {
  return (
    <select
      {...props.attributes}
      value={props.value}
      onChange={({ currentTarget }) => props.onChange(currentTarget.value)}
    >
      <option value="">{props.above}</option>
      {Object.entries(props.choices).map(([choice, text]) => (
        <option key={choice} value={choice}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** A value as people read it. */
export function spoken(value: FieldValue | undefined, kind: FieldKind, timezone: string): string {
  const { none, units, choice } = words.value.policy;
  switch (kind.type) {
    case "duration":
      if (typeof value !== "number") return none[kind.none ?? "never"];
      return writeDuration(inSeconds(value, kind.unit), policyEditorWords.value.durations.units);
    case "number":
      if (typeof value !== "number") return none[kind.none ?? "never"];
      if (kind.unit === null) return number(value, language.value, 2);
      return `${number(value, language.value, 2)}${kind.unit === "percent" ? "" : " "}${units[kind.unit]}`;
    case "boolean":
      return value === true ? words.value.yes : words.value.no;
    case "choice":
      return choice(String(value));
    case "timezone":
      return spokenZone(String(value));
    case "windows":
      return isWindows(value) ? spokenWindows(value, timezone) : "";
  }
}

/** Of a whole section. */
export function sectionHint(name: FieldName): string | null {
  return words.value.policy.hints[name] ?? null;
}
