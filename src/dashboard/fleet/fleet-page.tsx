import { useMemo, useState } from "preact/hooks";
import { STATUSES } from "../../lifecycle/model/phase.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { useGrowing } from "../parts/growing.ts";
import { errorText } from "../parts/notice.tsx";
import { ChosenTags } from "../parts/tags.tsx";
import { query } from "../route.ts";
import { words } from "../words.ts";
import { ConnectionFilter } from "./connection-filter.tsx";
import { fleet, fleetError } from "./fleet.ts";
import { MoneyLine } from "./money-line.tsx";
import { Row } from "./row.tsx";
import {
  isDescendingFirst,
  type Selection,
  SORT_KEYS,
  type SortKey,
  select,
  selectUnreadable,
} from "./select.ts";
import { Summary } from "./summary.tsx";
import { tagsInQuery } from "./tags.ts";
import { UnreadableRow } from "./unreadable-row.tsx";
import { Unwatched } from "./unwatched.tsx";

const COLUMNS = [
  ["name", "name"],
  ["status", "status"],
  ["heartbeat", "heartbeat"],
  ["gpu", "gpu"],
  ["rate", "rate"],
  ["cost", "cost"],
  ["wasted", "wasted"],
  ["next", "next"],
] as const satisfies readonly (readonly [keyof typeof words.value.columns, SortKey])[];

export function FleetPage() {
  const tags = useMemo(() => tagsInQuery(query.value), [query.value]);
  const [choice, setChoice] = useState<Omit<Selection, "tags">>({
    group: null,
    status: null,
    connection: null,
    search: "",
    sort: "status",
    descending: false,
  });
  const known = fleet.value;
  const selection = useMemo(() => ({ ...choice, tags }), [choice, tags]);
  const chosen = useMemo(() => select(known?.instances ?? [], selection), [known, selection]);
  if (known === null) {
    const error = fleetError.value;
    return <p class="faint">{error === null ? words.value.loading : errorText(error)}</p>;
  }
  // A place of its own: what is shown there must stay when the fleet is no longer empty.
  if (known.instances.length === 0 && known.unreadable.length === 0) {
    location.replace("#/add");
    return null;
  }
  const unreadable = selectUnreadable(known.unreadable, selection);
  const change = (changes: Partial<typeof choice>) => setChoice({ ...choice, ...changes });
  const sortBy = (sort: SortKey) =>
    change({ sort, descending: selection.sort === sort ? !selection.descending : isDescendingFirst(sort) });
  const { search, anyStatus, filterByStatus, instancesShown, noMatch, addInstance, guardClosed } =
    words.value;
  return (
    <>
      <h1 class="hidden">{words.value.fleet}</h1>
      {known.guardClosed && <p class="banner">{guardClosed}</p>}
      <MoneyLine />
      <Unwatched />
      <Summary instances={known.instances} group={selection.group} onGroup={(group) => change({ group })} />
      <div class="toolbar">
        <input
          type="search"
          placeholder={search}
          aria-label={search}
          value={selection.search}
          onInput={(event) => change({ search: event.currentTarget.value })}
        />
        <select
          aria-label={filterByStatus}
          value={selection.status ?? ""}
          onChange={(event) =>
            change({ status: STATUSES.find((each) => each === event.currentTarget.value) ?? null })
          }
        >
          <option value="">{anyStatus}</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {words.value.status[status]}
            </option>
          ))}
        </select>
        <ConnectionFilter chosen={selection.connection} onChoose={(connection) => change({ connection })} />
        <ChosenTags tags={tags} />
        <select
          class="narrow-only"
          aria-label={words.value.sortBy}
          value={selection.sort}
          onChange={(event) => {
            const sort = SORT_KEYS.find((each) => each === event.currentTarget.value);
            if (sort !== undefined) change({ sort, descending: isDescendingFirst(sort) });
          }}
        >
          {COLUMNS.map(([column, sort]) => (
            <option key={sort} value={sort}>
              {words.value.columns[column]}
            </option>
          ))}
        </select>
        <span class="count" role="status">
          {instancesShown(
            chosen.length + unreadable.length,
            known.instances.length + known.unreadable.length,
          )}
        </span>
        <a class="button primary" href="#/add">
          {addInstance}
        </a>
      </div>
      {chosen.length === 0 && unreadable.length === 0 ? (
        <p class="faint">{noMatch}</p>
      ) : (
        <table class="fleet">
          <thead>
            <tr>
              {COLUMNS.map(([column, sort]) => (
                <th key={column} scope="col" aria-sort={ariaSort(selection, sort)}>
                  <button type="button" onClick={() => sortBy(sort)}>
                    {words.value.columns[column]}
                  </button>
                </th>
              ))}
              <th scope="col">{words.value.columns.actions}</th>
            </tr>
          </thead>
          {unreadable.length > 0 && (
            <tbody>
              {unreadable.map((each) => (
                <UnreadableRow key={each.instance_id} instance={each} />
              ))}
            </tbody>
          )}
          <Rows instances={chosen} />
        </table>
      )}
    </>
  );
}

function ariaSort({ sort, descending }: Selection, column: SortKey) {
  if (sort !== column) return undefined;
  return descending ? "descending" : "ascending";
}

function Rows({ instances }: { instances: readonly ShownView[] }) {
  const { limit, end, isMore } = useGrowing(instances.length);
  return (
    <tbody>
      {instances.slice(0, limit).map((instance) => (
        <Row key={instance.instance_id} instance={instance} />
      ))}
      {isMore && (
        <tr ref={end} class="more">
          <td colSpan={COLUMNS.length + 1}>{words.value.loading}</td>
        </tr>
      )}
    </tbody>
  );
}
