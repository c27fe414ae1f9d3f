import { memo } from "preact/compat";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { instanceAddress } from "../address.ts";
import { price } from "../format.ts";
import { Actions } from "../parts/actions.tsx";
import { Badge } from "../parts/badge.tsx";
import { ControlMark } from "../parts/control.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { TagList } from "../parts/tags.tsx";
import { Ago, NextStep } from "../parts/ticking.tsx";
import { language, words } from "../words.ts";
import { costToday, wastedToday } from "./money.ts";
import { ofInstance } from "./sight.ts";

/** The others are on its own page. */
const TAGS_SHOWN = 4;

/** One instance of the table. Drawn anew only when it changed; what ticks in it ticks by itself. */
export const Row = memo(
  function Row({ instance }: { instance: ShownView }) {
    const { columns, costs } = words.value;
    return (
      <tr {...ofInstance(instance.instance_id)}>
        <th scope="row">
          <a href={instanceAddress(instance.instance_id)}>{instance.name}</a>
          {instance.name !== instance.instance_id && <span class="id">{instance.instance_id}</span>}
          <TagList tags={instance.tags} most={TAGS_SHOWN} />
        </th>
        <td data-label={columns.status}>
          <Badge instance={instance} />
          <ControlMark instance={instance} />
        </td>
        <td data-label={columns.heartbeat} class="figure">
          <Ago at={instance.last_heartbeat} />
        </td>
        <td data-label={columns.gpu}>
          <Sparkline trend={instance.gpu_trend} current={instance.gpu_utilization} />
        </td>
        <Dollars label={columns.rate} amount={instance.rate} unknown={costs.notKnown} />
        <Dollars label={columns.cost} amount={costToday(instance)} />
        <Dollars label={columns.wasted} amount={wastedToday(instance)} isWaste />
        <td data-label={columns.next} title={instance.lifecycle.because}>
          <NextStep lifecycle={instance.lifecycle} />
        </td>
        <td class="actions">
          <Actions instance={instance} />
        </td>
      </tr>
    );
  },
  (before, after) =>
    JSON.stringify(before.instance, withoutTime) === JSON.stringify(after.instance, withoutTime),
);

/** What is not known is said to be so, and never shown as nothing. */
function Dollars({
  label,
  amount,
  unknown = "–",
  isWaste = false,
}: {
  label: string;
  amount: number | null;
  unknown?: string;
  isWaste?: boolean;
}) {
  const isWasted = isWaste && amount !== null && amount > 0;
  return (
    <td data-label={label} class={isWasted ? "figure dollars wasted" : "figure dollars"}>
      {amount === null ? <span class="faint">{unknown}</span> : price(amount, language.value)}
    </td>
  );
}

/** They only count the time that passes, and the row counts by itself. */
function withoutTime(key: string, value: unknown): unknown {
  return key === "seconds_since_heartbeat" || key === "in_seconds" ? undefined : value;
}
