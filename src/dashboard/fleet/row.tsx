import { memo } from "preact/compat";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { money, price } from "../format.ts";
import { Actions } from "../parts/actions.tsx";
import { Badge } from "../parts/badge.tsx";
import { ControlMark } from "../parts/control.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { TagList } from "../parts/tags.tsx";
import { Ago, NextStep } from "../parts/ticking.tsx";
import { instanceAddress } from "../route.ts";
import { language, words } from "../words.ts";
import { ofInstance } from "./sight.ts";

/** The others are on its own page. */
const TAGS_SHOWN = 4;

/** One instance of the table. Drawn anew only when it changed; what ticks in it ticks by itself. */
export const Row = memo(
  function Row({ instance }: { instance: ShownView }) {
    const { columns } = words.value;
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
        <td data-label={columns.cost} class="figure">
          {money(instance.cost_today, language.value)}
          {instance.status === "hibernated" && <span class="id">{stillCosts(instance)}</span>}
        </td>
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

/** What a hibernated instance still costs. */
function stillCosts({ hibernated_cost }: ShownView): string {
  const { anHour, comingBack } = words.value;
  return hibernated_cost === null ? comingBack.unknownAnHour : anHour(price(hibernated_cost, language.value));
}

/** They only count the time that passes, and the row counts by itself. */
function withoutTime(key: string, value: unknown): unknown {
  return key === "seconds_since_heartbeat" || key === "in_seconds" ? undefined : value;
}
