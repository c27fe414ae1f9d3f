import { useMemo } from "preact/hooks";
import { browserTimezone } from "../language.ts";
import { words } from "../words.ts";

/** A time zone of those that the browser knows, its own and UTC first. */
export function TimezoneInput(props: {
  attributes: Readonly<Record<string, string | boolean | undefined>>;
  /** As the choice that leaves it to the level above. */
  above: string;
  value: string | undefined;
  effective: string;
  onChange: (value: string | undefined) => void;
}) {
  const { attributes, above, value, effective, onChange } = props;
  const { suggested, others, browser, take } = words.value.policy.timezone;
  const own = browserTimezone();
  // They are hundreds, and always the same.
  const options = useMemo(
    () => (
      <>
        <option value="">{above}</option>
        <optgroup label={suggested}>
          {[...new Set([own, "UTC"])].map((zone) => (
            <Zone key={zone} zone={zone} />
          ))}
        </optgroup>
        <optgroup label={others}>
          {othersThan([own, "UTC"], value).map((zone) => (
            <Zone key={zone} zone={zone} />
          ))}
        </optgroup>
      </>
    ),
    [own, above, suggested, others, value],
  );
  return (
    <span class="zone">
      <select
        {...attributes}
        value={value ?? ""}
        onChange={({ currentTarget }) =>
          onChange(currentTarget.value === "" ? undefined : currentTarget.value)
        }
      >
        {options}
      </select>
      {(value ?? effective) !== own && (
        <span class="faint">
          {browser(spokenZone(own))}{" "}
          <button type="button" class="link" onClick={() => onChange(own)}>
            {take}
          </button>
        </span>
      )}
    </span>
  );
}

export const spokenZone = (zone: string) => zone.replaceAll("_", " ");

function Zone({ zone }: { zone: string }) {
  return <option value={zone}>{spokenZone(zone)}</option>;
}

/** One that is set under another name than the browser's is there too. */
function othersThan(suggested: readonly string[], value: string | undefined): string[] {
  const known = Intl.supportedValuesOf("timeZone").filter((zone) => !suggested.includes(zone));
  const isListed = value === undefined || suggested.includes(value) || known.includes(value);
  return isListed ? known : [value, ...known];
}
