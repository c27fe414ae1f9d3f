import { changeQuery } from "../route.ts";
import { language, words } from "../words.ts";
import { SEVERITIES } from "./event.ts";
import { type EventFilter, toggled } from "./filter.ts";
import { INSTANCE_KINDS } from "./kinds.ts";
import { timelineWords } from "./words.ts";

/** Narrows the list to some severities, or to one kind. */
export function FilterBar({ filter }: { filter: EventFilter }) {
  const { filter: title, severities, kind, anyKind } = timelineWords.value;
  const named = INSTANCE_KINDS.map((each) => [each, words.value.event(each)] as const).toSorted(
    ([, one], [, other]) => one.localeCompare(other, language.value),
  );
  return (
    <div class="toolbar event-filter">
      <fieldset class="choices">
        <legend class="hidden">{title}</legend>
        {SEVERITIES.map((severity) => (
          <button
            key={severity}
            type="button"
            aria-pressed={filter.severities.includes(severity)}
            onClick={() => changeQuery({ severity: toggled(filter, severity) })}
          >
            {severities[severity]}
          </button>
        ))}
      </fieldset>
      <select
        aria-label={kind}
        value={filter.kind}
        onChange={({ currentTarget: { value } }) => changeQuery({ kind: value === "" ? null : value })}
      >
        <option value="">{anyKind}</option>
        {named.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
