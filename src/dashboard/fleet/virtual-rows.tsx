import { observeWindowOffset, observeWindowRect, Virtualizer, windowScroll } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

/** The rows of a long table that are near the window, between two empty ones in the place of all others. */

const ROW_PX = 62;
const OVERSCAN = 8;

export interface DrawnRow {
  readonly index: number;
  /** Measures the row: its height may differ from that of others. */
  readonly measure: (row: HTMLTableRowElement | null) => void;
}

export function VirtualRows({
  count,
  keyOf,
  columns,
  children,
}: {
  count: number;
  keyOf: (index: number) => string;
  columns: number;
  children: (drawn: DrawnRow) => ComponentChildren;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [, redraw] = useReducer<number, void>((times) => times + 1, 0);
  const [aboveTablePx, setAboveTablePx] = useState(0);
  const options = {
    count,
    getItemKey: keyOf,
    getScrollElement: () => window,
    estimateSize: () => ROW_PX,
    scrollToFn: windowScroll,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    overscan: OVERSCAN,
    scrollMargin: aboveTablePx,
    onChange: () => redraw(),
  };
  const [rows] = useState(() => new Virtualizer<Window, HTMLTableRowElement>(options));
  rows.setOptions(options);
  useLayoutEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  useLayoutEffect(() => {
    const measure = () => {
      const top = body.current?.getBoundingClientRect().top;
      if (top !== undefined) setAboveTablePx(Math.round(top + scrollY));
    };
    measure();
    // What stands above the table may grow.
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, []);
  const drawn = rows.getVirtualItems();
  const first = drawn[0];
  const last = drawn.at(-1);
  return (
    <tbody ref={body}>
      <Gap columns={columns} heightPx={first === undefined ? 0 : first.start - aboveTablePx} />
      {drawn.map(({ index }) => children({ index, measure: rows.measureElement }))}
      <Gap
        columns={columns}
        heightPx={last === undefined ? 0 : aboveTablePx + rows.getTotalSize() - last.end}
      />
    </tbody>
  );
}

function Gap({ columns, heightPx }: { columns: number; heightPx: number }) {
  const cell = useRef<HTMLTableCellElement>(null);
  useLayoutEffect(() => {
    cell.current?.style.setProperty("height", `${Math.max(0, heightPx)}px`);
  }, [heightPx]);
  if (heightPx <= 0) return null;
  return (
    <tr class="gap">
      <td ref={cell} colSpan={columns} />
    </tr>
  );
}
