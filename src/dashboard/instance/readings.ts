import type { HeartbeatView } from "../../lifecycle/views/heartbeat-view.ts";
import { ask } from "../api.ts";

/** The history as charts want it: columns, oldest first, with a hole where nothing was heard. */

export const RANGES = { hour: 3600, day: 86_400, week: 7 * 86_400 } as const;

export type Range = keyof typeof RANGES;

export const MEASURES = ["gpu", "vram", "cpu", "ram", "cost"] as const;

export type Measure = (typeof MEASURES)[number];

export interface Readings extends Record<Measure, (number | null)[]> {
  /** Seconds since epoch. */
  readonly at: number[];
  /** The highest of the GPU, also between two heartbeats: idleness goes by it. */
  readonly gpuHighest: (number | null)[];
}

type Reading = { readonly at: number; readonly gpuHighest: number | null } & Readonly<
  Record<Measure, number | null>
>;

interface Hour {
  readonly hour: string;
  readonly avg_gpu_utilization: number | null;
  readonly max_gpu_utilization: number | null;
  readonly avg_cpu_utilization: number | null;
  readonly max_vram_used_gb: number | null;
  readonly max_ram_used_gb: number | null;
  readonly max_cost_accumulated: number | null;
}

const HOUR_SECONDS = 3600;

/** A day of a beat a minute is two pages; an instance that beats more often is read as far as this. */
const MAXIMUM_PAGES = 5;

/** Reads the last hour or day heartbeat by heartbeat, the week by the hour. */
export async function readReadings(
  address: string,
  range: Range,
  nowMs: number,
  intervalSeconds: number,
): Promise<Readings> {
  const from = new Date(nowMs - RANGES[range] * 1000).toISOString();
  const query = `${address}/heartbeats?limit=1000&from=${from}`;
  if (range === "week") {
    const { hours } = await ask<{ hours: readonly Hour[] }>("GET", `${query}&resolution=hour`);
    return toColumns(hours.map(fromHour).reverse(), HOUR_SECONDS);
  }
  const readings: Reading[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAXIMUM_PAGES; page += 1) {
    const answer: { heartbeats: readonly HeartbeatView[]; next_cursor: string | null } = await ask(
      "GET",
      cursor === null ? query : `${query}&cursor=${cursor}`,
    );
    readings.push(...answer.heartbeats.map(fromHeartbeat));
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return toColumns(readings.reverse(), intervalSeconds);
}

function fromHeartbeat(heartbeat: HeartbeatView): Reading {
  return {
    at: Date.parse(heartbeat.timestamp) / 1000,
    gpu: heartbeat.gpu_utilization,
    gpuHighest: heartbeat.gpu_utilization_max,
    vram: heartbeat.vram_used_gb,
    cpu: heartbeat.cpu_utilization,
    ram: heartbeat.ram_used_gb,
    cost: heartbeat.cost_accumulated,
  };
}

function fromHour(hour: Hour): Reading {
  return {
    at: Date.parse(hour.hour) / 1000,
    gpu: hour.avg_gpu_utilization,
    gpuHighest: hour.max_gpu_utilization,
    vram: hour.max_vram_used_gb,
    cpu: hour.avg_cpu_utilization,
    ram: hour.max_ram_used_gb,
    cost: hour.max_cost_accumulated,
  };
}

/** Silence of more than two and a half intervals is a hole, not a straight line. */
function toColumns(readings: readonly Reading[], intervalSeconds: number): Readings {
  const columns: Readings = { at: [], gpuHighest: [], gpu: [], vram: [], cpu: [], ram: [], cost: [] };
  const push = (at: number, reading: Reading | null) => {
    columns.at.push(at);
    columns.gpuHighest.push(reading?.gpuHighest ?? null);
    for (const measure of MEASURES) columns[measure].push(reading?.[measure] ?? null);
  };
  let before: number | null = null;
  for (const reading of readings) {
    if (before !== null && reading.at - before > 2.5 * intervalSeconds) push(before + intervalSeconds, null);
    push(reading.at, reading);
    before = reading.at;
  }
  return columns;
}
