import { ask } from "../../api.ts";
import { bandsOf, type PastEvent, TURNING_KINDS } from "./bands.ts";
import type { DayCost, Past } from "./past.ts";
import { costsByDay, endsOf, type Period, resolutionOf } from "./period.ts";
import { readReadings } from "./readings.ts";

/** So many events before the time tell how the instance stood when it began. */
const EVENTS_BEFORE = 20;
const MOST_TURNS = 1000;
const MOST_MARKS = 200;

/** Whose past it is. `address`: of the instance in the API. */
interface Whose {
  readonly address: string;
  readonly registeredMs: number;
  readonly intervalSeconds: number;
}

export async function readPast(
  { address, registeredMs, intervalSeconds }: Whose,
  period: Period,
  nowMs: number,
): Promise<Past> {
  const ends = endsOf(period, nowMs);
  const [fromMs, toMs] = ends;
  // Before it was registered there is nothing to read.
  const readMs = Math.max(0, toMs - Math.max(fromMs, registeredMs));
  const resolution = resolutionOf(readMs, intervalSeconds * 1000);
  const [from, to] = ends.map((at) => new Date(at).toISOString());
  const turning = TURNING_KINDS.map((kind) => `kind=${kind}`).join("&");
  const within = `from=${from}&to=${to}`;
  const [readings, turns, before, grave, days] = await Promise.all([
    readReadings(address, resolution, ends, intervalSeconds),
    events(address, `${within}&${turning}&limit=${MOST_TURNS}`),
    events(address, `to=${from}&${turning}&limit=${EVENTS_BEFORE}`),
    events(address, `${within}&severity=warning&severity=critical&limit=${MOST_MARKS}`),
    costsByDay(toMs - fromMs) ? dayCosts(address, fromMs, toMs) : null,
  ]);
  const known = turns.isWhole ? [...turns.found, ...before.found] : turns.found;
  const marked = new Map(
    [...turns.found.slice(0, MOST_MARKS), ...grave.found].map((each) => [each.id, each]),
  );
  return {
    period,
    fromMs,
    toMs,
    readings,
    bands: bandsOf(known, fromMs, toMs),
    events: [...marked.values()].sort((one, other) => Date.parse(one.at) - Date.parse(other.at)),
    days,
  };
}

async function events(address: string, query: string) {
  const answer = await ask<{ events: readonly PastEvent[]; next_cursor: string | null }>(
    "GET",
    `${address}/events?${query}`,
  );
  return { found: answer.events, isWhole: answer.next_cursor === null };
}

/** One that was just registered has none yet. */
async function dayCosts(address: string, fromMs: number, toMs: number): Promise<readonly DayCost[]> {
  // The last of the days that can be asked for together.
  const [from, to] = [Math.max(fromMs, toMs - 399 * 86_400_000), toMs].map((at) =>
    new Date(at).toISOString().slice(0, 10),
  );
  const answer = await ask<{ days: readonly DayCost[] }>(
    "GET",
    `${address}/costs?from=${from}&to=${to}`,
  ).catch(() => null);
  return answer?.days ?? [];
}
