import type { ComponentChildren } from "preact";
import { costToday, costTotal, wastedToday } from "../fleet/money.ts";
import { number, price } from "../format.ts";
import { Ago } from "../parts/ticking.tsx";
import { language, words } from "../words.ts";
import type { Detail } from "./detail.ts";

/** The numbers of an instance, and how busy each of its GPUs is. */
export function Figures({ instance }: { instance: Detail }) {
  const { figures, comingBack } = words.value;
  const locale = language.value;
  const dollars = (value: number | null) => (value === null ? comingBack.unknown : price(value, locale));
  return (
    <>
      <dl class="figures">
        <Figure name={figures.lastHeartbeat} value={<Ago at={instance.last_heartbeat} />} />
        <Figure name={figures.uptime} value={percent(instance.uptime_percent)} />
        <Figure name={figures.missed} value={number(instance.missed_heartbeats, locale)} />
        <Figure name={figures.averageGpu} value={percent(instance.avg_gpu_utilization)} />
        <Figure name={figures.costToday} value={dollars(costToday(instance))} />
        <Figure name={figures.wastedToday} value={dollars(wastedToday(instance))} />
        <Figure name={figures.costTotal} value={dollars(costTotal(instance))} />
        <Figure name={comingBack.hibernated} value={dollars(instance.hibernated_cost)} />
      </dl>
      <Gpus gpus={instance.gpus} />
    </>
  );
}

function Gpus({ gpus }: Pick<Detail, "gpus">) {
  const locale = language.value;
  if (gpus.length === 0) return null;
  return (
    <ul class="gpus">
      {gpus.map((gpu) => (
        <li key={gpu.index}>
          <span>
            {gpu.index} · {gpu.name ?? "GPU"}
          </span>
          <meter min={0} max={100} value={gpu.utilization ?? 0} aria-label={`GPU ${gpu.index}`} />
          <span class="figure">
            {percent(gpu.utilization)}
            {gpu.vram_used_gb !== null &&
              ` · ${number(gpu.vram_used_gb, locale)}${
                gpu.vram_total_gb === null ? "" : ` / ${number(gpu.vram_total_gb, locale)}`
              } GB`}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function Figure({ name, value }: { name: string; value: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function percent(value: number | null): string {
  return value === null ? "–" : `${number(value, language.value)}%`;
}
