import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { STATUSES } from "../../lifecycle/model/phase.ts";
import { ChosenTags } from "../parts/tags.tsx";
import { changeQuery, query } from "../route.ts";
import { words } from "../words.ts";
import { COLUMNS, columnsIn, columnsName, sortName } from "./choice.ts";
import { ConnectionFilter } from "./connection-filter.tsx";
import type { Selection, SortKey } from "./select.ts";
import { columnName } from "./table.tsx";
import { fleetWords } from "./words.ts";

/** What the table shows, and in which order. All of it stands in the address. */
export function Toolbar({
  selection,
  connections,
  children,
}: {
  selection: Selection;
  /** The names of connections, by their ids. */
  connections: ReadonlyMap<string, string>;
  children: ComponentChildren;
}) {
  const { search, anyStatus, filterByStatus } = words.value;
  return (
    <div class="toolbar">
      <input
        type="search"
        placeholder={search}
        aria-label={search}
        value={selection.search}
        onInput={({ currentTarget: { value } }) =>
          changeQuery({ search: value === "" ? null : value }, "replace")
        }
      />
      <select
        aria-label={filterByStatus}
        value={selection.status ?? ""}
        onChange={({ currentTarget: { value } }) => changeQuery({ status: value === "" ? null : value })}
      >
        <option value="">{anyStatus}</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {words.value.status[status]}
          </option>
        ))}
      </select>
      <ConnectionFilter
        names={connections}
        chosen={selection.connection}
        onChoose={(connection) => changeQuery({ connection })}
      />
      <SortChoice selection={selection} />
      <ColumnChoice />
      <ChosenTags tags={selection.tags} />
      {children}
    </div>
  );
}

function SortChoice({ selection }: { selection: Selection }) {
  const { columns, sortBy } = words.value;
  const keys: readonly SortKey[] = ["attention", "name", ...COLUMNS];
  const nameOf = (key: SortKey) => {
    if (key === "attention") return fleetWords.value.attention;
    return key === "name" ? columns.name : columnName(key);
  };
  return (
    <select
      aria-label={sortBy}
      value={selection.sort}
      onChange={({ currentTarget: { value } }) => {
        const sort = keys.find((each) => each === value);
        if (sort !== undefined) changeQuery({ sort: sortName(sort) });
      }}
    >
      {keys.map((key) => (
        <option key={key} value={key}>
          {nameOf(key)}
        </option>
      ))}
    </select>
  );
}

/** Which columns there are beside the name. */
function ColumnChoice() {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const shown = columnsIn(query.value);
  /** Below its button, within the window. */
  const place = ({ currentTarget: choice }: { currentTarget: HTMLElement }) => {
    const button = opener.current?.getBoundingClientRect();
    if (button === undefined) return;
    const leftPx = Math.max(8, Math.min(button.left, innerWidth - choice.offsetWidth - 8));
    choice.style.setProperty("left", `${leftPx}px`);
    choice.style.setProperty("top", `${button.bottom + 4}px`);
  };
  return (
    <span class="columns-choice">
      <button ref={opener} type="button" popovertarget={id}>
        {fleetWords.value.columns}
      </button>
      <fieldset id={id} popover="auto" onToggle={place}>
        <legend class="hidden">{fleetWords.value.columns}</legend>
        {COLUMNS.map((column) => (
          <label key={column}>
            <input
              type="checkbox"
              checked={shown.includes(column)}
              onChange={() => changeQuery({ columns: columnsName(shown, column) }, "replace")}
            />
            {columnName(column)}
          </label>
        ))}
      </fieldset>
    </span>
  );
}
