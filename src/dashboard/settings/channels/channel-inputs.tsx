import { words } from "../../words.ts";
import { CHANNEL_FIELDS, type ChannelKind, OPTIONAL_FIELDS, SECRET_FIELDS } from "../channel-fields.ts";
import { SEVERITIES, type Severity } from "./channel.ts";
import { channelWords } from "./words.ts";

/** The inputs of a channel, whether it is added or changed. */

export type Typed = Readonly<Record<string, string>>;

/** What a kind asks for. `mayBeEmpty`: what is left out stays as it is. */
export function SettingsInputs({
  id,
  kind,
  typed,
  onChange,
  mayBeEmpty = false,
}: {
  id: string;
  kind: ChannelKind;
  typed: Typed;
  onChange: (typed: Typed) => void;
  mayBeEmpty?: boolean;
}) {
  const { field: nameOf, optional } = channelWords.value;
  return (
    <>
      {CHANNEL_FIELDS[kind].map((field) => {
        const isOptional = OPTIONAL_FIELDS[kind]?.includes(field) ?? false;
        const isSecret = SECRET_FIELDS.includes(field);
        const input = {
          id: `${id}-${field}`,
          required: !isOptional && !mayBeEmpty,
          autocomplete: "off",
          value: typed[field] ?? "",
          onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
            onChange({ ...typed, [field]: currentTarget.value }),
        };
        return (
          <label key={field} for={`${id}-${field}`}>
            <span>
              {nameOf(field)} {isOptional && <span class="faint">({optional})</span>}
            </span>
            {isSecret ? <input {...input} type="password" /> : <input {...input} type="text" />}
          </label>
        );
      })}
    </>
  );
}

export function NameInput({ name, onChange }: { name: string; onChange: (name: string) => void }) {
  return (
    <label>
      <span>{words.value.fields.name}</span>
      <input
        required
        maxLength={200}
        value={name}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}

export function SeverityInput({
  severity,
  onChange,
}: {
  severity: Severity;
  onChange: (severity: Severity) => void;
}) {
  return (
    <label>
      <span>{words.value.severityLabel}</span>
      <select
        value={severity}
        onChange={({ currentTarget }) =>
          onChange(SEVERITIES.find((each) => each === currentTarget.value) ?? severity)
        }
      >
        {SEVERITIES.map((each) => (
          <option key={each} value={each}>
            {words.value.severity[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
