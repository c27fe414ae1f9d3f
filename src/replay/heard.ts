import type { Heartbeat, HeartbeatReport, LateReading } from "../lifecycle/model/heartbeat.ts";
import { preparationOf } from "../lifecycle/model/phase.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { momentIn, textIn } from "./detail.ts";
import { reportOf } from "./report.ts";
import type { PastEvent } from "./story.ts";

/** What a machine said, as its reading and the events of that moment tell it. */

export interface Heard {
  readonly reading: Heartbeat;
  /** Those that came late, with this one. */
  readonly late: readonly Heartbeat[];
  /** It is the one before, sent once more. */
  readonly isRepeated: boolean;
}

/** The readings in the order in which they were heard: late ones come with the next that was in time. */
export function heardOf(readings: readonly Heartbeat[], events: readonly PastEvent[]): readonly Heard[] {
  return events.reduce(withUnkept, inOrder(readings));
}

/** An event says when the machine was last heard. Where no reading of then is kept, its heartbeat was sent once more. */
function withUnkept(heard: readonly Heard[], { at, detail }: PastEvent): readonly Heard[] {
  const last = momentIn(detail, "last_heartbeat");
  if (last === null) return heard;
  const index = heard.findLastIndex(({ reading }) => reading.at < last + SECOND_MS);
  const before = heard[index]?.reading;
  if (before === undefined || last - before.at < SECOND_MS || last > at) return heard;
  return heard.toSpliced(index + 1, 0, { reading: { ...before, at: last }, late: [], isRepeated: true });
}

function inOrder(readings: readonly Heartbeat[]): readonly Heard[] {
  const heard: Heard[] = [];
  let late: Heartbeat[] = [];
  for (const reading of readings) {
    if (reading.isLate === true) {
      late.push(reading);
      continue;
    }
    const before = heard.at(-1)?.reading;
    if (reading.repeatedAt !== undefined && before !== undefined) {
      heard.push({ reading: { ...before, at: reading.repeatedAt }, late: [], isRepeated: true });
    }
    heard.push({ reading, late, isRepeated: false });
    late = [];
  }
  return heard;
}

/** The heartbeat that carried it. `ahead`: the events from that moment on. */
export function reportHeard(
  { reading, late, isRepeated }: Heard,
  state: InstanceState,
  ahead: readonly PastEvent[],
): HeartbeatReport {
  const newest = state.agent.sequence ?? 0;
  const hooks = hasHooks(ahead) ? ["prepare" as const] : [];
  return {
    ...reportOf(reading),
    status: reading.status,
    boot_id: BOOT,
    sequence: isRepeated ? newest : newest + late.length + 1,
    hooks,
    ...(late.length === 0
      ? {}
      : { backlog: late.map((each, index) => lateReading(each, newest + index + 1, reading.at)) }),
    ...preparationSaid(reading, state, ahead),
    ...reclaimSaid(reading, state, ahead),
  };
}

const BOOT = "retraced";

function lateReading(heartbeat: Heartbeat, sequence: number, now: number): LateReading {
  return [
    sequence,
    (now - heartbeat.at) / SECOND_MS,
    heartbeat.gpuPercent,
    heartbeat.vramUsedGb,
    heartbeat.cpuPercent,
    heartbeat.ramUsedGb,
    heartbeat.diskUsedGb,
    heartbeat.costAccumulated,
  ];
}

/** Whether it has hooks that prepare it is told by what was done at the next hibernation. */
function hasHooks(ahead: readonly PastEvent[]): boolean {
  const next = ahead.find(
    ({ kind, detail }) => kind === "preparing" || (kind === "hibernating" && !isOfAnother(detail)),
  );
  return next !== undefined && (next.kind === "preparing" || textIn(next.detail, "unprepared") !== null);
}

/** Of a hibernation that has ended its preparation, or for which none is prepared. */
function isOfAnother(detail: PastEvent["detail"]): boolean {
  const rule = textIn(detail, "rule") ?? "";
  return textIn(detail, "preparation_id") !== null || rule === "instance" || rule.startsWith("orphan.");
}

/** What it says of its hooks is about the preparation under way, unless nobody took note of it. */
function preparationSaid(
  { at, use }: Heartbeat,
  state: InstanceState,
  ahead: readonly PastEvent[],
): Pick<HeartbeatReport, "preparation"> {
  const said = use?.preparation ?? null;
  const standing = preparationOf(state.phase);
  if (said === null) return {};
  const isNoted = (kind: string) => ahead.some((event) => event.at === at && event.kind === kind);
  const isMeant =
    said === "running" ||
    (said === "succeeded"
      ? standing?.heard?.state === "succeeded" || isNoted("prepared")
      : standing?.isFailureTold === true || isNoted("preparation_failed"));
  return { preparation: { id: isMeant ? (standing?.id ?? OTHER) : OTHER, state: said, seconds: 0 } };
}

const OTHER = "another";

function reclaimSaid(
  { at, status }: Heartbeat,
  { reclaimed }: InstanceState,
  ahead: readonly PastEvent[],
): Pick<HeartbeatReport, "reclaim"> {
  if (status !== "reclaimed") return {};
  const told = ahead.find(({ kind, at: toldAt }) => kind === "reclaimed" && toldAt === at);
  // A notice is told once, and goes on as it was.
  const by = BY.find((each) => each === (told === undefined ? reclaimed?.by : told.detail.by));
  if (by === undefined) return {};
  if (told === undefined) return { reclaim: { by, action: reclaimed?.action ?? null } };
  const endsAt = momentIn(told.detail, "ends_at");
  const inSeconds = endsAt === null ? null : Math.max(0, (endsAt - at) / SECOND_MS);
  return { reclaim: { by, action: textIn(told.detail, "action"), in_seconds: inSeconds } };
}

const BY = ["ec2", "gcp", "azure"] as const;
