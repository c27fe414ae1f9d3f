import { useState } from "preact/hooks";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { duration } from "../format.ts";
import { words } from "../words.ts";
import {
  type FieldKind,
  type FieldValue,
  GROUPS,
  GROUPS_OF_LEVEL,
  type Place,
  SINGLE_FIELDS,
  valueAt,
  withValue,
} from "./policy-fields.ts";

interface Level {
  readonly name: "instance" | "user";
  readonly overrides: PolicyOverrides;
}

/**
 * A policy as it stands, where each value comes from, and what the first level says itself, to be changed. `levels`
 * come from the nearest on; what none of them says is the service's.
 */
export function PolicyEditor(props: {
  policy: PolicySettings;
  levels: readonly [Level, ...Level[]];
  onSave: (overrides: PolicyOverrides) => Promise<boolean>;
}) {
  const { policy, levels, onSave } = props;
  const [own] = levels;
  const [draft, setDraft] = useState<PolicyOverrides | null>(null);
  const overrides = draft ?? own.overrides;
  const field = (place: Place, kind: FieldKind) => (
    <Field
      key={place.field}
      place={place}
      kind={kind}
      effective={valueAt(policy, place)}
      source={levels.find((level) => valueAt(level.overrides, place) !== undefined)?.name ?? "service"}
      value={valueAt(overrides, place)}
      onChange={(value) => setDraft(withValue(overrides, place, value))}
    />
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    if (draft !== null && (await onSave(draft))) setDraft(null);
  };
  return (
    <form class="policy" onSubmit={submit}>
      {Object.entries(SINGLE_FIELDS).map(([name, kind]) => field({ group: null, field: name }, kind))}
      {GROUPS_OF_LEVEL[own.name].map((group) => (
        <fieldset key={group}>
          <legend>{words.value.policy[group]}</legend>
          {Object.entries(GROUPS[group]).map(([name, kind]) => field({ group, field: name }, kind))}
        </fieldset>
      ))}
      <div class="buttons">
        <button type="button" disabled={draft === null} onClick={() => setDraft(null)}>
          {words.value.cancel}
        </button>
        <button type="submit" class="primary" disabled={draft === null}>
          {words.value.save}
        </button>
      </div>
    </form>
  );
}

interface FieldProps {
  place: Place;
  kind: FieldKind;
  effective: FieldValue | undefined;
  source: "instance" | "user" | "service";
  /** What this level itself says; undefined when nothing. */
  value: FieldValue | undefined;
  onChange: (value: FieldValue | undefined) => void;
}

function Field({ place, kind, effective, source, value, onChange }: FieldProps) {
  const id = `policy-${place.group ?? ""}-${place.field}`;
  const labels: Record<string, string> = words.value.policy;
  return (
    <div class="field">
      <label for={id}>{labels[place.field] ?? place.field}</label>
      <span class="effective">
        {spoken(effective, kind)} <span class={`from ${source}`}>{words.value.from[source]}</span>
      </span>
      <Input id={id} kind={kind} value={value} onChange={onChange} />
    </div>
  );
}

function Input({
  id,
  kind,
  value,
  onChange,
}: { id: string } & Pick<FieldProps, "kind" | "value" | "onChange">) {
  switch (kind.type) {
    case "number":
      return (
        <span class="entry">
          <input
            id={id}
            type="number"
            min={0}
            step="any"
            disabled={value === null}
            value={typeof value === "number" ? value : ""}
            onInput={({ currentTarget }) =>
              onChange(currentTarget.value === "" ? undefined : Number(currentTarget.value))
            }
          />
          <span class="unit">{kind.unit === null ? "" : words.value.units[kind.unit]}</span>
          {kind.nullable && (
            <label class="never">
              <input
                type="checkbox"
                checked={value === null}
                onChange={({ currentTarget }) => onChange(currentTarget.checked ? null : undefined)}
              />
              {words.value.onlyUnset}
            </label>
          )}
        </span>
      );
    case "boolean":
      return (
        <select
          id={id}
          value={value === undefined ? "" : String(value)}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === "" ? undefined : currentTarget.value === "true")
          }
        >
          <option value="">–</option>
          <option value="true">{words.value.yes}</option>
          <option value="false">{words.value.no}</option>
        </select>
      );
    case "choice":
      return (
        <select
          id={id}
          value={typeof value === "string" ? value : ""}
          onChange={({ currentTarget }) =>
            onChange(currentTarget.value === "" ? undefined : currentTarget.value)
          }
        >
          <option value="">–</option>
          {kind.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      );
  }
}

function spoken(value: FieldValue | undefined, kind: FieldKind): string {
  if (value === null || value === undefined) return words.value.onlyUnset;
  if (typeof value === "boolean") return value ? words.value.yes : words.value.no;
  if (kind.type === "number" && kind.unit === "seconds") return duration(Number(value));
  if (kind.type === "number" && kind.unit !== null) {
    const unit = words.value.units[kind.unit];
    return `${value}${kind.unit === "percent" ? "" : " "}${unit}`;
  }
  return String(value);
}
