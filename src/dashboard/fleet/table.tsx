import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { changeQuery, query } from "../route.ts";
import { words } from "../words.ts";
import { COLUMNS, type Column, columnsIn, sortAfter } from "./choice.ts";
import type { Unreadable } from "./known.ts";
import { markAll, marked, toggleMark } from "./marked.ts";
import { Row } from "./row.tsx";
import type { Selection, SortKey } from "./select.ts";
import { UnreadableRow } from "./unreadable-row.tsx";
import type { DrawnRow, VirtualRows } from "./virtual-rows.tsx";
import { fleetWords } from "./words.ts";

/** So many rows are drawn at once; of more, those near the window alone. */
const DRAWN_WHOLE = 200;

/** Of a long table, before what draws it row by row has come. */
const DRAWN_AT_FIRST = 40;

const longTable = signal<typeof VirtualRows | null>(null);

interface TableProps {
  readonly instances: readonly ShownView[];
  readonly unreadable: readonly Unreadable[];
  readonly selection: Selection;
  /** The names of connections, by their ids. */
  readonly connections: ReadonlyMap<string, string>;
  readonly mayAct: boolean;
  /** More of them are on their way. */
  readonly isArriving: boolean;
}

export function Table(props: TableProps) {
  const { instances, unreadable, selection, connections, mayAct, isArriving } = props;
  const columns = useMemo(() => columnsIn(query.value), [query.value.get("columns")]);
  const around = mayAct ? 3 : 1;
  return (
    <table
      class={columns.length === COLUMNS.length ? "machines many" : "machines"}
      aria-rowcount={instances.length + unreadable.length + 1}
    >
      <thead>
        <tr>
          {mayAct && (
            <th scope="col" class="mark">
              <MarkAll instances={instances} />
            </th>
          )}
          <SortHead selection={selection} sort="name" label={words.value.columns.name} />
          {columns.map((column) => (
            <SortHead key={column} selection={selection} sort={column} label={columnName(column)} />
          ))}
          {mayAct && (
            <th scope="col" class="actions">
              <span class="hidden">{words.value.columns.actions}</span>
            </th>
          )}
        </tr>
      </thead>
      {unreadable.length > 0 && (
        <tbody>
          {unreadable.map((each) => (
            <UnreadableRow key={each.instance_id} instance={each} columns={columns.length} mayAct={mayAct} />
          ))}
        </tbody>
      )}
      <Rows
        instances={instances}
        columns={columns}
        allColumns={columns.length + around}
        connections={connections}
        mayAct={mayAct}
        isArriving={isArriving}
      />
    </table>
  );
}

export function columnName(column: Column): string {
  return column === "provider" ? fleetWords.value.columnNames.provider : words.value.columns[column];
}

function SortHead({ selection, sort, label }: { selection: Selection; sort: SortKey; label: string }) {
  const direction = selection.descending ? "descending" : "ascending";
  return (
    <th scope="col" class={sort} aria-sort={selection.sort === sort ? direction : undefined}>
      <button type="button" onClick={() => changeQuery({ sort: sortAfter(selection, sort) })}>
        {label}
      </button>
    </th>
  );
}

function MarkAll({ instances }: { instances: readonly ShownView[] }) {
  const isAny = instances.some(({ instance_id }) => marked.value.has(instance_id));
  const isAll = isAny && instances.every(({ instance_id }) => marked.value.has(instance_id));
  return (
    <input
      type="checkbox"
      aria-label={fleetWords.value.markAll}
      checked={isAll}
      ref={(box) => {
        if (box !== null) box.indeterminate = isAny && !isAll;
      }}
      onChange={() => markAll(instances, !isAny)}
    />
  );
}

function Rows({
  instances,
  columns,
  allColumns,
  connections,
  mayAct,
  isArriving,
}: Pick<TableProps, "instances" | "connections" | "mayAct" | "isArriving"> & {
  columns: readonly Column[];
  allColumns: number;
}) {
  const isLong = isArriving || instances.length > DRAWN_WHOLE;
  useEffect(() => {
    if (!isLong || longTable.peek() !== null) return;
    // Without it the beginning of the table is there, and is found by the search.
    import("./virtual-rows.tsx").then(
      (loaded) => {
        longTable.value = loaded.VirtualRows;
      },
      () => {},
    );
  }, [isLong]);
  const shownNow = useRef(instances);
  shownNow.current = instances;
  // Rows are drawn anew only for what changed, so this stays the same.
  const onMark = useMemo(() => {
    if (!mayAct) return null;
    return (id: string, isRange: boolean) => toggleMark(id, isRange ? shownNow.current : null);
  }, [mayAct]);
  const draw = (
    instance: ShownView,
    { index, measure }: Partial<DrawnRow> & { index: number },
  ): ComponentChildren => (
    <Row
      key={instance.instance_id}
      instance={instance}
      columns={columns}
      connection={instance.connection === null ? null : (connections.get(instance.connection) ?? null)}
      isMarked={marked.value.has(instance.instance_id)}
      index={index}
      onMark={onMark}
      {...(measure === undefined ? {} : { measure })}
    />
  );
  const Long = longTable.value;
  if (isLong && Long !== null) {
    return (
      <Long
        count={instances.length}
        keyOf={(index) => instances[index]?.instance_id ?? String(index)}
        columns={allColumns}
      >
        {(drawn) => {
          const instance = instances[drawn.index];
          return instance === undefined ? null : draw(instance, drawn);
        }}
      </Long>
    );
  }
  const shown = isLong ? instances.slice(0, DRAWN_AT_FIRST) : instances;
  return <tbody>{shown.map((instance, index) => draw(instance, { index }))}</tbody>;
}
