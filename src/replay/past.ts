import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { type Act, actsOf, goneFrom } from "./acts.ts";
import { beginningOf } from "./beginning.ts";
import { ASSUMED, madeUpReadings } from "./moments.ts";
import { type OffSpan, offSpansOf } from "./off-spans.ts";
import type { Basis } from "./outcome.ts";
import { savingIn } from "./saving.ts";
import type { Story } from "./story.ts";
import { highestGpuPercent, judgeBy, judgesBy } from "./verdict.ts";
import { quieted, showsPeople, showsUse } from "./work.ts";

/** A story, made ready to be replayed by many policies: what does not depend on the policy is found out once. */

export interface Past {
  readonly story: Story;
  /** The first moment of which anything is known, and the last. */
  readonly begunAt: number;
  readonly endsAt: number;
  readonly beginning: InstanceState;
  /** So far apart are its heartbeats. */
  readonly intervalMs: number;
  /** Oldest first. */
  readonly at: Float64Array;
  readonly kinds: Uint8Array;
  readonly readings: readonly Heartbeat[];
  /** Of each 1 where it shows work. */
  readonly works: Uint8Array;
  /** From which on it has reported a GPU. */
  readonly gpuFrom: number;
  readonly acts: readonly Act[];
  readonly offSpans: readonly OffSpan[];
  /** For how long a wake takes. */
  readonly wakeMs: number;
  /** For how long its hooks prepare a hibernation; null where it has none. */
  readonly prepareMs: number | null;
  readonly basis: Omit<Basis, "assumedIdleMs">;
  /** How such a policy judges each reading. */
  readonly verdictsBy: (idle: Policy["idle"]) => Uint8Array;
}

const READY = new WeakMap<Story, { readonly speed: number; readonly past: Past }>();

/** The story, made ready. `speed` divides every duration of its policies. */
export function pastOf(story: Story, speed: number): Past {
  const known = READY.get(story);
  if (known?.speed === speed) return known.past;
  const past = makeReady(story, speed);
  READY.set(story, { speed, past });
  return past;
}

/** How long a wake takes where none is known: as long as the rules wait for one. */
const WAKE_MS = 10 * MINUTE_MS;

function makeReady(story: Story, speed: number): Past {
  const { hasGpu } = story;
  const beginning = beginningOf(story);
  const endsAt = Math.max(beginning.at, Math.min(story.to, goneFrom(story.events, beginning.at) ?? story.to));
  const offSpans = offSpansOf(story.events);
  const intervalMs = intervalOf(story) / speed;
  const gpuSince = gpuSinceOf(story, beginning.state.agent.hasGpu);
  const span = { from: beginning.at, to: endsAt };
  const merged = madeUpReadings(story, offSpans, span, intervalMs, gpuSince);
  const isStoppedByWord = stoppedByWord(offSpans, speed);
  const isSaving = savingIn(story.events);
  const works = Uint8Array.from(merged.readings, (reading, index) => {
    const at = merged.at[index] ?? 0;
    if (merged.kinds[index] === ASSUMED || isStoppedByWord(at)) return 0;
    return (isSaving(reading, at) ? showsPeople(reading) : showsUse(reading, hasGpu)) ? 1 : 0;
  });
  const readings = merged.readings.map((reading, index) =>
    isSaving(reading, merged.at[index] ?? 0) ? quieted(reading) : reading,
  );
  const gpuFrom = firstFrom(merged.at, gpuSince);
  const wakeMs = medianOf(offSpans.flatMap(({ wakeTookMs }) => wakeTookMs ?? [])) ?? WAKE_MS / speed;
  return {
    story,
    begunAt: beginning.at,
    endsAt,
    beginning: {
      ...beginning.state,
      agent: { ...beginning.state.agent, bootId: null, sequence: null },
    },
    intervalMs,
    at: merged.at,
    kinds: merged.kinds,
    readings,
    works,
    acts: actsOf(story, offSpans, beginning.at, wakeMs),
    offSpans,
    wakeMs,
    prepareMs: prepareMsOf(story),
    basis: basisOf(story),
    gpuFrom,
    verdictsBy: judging(readings, gpuFrom),
  };
}

/** While it goes off, a machine may beat on for so long. */
const GOES_OFF_MS = 2 * MINUTE_MS;

/** Whether the machine was about to go off then because somebody wanted it off: what it still did is no work that came. */
function stoppedByWord(offSpans: readonly OffSpan[], speed: number): (at: number) => boolean {
  const stops = offSpans.filter(({ by }) => by === "outside");
  if (stops.length === 0) return () => false;
  return (at) =>
    stops.some(
      ({ orderedAt, from, to }) =>
        at >= orderedAt && at <= from + GOES_OFF_MS / speed && (to === null || at < to),
    );
}

function basisOf({ readings, hours, from, to }: Story): Past["basis"] {
  const firstAt = readings[0]?.at ?? to;
  const coarse = hours.filter(({ heartbeats }) => heartbeats > 0);
  return {
    readings: readings.length,
    coarseMs: coarse.reduce(
      (sum, { at }) => sum + Math.max(0, Math.min(at + HOUR_MS, firstAt) - Math.max(at, from)),
      0,
    ),
    readingsWithoutUse: readings.filter(({ use, isLate }) => use === undefined && isLate !== true).length,
  };
}

/** The longest of the story: by a shorter one, heartbeats would be missing that were never to come. */
function intervalOf({ policies }: Story): number {
  const seconds = policies.map(({ settings }) => settings.heartbeat_interval_seconds);
  return seconds.length === 0 ? MINUTE_MS : Math.max(...seconds) * SECOND_MS;
}

function medianOf(durations: readonly number[]): number | null {
  const sorted = [...durations].sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** As long as they last took: until they had ended, or the order was given without. */
function prepareMsOf({ events }: Story): number | null {
  const last = events.findLast(({ kind }) => kind === "prepared" || kind === "preparation_overdue");
  const id = last?.detail.preparation_id;
  const began = events.findLast(({ kind, detail }) => kind === "preparing" && detail.preparation_id === id);
  return last === undefined || began === undefined || id === undefined
    ? null
    : Math.max(0, last.at - began.at);
}

/** So many ways to judge are kept: those of a frontier's thresholds, and of whatever stands beside it. */
const MAXIMUM_JUDGES = 12;

function judging(readings: readonly Heartbeat[], gpuFrom: number): Past["verdictsBy"] {
  const known = new Map<string, Uint8Array>();
  return (idle) => {
    const key = judgesBy(idle);
    const verdicts = known.get(key) ?? judged(readings, gpuFrom, idle);
    if (known.size < MAXIMUM_JUDGES) known.set(key, verdicts);
    return verdicts;
  };
}

function judged(readings: readonly Heartbeat[], gpuFrom: number, idle: Policy["idle"]): Uint8Array {
  const [before, since] = [judgeBy(idle, false), judgeBy(idle, true)];
  return Uint8Array.from(readings, (reading, index) => (index < gpuFrom ? before : since)(reading));
}

/** When it had reported a GPU. */
function gpuSinceOf({ hours, readings }: Story, isKnown: boolean): number {
  if (isKnown) return Number.NEGATIVE_INFINITY;
  const hour = hours.find(({ gpuMaxPercent }) => gpuMaxPercent !== null);
  // What came late says nothing of its machine but its readings.
  const first = readings.find(
    (reading) =>
      reading.isLate !== true &&
      (highestGpuPercent(reading) !== null || reading.use?.unread.includes("gpu") === true),
  );
  return hour?.at ?? first?.at ?? Number.POSITIVE_INFINITY;
}

function firstFrom(at: Float64Array, moment: number): number {
  const first = at.findIndex((each) => each >= moment);
  return first < 0 ? at.length : first;
}
