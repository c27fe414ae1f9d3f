import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { KeptUse } from "../lifecycle/model/kept-use.ts";
import { SOURCE_KINDS } from "../lifecycle/model/source-settings.ts";

/** A heartbeat as a chunk of the history has it: an array, whose columns the `heartbeats` view reads by their place. */

type Column = number | string | null | readonly (number | string | null)[];

/** The columns of a sample. New ones go to the end. What is null there is left out. */
export function toSample(heartbeat: Heartbeat): readonly Column[] {
  const { use } = heartbeat;
  const columns: readonly Column[] = [
    heartbeat.at,
    heartbeat.gpuPercent,
    heartbeat.vramUsedGb,
    heartbeat.cpuPercent,
    heartbeat.ramUsedGb,
    heartbeat.diskUsedGb,
    heartbeat.costAccumulated,
    heartbeat.uptimeSeconds,
    heartbeat.status,
    use?.gpuMaxPercent ?? null,
    heartbeat.activity,
    orNull(use?.sources),
    orNull(use?.unread),
    use?.preparation ?? null,
    heartbeat.isLate === true ? 1 : null,
    heartbeat.repeatedAt ?? null,
  ];
  return columns.slice(0, Math.max(columns.findLastIndex((column) => column !== null) + 1, COLUMNS_AT_FIRST));
}

/** Every sample has the columns that there were at first. */
const COLUMNS_AT_FIRST = 9;

function orNull<T>(list: readonly T[] | undefined): readonly T[] | null {
  return list === undefined || list.length === 0 ? null : list;
}

/**
 * The heartbeat of a sample; null for one that can't be read. Columns that are missing are of a former release, and unknown. There
 * are tens of thousands to a replay, so each is read by hand.
 */
export function fromSample(sample: unknown, sequence: number): Heartbeat | null {
  if (!Array.isArray(sample)) return null;
  const columns: readonly unknown[] = sample;
  const at = numberOrNull(columns[0]);
  if (at === null) return null;
  return {
    at,
    sequence,
    gpuPercent: numberOrNull(columns[1]),
    vramUsedGb: numberOrNull(columns[2]),
    cpuPercent: numberOrNull(columns[3]),
    ramUsedGb: numberOrNull(columns[4]),
    diskUsedGb: numberOrNull(columns[5]),
    costAccumulated: numberOrNull(columns[6]),
    uptimeSeconds: numberOrNull(columns[7]),
    status: textOrNull(columns[8]),
    activity: textOrNull(columns[10]),
    use: useOf(columns),
    isLate: columns[14] === 1 ? true : undefined,
    repeatedAt: numberOrNull(columns[15]) ?? undefined,
  };
}

function useOf(columns: readonly unknown[]): KeptUse | undefined {
  const [gpuMax = null, , sources = null, unread = null, preparation = null] = columns.slice(9, 14);
  if (gpuMax === null && sources === null && unread === null && preparation === null) return undefined;
  return {
    gpuMaxPercent: numberOrNull(gpuMax),
    sources: listOf(sources).map(numberOrNull),
    unread: unread === null ? [] : unreadIn(listOf(unread)),
    preparation: STATES.find((state) => state === preparation) ?? null,
  };
}

/** What a newer release could not read counts as use here too. */
function unreadIn(names: readonly unknown[]): KeptUse["unread"] {
  const texts = names.filter((name) => typeof name === "string");
  return [...new Set(texts.map((name) => READABLE.find((each) => each === name) ?? "other"))];
}

const READABLE: readonly KeptUse["unread"][number][] = [...SOURCE_KINDS, "gpu"];

const STATES: readonly NonNullable<KeptUse["preparation"]>[] = ["running", "succeeded", "failed"];

function listOf(column: unknown): readonly unknown[] {
  return Array.isArray(column) ? column : [];
}

function numberOrNull(column: unknown): number | null {
  return typeof column === "number" ? column : null;
}

function textOrNull(column: unknown): string | null {
  return typeof column === "string" ? column : null;
}
