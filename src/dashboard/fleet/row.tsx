import { memo } from "preact/compat";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { instanceAddress } from "../address.ts";
import { now } from "../clock.ts";
import { price, sinceText } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { ControlMark } from "../parts/control.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { TagList } from "../parts/tags.tsx";
import { Ago, NextStep } from "../parts/ticking.tsx";
import { language, words } from "../words.ts";
import type { Column } from "./choice.ts";
import { marked } from "./marked.ts";
import { costToday, wastedToday } from "./money.ts";
import { RowMenu } from "./row-menu.tsx";
import { ofInstance } from "./sight.ts";
import { fleetWords } from "./words.ts";

/** The others are on its own page. */
const TAGS_SHOWN = 4;

interface RowProps {
  readonly instance: ShownView;
  readonly columns: readonly Column[];
  /** By what name its connection goes; null where it has none. */
  readonly connection: string | null;
  readonly isMarked: boolean;
  /** Where it stands in the whole table. */
  readonly index: number;
  /** Null where nobody may do anything about it. */
  readonly onMark: ((instanceId: string, isRange: boolean) => void) | null;
  readonly measure?: (row: HTMLTableRowElement | null) => void;
}

/** One instance of the table. Drawn anew only when it changed; what ticks in it ticks by itself. */
export const Row = memo(function Row(props: RowProps) {
  const { instance, columns, connection, isMarked, index, onMark, measure } = props;
  const { instance_id, name, tags } = instance;
  return (
    <tr
      {...ofInstance(instance_id)}
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2}
      class={isMarked ? "marked" : undefined}
      onClick={(event) => openInstance(event, instance_id)}
      onAuxClick={(event) => openInstance(event, instance_id)}
    >
      {onMark !== null && (
        <td class="mark">
          <input
            type="checkbox"
            aria-label={fleetWords.value.mark(name)}
            checked={isMarked}
            onClick={({ currentTarget, shiftKey }) => {
              onMark(instance_id, shiftKey);
              // What is checked follows from what is marked, which is bounded.
              currentTarget.checked = marked.peek().has(instance_id);
            }}
          />
        </td>
      )}
      <th scope="row">
        <a href={instanceAddress(instance_id)}>{name}</a>
        <span class="under">
          {name !== instance_id && <span class="id">{instance_id}</span>}
          <TagList tags={tags} most={TAGS_SHOWN} />
        </span>
      </th>
      {columns.map((column) => (
        <Cell key={column} column={column} instance={instance} connection={connection} />
      ))}
      {onMark !== null && (
        <td class="actions">
          <RowMenu instance={instance} />
        </td>
      )}
    </tr>
  );
}, isSame);

/** Where a click on a row leads that is no click on something in it: to its instance, as that of a link does. */
function openInstance(event: MouseEvent, instanceId: string): void {
  const { target, button } = event;
  if (!(target instanceof Element) || target.closest("a, button, input, label, [role='menu']") !== null)
    return;
  if (button > 1 || String(getSelection()) !== "") return;
  const isElsewhere = button === 1 || event.ctrlKey || event.metaKey || event.shiftKey;
  if (isElsewhere) open(instanceAddress(instanceId), "_blank", "noopener");
  else location.hash = instanceAddress(instanceId);
}

function Cell({
  column,
  instance,
  connection,
}: {
  column: Column;
  instance: ShownView;
  connection: string | null;
}) {
  const { columns } = words.value;
  switch (column) {
    case "status":
      return (
        <td data-label={columns.status} class={column}>
          <Badge instance={instance} />
          <ControlMark instance={instance} />
        </td>
      );
    case "next":
      return (
        <td data-label={columns.next} class={column} title={instance.lifecycle.because}>
          <NextStep lifecycle={instance.lifecycle} />
        </td>
      );
    case "heartbeat":
      return (
        <td data-label={columns.heartbeat} class="heartbeat figure">
          <Ago at={instance.last_heartbeat} />
        </td>
      );
    case "gpu":
      return (
        <td data-label={columns.gpu} class={column}>
          <Sparkline trend={instance.gpu_trend} current={instance.gpu_utilization} />
        </td>
      );
    case "rate":
      return <Dollars label={columns.rate} amount={instance.rate} unknown={fleetWords.value.rateNotKnown} />;
    case "cost":
      return <Dollars label={columns.cost} amount={costToday(instance)} />;
    case "wasted":
      return (
        <Dollars
          label={columns.wasted}
          amount={wastedToday(instance)}
          since={instance.orphaned_since}
          isWaste
        />
      );
    case "provider":
      return (
        <td data-label={fleetWords.value.columnNames.provider} class={column}>
          {words.value.providers[instance.provider]}
          {connection !== null && <span class="id">{connection}</span>}
        </td>
      );
  }
}

/** What is not known is said to be so, and never shown as nothing. */
function Dollars({
  label,
  amount,
  unknown = "–",
  isWaste = false,
  since = null,
}: {
  label: string;
  amount: number | null;
  unknown?: string;
  isWaste?: boolean;
  since?: string | null;
}) {
  const isWasted = isWaste && amount !== null && amount > 0;
  return (
    <td data-label={label} class={isWasted ? "figure dollars wasted" : "figure dollars"}>
      {amount === null ? <span class="faint">{unknown}</span> : price(amount, language.value)}
      {isWasted && since !== null && (
        <span class="id">{fleetWords.value.wastedSince(sinceText(since, language.value, now.peek()))}</span>
      )}
    </td>
  );
}

function isSame(before: RowProps, after: RowProps): boolean {
  return (
    before.index === after.index &&
    before.isMarked === after.isMarked &&
    before.columns === after.columns &&
    before.connection === after.connection &&
    before.onMark === after.onMark &&
    (before.instance === after.instance ||
      JSON.stringify(before.instance, withoutTime) === JSON.stringify(after.instance, withoutTime))
  );
}

/** They only count the time that passes, and the row counts by itself. */
function withoutTime(key: string, value: unknown): unknown {
  return key === "seconds_since_heartbeat" || key === "in_seconds" ? undefined : value;
}
