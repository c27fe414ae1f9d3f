import { useEffect, useRef } from "preact/hooks";
import { simulationSpeed } from "../../api.ts";
import { now } from "../../clock.ts";
import { Choices } from "../../parts/choices.tsx";
import { errorText } from "../../parts/notice.tsx";
import { useRepeated } from "../../poll.ts";
import { changeQuery, query } from "../../route.ts";
import { words } from "../../words.ts";
import type { Detail } from "../detail.ts";
import { instanceWords } from "../words.ts";
import { Charts } from "./charts.tsx";
import type { Rules } from "./panes.ts";
import type { Past } from "./past.ts";
import {
  betweenQuery,
  endsOf,
  type Period,
  pauseMsOf,
  periodIn,
  RANGE_NAMES,
  rangeQuery,
  usualRange,
} from "./period.ts";
import { readPast } from "./read.ts";
import "./chart.css";

/** The charts of an instance, of the time that the address names; read again now and then while that goes up to now. */
export function HistoryChart({
  instance,
  address,
  onWhy,
}: {
  instance: Detail;
  address: string;
  onWhy: (atMs: number) => void;
}) {
  const registeredMs = Date.parse(instance.registered_at);
  const period = periodIn(query.value, usualRange(now.peek() - registeredMs));
  const intervalSeconds = instance.policy.heartbeat_interval_seconds / simulationSpeed.value;
  const { data, error, refresh } = useRepeated<Past>(
    `${address} ${JSON.stringify(period)} ${intervalSeconds}`,
    () => () => readPast({ address, registeredMs, intervalSeconds }, period, now.peek()),
    () => pauseMsOf(period),
  );
  // What was shown stays until the next is there, so that nothing jumps.
  const shown = useRef<Past | null>(null);
  if (data !== null) shown.current = data;
  const standing = `${instance.status} ${instance.health}`;
  useEffect(() => {
    if (period.is === "range") refresh();
  }, [standing]);
  const { charts } = words.value;
  return (
    <section class="card chart-card">
      <header>
        <h2>{charts}</h2>
        <Range period={period} />
      </header>
      {error !== null && <p class="wrong">{errorText(error)}</p>}
      {shown.current === null ? (
        error === null && <p class="faint">{words.value.loading}</p>
      ) : (
        <div aria-busy={data === null}>
          <Charts past={shown.current} rules={rulesOf(instance)} nowMs={now.peek()} onWhy={onWhy} />
        </div>
      )}
    </section>
  );
}

function Range({ period }: { period: Period }) {
  const { ranges, chart } = instanceWords.value;
  const [fromMs, toMs] = endsOf(period, now.peek());
  const span = toMs - fromMs;
  const move = (from: number, to: number) => changeQuery(betweenQuery(from, to, now.peek()));
  const button = (name: string, sign: string, act: () => void, isDisabled = false) => (
    <button type="button" class="small" aria-label={name} title={name} disabled={isDisabled} onClick={act}>
      {sign}
    </button>
  );
  return (
    <div class="range">
      <span class="buttons">
        {button(chart.earlier, "←", () => move(fromMs - span / 2, toMs - span / 2))}
        {button(chart.later, "→", () => move(fromMs + span / 2, toMs + span / 2), period.is === "range")}
        {button(chart.closer, "+", () => move(fromMs + span / 4, toMs - span / 4))}
        {button(chart.wider, "−", () => move(fromMs - span / 2, toMs + span / 2))}
      </span>
      <Choices
        label={words.value.charts}
        choices={RANGE_NAMES}
        names={ranges}
        chosen={period.is === "range" ? period.range : null}
        onChoose={(range) => changeQuery(rangeQuery(range))}
      />
    </div>
  );
}

/** By what the instance is judged, and what it costs: as it is today. */
function rulesOf({ policy, gpus, gpu_utilization, running_cost, hibernated_cost }: Detail): Rules {
  const { enabled, metric, threshold_percent } = policy.idle;
  const hasGpu = gpus.length > 0 || gpu_utilization !== null;
  const byCpu = metric === "cpu" || (metric === "auto" && !hasGpu);
  return {
    gpuThreshold: enabled && !byCpu ? threshold_percent : null,
    cpuThreshold: enabled && byCpu ? threshold_percent : null,
    prices:
      running_cost === null || hibernated_cost === null
        ? null
        : { running: running_cost, hibernated: hibernated_cost },
  };
}
