import { type Heartbeat, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { PRESET_VALUES } from "../../src/lifecycle/model/presets.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import type { PastEvent, Story } from "../../src/replay/story.ts";

/** Weeks of machines of which it is known which setting is right for them. */

/** A Monday, 00:00 UTC. */
export const MONDAY = Date.UTC(2026, 10, 16);

/** A span of a day, by its hours. */
type Hours = readonly [from: number, to: number];

export interface Life {
  /** Percent of its GPU at this time of each day; null: it is off. */
  readonly gpuAt: (hour: number, day: number) => number | null;
  readonly days?: number;
  readonly hourlyCost?: number | null;
}

const CAREFUL = mergePolicy({ idle: PRESET_VALUES.careful.idle, orphan: PRESET_VALUES.careful.orphan });

/** A heartbeat a minute while it is on. Its policy has hibernated it where it is off, and its owner wakes it. */
export function weekOf(instanceId: string, { gpuAt, days = 7, hourlyCost = 2 }: Life): Story {
  const [from, to] = [MONDAY, MONDAY + days * DAY_MS];
  const readings: Heartbeat[] = [];
  const events: PastEvent[] = [];
  let isOn = true;
  for (let at = from + MINUTE_MS / 2; at < to; at += MINUTE_MS) {
    const gpuPercent = gpuAt(((at - from) % DAY_MS) / HOUR_MS, Math.floor((at - from) / DAY_MS));
    if (gpuPercent === null && isOn) events.push(...hibernated(at));
    if (gpuPercent !== null && !isOn) events.push(...woken(at));
    isOn = gpuPercent !== null;
    if (gpuPercent !== null) readings.push(reading(at, readings.length + 1, gpuPercent));
  }
  return {
    instanceId,
    profile: {
      name: instanceId,
      provider: "webhook",
      providerRef: null,
      registeredAt: from - 30 * DAY_MS,
      hourlyCost,
      hibernatedHourlyCost: hourlyCost === null ? null : 0,
    },
    hasGpu: true,
    from,
    to,
    readings,
    hours: [],
    events: events.map((event, index) => ({ ...event, id: `e${index}` })),
    policies: [{ from, settings: CAREFUL, suspended: false, unknownBecause: null }],
    guardClosed: [],
  };
}

function reading(at: number, sequence: number, gpuPercent: number): Heartbeat {
  return {
    ...heartbeatFrom({ gpu_utilization: gpuPercent, cpu_utilization: 3, status: "running" }, at, sequence),
    use: { gpuMaxPercent: gpuPercent, sources: [0, 0, 0, 0.1], unread: [], preparation: null },
  };
}

const BY_A_PERSON = { actor: "person", by: "owner" };

function hibernated(at: number): PastEvent[] {
  return [
    { id: "", at, kind: "hibernating", detail: { rule: "idle" } },
    { id: "", at, kind: "hibernated", detail: { reason: "idle" } },
  ];
}

function woken(at: number): PastEvent[] {
  return [
    { id: "", at: at - MINUTE_MS, kind: "waking", detail: BY_A_PERSON },
    { id: "", at, kind: "woken", detail: {} },
  ];
}

const within = (hour: number, spans: readonly Hours[]) =>
  spans.some(([from, to]) => hour >= from && hour < to);

/** Busy where it works, and at 0 % where it does not. */
const worksAt =
  (...spans: readonly Hours[]) =>
  (hour: number) =>
    within(hour, spans) ? 90 : 0;

/** Used from 9:00 to 1:10, and again by a job at 2:00 each night. Off from 3:40 to 9:00. */
export const nightlyJob = (days?: number) =>
  weekOf("nightly-job", {
    gpuAt: (hour) =>
      within(hour, [[3 + 40 / 60, 9]]) ? null : worksAt([0, 1 + 10 / 60], [2, 2 + 40 / 60], [9, 24])(hour),
    ...(days === undefined ? {} : { days }),
  });

/** Asked twice a minute from 8:00 to 19:00, but for fifty minutes at noon. Off from 20:00 to 8:00. */
export const quietLunch = () =>
  weekOf("quiet-lunch", {
    gpuAt: (hour) =>
      within(hour, [
        [0, 8],
        [20, 24],
      ])
        ? null
        : worksAt([8, 12], [12 + 50 / 60, 19])(hour),
  });

/** Nothing but the noise of a display, for ever. */
export const noise = () => weekOf("noise", { gpuAt: (hour) => 1 + (Math.round(hour * 60) % 2) });

/** A server that is little used: 4 % while it is asked. Off from 20:00 to 8:00, after an hour without. */
export const lowUse = () =>
  weekOf("low-use", {
    gpuAt: (hour) =>
      within(hour, [
        [0, 8],
        [20, 24],
      ])
        ? null
        : within(hour, [[8, 19]])
          ? 4
          : 0,
  });

/** On for ever, with ten minutes of work every two and a half hours: whoever hibernates it interrupts it. */
export const onlyInterrupted = () =>
  weekOf("only-interrupted", { gpuAt: (hour) => ((hour * 60) % 150 < 10 ? 90 : 0) });

/** Busy day and night. */
export const busy = () => weekOf("busy", { gpuAt: () => 97 });

/** Registered, and never heard. */
export const unknownMachine = () => weekOf("unknown", { gpuAt: () => null });

export type Sign = "none" | "ssh" | "unread" | "preparing" | "late" | "silent";

/** What came minute by minute, spell after spell. */
export function dayOf(
  spells: readonly { readonly minutes: number; readonly gpu: number; readonly sign: Sign }[],
): Story {
  const readings: Heartbeat[] = [];
  let at = MONDAY;
  for (const { minutes, gpu, sign } of spells) {
    for (let minute = 0; minute < minutes; minute++) {
      at += MINUTE_MS;
      if (sign !== "silent") readings.push(signed(reading(at, readings.length + 1, gpu), sign));
    }
  }
  const quiet = weekOf("day", { gpuAt: () => null, days: 1 });
  return { ...quiet, to: at + MINUTE_MS, readings, events: [] };
}

function signed(heartbeat: Heartbeat, sign: Sign): Heartbeat {
  const { use } = heartbeat;
  if (use === undefined) return heartbeat;
  switch (sign) {
    case "ssh":
      return { ...heartbeat, use: { ...use, sources: [2] } };
    case "unread":
      return { ...heartbeat, use: { ...use, unread: ["cpu_cores"] } };
    case "preparing":
      return { ...heartbeat, status: "preparing", use: { ...use, preparation: "running" } };
    case "late":
      return { ...heartbeat, isLate: true };
    case "none":
    case "silent":
      return heartbeat;
  }
}
