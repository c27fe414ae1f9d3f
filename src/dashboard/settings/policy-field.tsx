import type { ComponentChildren } from "preact";
import { duration, number } from "../format.ts";
import { language, words } from "../words.ts";
import { DurationInput, inSeconds } from "./duration-input.tsx";
import { NumberInput } from "./number-input.tsx";
import type { FieldKind, FieldName, FieldValue } from "./policy-fields.ts";
import { isWindows, type Path, type PlacedField } from "./policy-values.ts";
import { spokenZone, TimezoneInput } from "./timezone-input.tsx";
import { spokenWindows } from "./window-words.ts";
import { WindowsInput } from "./windows-input.tsx";

/** One field of a policy: what holds and whose word that is, and what this level says. */

export type Source = "instance" | "user" | "service";

interface FieldProps {
  field: PlacedField;
  /** What holds now. */
  effective: FieldValue | undefined;
  source: Source;
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
  const { field, effective, source, value, problem } = props;
  const id = fieldId(field.path);
  const hint = hintOf(field.path, value ?? effective);
  const [hintId, problemId] = [`${id}-hint`, `${id}-problem`];
  const described = [hint === null ? null : hintId, problem === null ? null : problemId].filter(
    (each) => each !== null,
  );
  const attributes = {
    id,
    "aria-invalid": problem !== null,
    "aria-describedby": described.length === 0 ? undefined : described.join(" "),
  };
  const label = fieldLabel(field.path);
  const isWide = field.kind.type === "windows";
  return (
    <div class={isWide ? "field wide" : "field"}>
      {isWide ? <span id={`${id}-label`}>{label}</span> : <label for={id}>{label}</label>}
      <span class="effective">
        {spoken(effective, field.kind, props.timezone)}{" "}
        <span class={`from ${source}`}>{words.value.from[source]}</span>
      </span>
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

interface InputProps extends FieldProps {
  label: string;
  attributes: {
    readonly id: string;
    readonly "aria-invalid": boolean;
    readonly "aria-describedby": string | undefined;
  };
}

function Input(props: InputProps) {
  const { field, label, attributes, effective, value, timezone, onChange } = props;
  const { kind } = field;
  switch (kind.type) {
    case "duration":
      return (
        <span class="entry">
          <DurationInput
            attributes={attributes}
            label={label}
            unit={kind.unit}
            value={typeof value === "number" || value === null ? value : undefined}
            effective={typeof effective === "number" ? effective : null}
            onChange={onChange}
          />
          <None kind={kind} label={label} value={value} onChange={onChange} />
        </span>
      );
    case "number":
      return (
        <span class="entry">
          <NumberInput
            attributes={attributes}
            isNull={value === null}
            value={typeof value === "number" ? value : ""}
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
          choices={{ true: words.value.yes, false: words.value.no }}
          value={value === undefined ? "" : String(value)}
          onChange={(chosen) => onChange(chosen === "" ? undefined : chosen === "true")}
        />
      );
    case "choice":
      return (
        <Select
          attributes={attributes}
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
          value={typeof value === "string" ? value : undefined}
          effective={timezone}
          onChange={onChange}
        />
      );
    case "windows":
      return (
        <WindowsInput
          id={attributes.id}
          describedBy={attributes["aria-describedby"]}
          isDated={kind.dated}
          value={isWindows(value) ? value : undefined}
          effective={isWindows(effective) ? effective : []}
          timezone={timezone}
          onChange={onChange}
        />
      );
  }
}

/** Switches a value off, where that can be: never, or ignored. */
function None({
  kind,
  label,
  value,
  onChange,
}: Pick<FieldProps, "value" | "onChange"> & {
  kind: Extract<FieldKind, { type: "duration" | "number" }>;
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
      <option value="">–</option>
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
      return duration(inSeconds(value, kind.unit));
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
