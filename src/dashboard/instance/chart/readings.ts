import type { HeartbeatView } from "../../../lifecycle/views/heartbeat-view.ts";
import { ask } from "../../api.ts";
import { type Reading, type Readings, toColumns } from "./columns.ts";
import { middleOf, type Resolution } from "./period.ts";

/** Reads the history that the charts show. */

interface Span {
  readonly avg_gpu_utilization: number | null;
  readonly max_gpu_utilization: number | null;
  readonly avg_cpu_utilization: number | null;
  readonly max_vram_used_gb: number | null;
  readonly max_ram_used_gb: number | null;
  readonly max_cost_accumulated: number | null;
}

interface Answer {
  readonly heartbeats?: readonly HeartbeatView[];
  readonly hours?: readonly (Span & { readonly hour: string })[];
  readonly days?: readonly (Span & { readonly day: string })[];
  readonly next_cursor: string | null;
}

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

const MAXIMUM_PAGES = 5;

/** Where the heartbeats themselves are not kept any more, their hours are. */
export async function readReadings(
  address: string,
  resolution: Resolution,
  [fromMs, toMs]: readonly [number, number],
  intervalSeconds: number,
): Promise<Readings> {
  const query = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}&resolution=${resolution}`;
  const readings: Reading[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAXIMUM_PAGES; page += 1) {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const answer: Answer = await ask("GET", `${address}/heartbeats?limit=1000&${query}${more}`);
    readings.push(...readingsIn(answer, toMs / 1000));
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  if (resolution === "raw" && readings.length === 0) {
    return readReadings(address, "hour", [fromMs, toMs], intervalSeconds);
  }
  return toColumns(readings.reverse(), stepOf(resolution, intervalSeconds));
}

function stepOf(resolution: Resolution, intervalSeconds: number): number {
  switch (resolution) {
    case "raw":
      return intervalSeconds;
    case "hour":
      return HOUR_SECONDS;
    case "day":
      return DAY_SECONDS;
  }
}

function readingsIn({ heartbeats = [], hours = [], days = [] }: Answer, to: number): Reading[] {
  return [
    ...heartbeats.map(fromHeartbeat),
    ...hours.map((hour) => fromSpan(hour, middleOf(hour.hour, HOUR_SECONDS, to))),
    ...days.map((day) => fromSpan(day, middleOf(day.day, DAY_SECONDS, to))),
  ];
}

function fromHeartbeat(heartbeat: HeartbeatView): Reading {
  return {
    at: Date.parse(heartbeat.timestamp) / 1000,
    gpu: heartbeat.gpu_utilization,
    gpuHighest: heartbeat.gpu_utilization_max,
    vram: heartbeat.vram_used_gb,
    ram: heartbeat.ram_used_gb,
    cpu: heartbeat.cpu_utilization,
    cost: heartbeat.cost_accumulated,
  };
}

/** It stands in the middle of its time. */
function fromSpan(span: Span, at: number): Reading {
  return {
    at,
    gpu: span.avg_gpu_utilization,
    gpuHighest: span.max_gpu_utilization,
    vram: span.max_vram_used_gb,
    ram: span.max_ram_used_gb,
    cpu: span.avg_cpu_utilization,
    cost: span.max_cost_accumulated,
  };
}
