import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import { ConnectionFilter, useConnectionNames } from "../fleet/connection-filter.tsx";
import { fleet } from "../fleet/fleet.ts";
import { words } from "../words.ts";
import type { KillFilter } from "./kill.ts";
import { tagsOf } from "./tag-choices.ts";

/** Those that can be hibernated. */
const STATUSES = ["running", "orphaned"] as const;

const TAGS_AT_MOST = 200;

/** Of whom it is asked. Only what there is in the fleet can be chosen. */
export function KillFilterFields({
  filter,
  onChange,
}: {
  filter: KillFilter;
  onChange: (filter: KillFilter) => void;
}) {
  const { filterByStatus, anyStatus, status, providers, fields, costs } = words.value;
  const { kill } = costs;
  const connections = useConnectionNames();
  const instances = fleet.value?.instances ?? [];
  const kinds: ProviderKind[] = [...new Set(instances.map(({ provider }) => provider))].sort();
  const tags = tagsOf(instances).slice(0, TAGS_AT_MOST);
  return (
    <>
      <div class="toolbar">
        <Select
          label={filterByStatus}
          any={anyStatus}
          choices={STATUSES.map((each) => [each, status[each]] as const)}
          chosen={filter.status}
          onChoose={(chosen) => onChange({ ...filter, status: chosen })}
        />
        <Select
          label={fields.provider}
          any={kill.anyProvider}
          choices={kinds.map((kind) => [kind, providers[kind]] as const)}
          chosen={filter.provider}
          onChoose={(chosen) => onChange({ ...filter, provider: chosen })}
        />
        <ConnectionFilter
          names={connections}
          chosen={filter.connection}
          onChoose={(connection) => onChange({ ...filter, connection })}
        />
        {tags.length > 0 && (
          <Select
            label={kill.tag}
            any={kill.anyTag}
            choices={tags.map((tag) => [tag, tag] as const)}
            chosen={filter.tag}
            onChoose={(chosen) => onChange({ ...filter, tag: chosen })}
          />
        )}
      </div>
      <Check
        label={kill.onlyIdle}
        isChecked={filter.onlyIdle}
        onCheck={(onlyIdle) => onChange({ ...filter, onlyIdle })}
      />
      <Check
        label={kill.keptAliveToo}
        isChecked={!filter.respectKeepAlive}
        onCheck={(isChecked) => onChange({ ...filter, respectKeepAlive: !isChecked })}
      />
    </>
  );
}

function Select(props: {
  label: string;
  any: string;
  choices: readonly (readonly [value: string, name: string])[];
  chosen: string | null;
  onChoose: (value: string | null) => void;
}) {
  return (
    <select
      aria-label={props.label}
      value={props.chosen ?? ""}
      onChange={({ currentTarget: { value } }) => props.onChoose(value === "" ? null : value)}
    >
      <option value="">{props.any}</option>
      {props.choices.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Check(props: { label: string; isChecked: boolean; onCheck: (isChecked: boolean) => void }) {
  return (
    <p>
      <label class="never">
        <input
          type="checkbox"
          checked={props.isChecked}
          onChange={({ currentTarget }) => props.onCheck(currentTarget.checked)}
        />
        {props.label}
      </label>
    </p>
  );
}
