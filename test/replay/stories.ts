import { fromSample, toSample } from "../../src/history/sample.ts";
import { type Heartbeat, type HeartbeatReport, heartbeatFrom } from "../../src/lifecycle/model/heartbeat.ts";
import type { PolicyOverrides, PolicySettings } from "../../src/lifecycle/model/policy-settings.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../src/lifecycle/model/provider.ts";
import type { Profile } from "../../src/lifecycle/model/state.ts";
import { MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import type { Story } from "../../src/replay/story.ts";
import { historyOf } from "../lifecycle/late-readings.ts";
import { START, Timeline } from "../lifecycle/timeline.ts";

/** Stories to be replayed: written by hand, or lived. */

export { START };

/** So many minutes after the start. */
export function minute(minutes: number): number {
  return START + minutes * MINUTE_MS;
}

const UNREAD = heartbeatFrom({}, START, 1);

/** A reading at this minute, of a GPU at so many percent or of whatever else is said. */
export function readingAt(minutes: number, shows: number | Partial<Heartbeat>): Heartbeat {
  const said = typeof shows === "number" ? { gpuPercent: shows } : shows;
  return { ...UNREAD, ...said, at: minute(minutes) };
}

/** One reading a minute, from the first of these minutes until before the last. */
export function readingsOf(from: number, until: number, shows: number | Partial<Heartbeat>): Heartbeat[] {
  return Array.from({ length: until - from }, (_, index) => readingAt(from + index, shows));
}

const PROFILE: Profile = {
  name: "Rig",
  provider: "webhook",
  providerRef: null,
  hourlyCost: 0.4,
  hibernatedHourlyCost: 0.01,
  registeredAt: START - 30 * 24 * 60 * MINUTE_MS,
};

/** A story of so many minutes, of an instance that has run for long. */
export function storyOf(
  minutes: number,
  readings: readonly Heartbeat[],
  more: Partial<Omit<Story, "profile">> & {
    readonly profile?: Partial<Profile>;
    readonly settings?: PolicySettings;
  } = {},
): Story {
  const { profile, settings = mergePolicy({}), ...rest } = more;
  return {
    instanceId: "rig-1",
    hasGpu: true,
    from: START,
    to: minute(minutes),
    readings,
    hours: [],
    events: [],
    policies: [{ from: START, settings, suspended: false, unknownBecause: null }],
    guardClosed: [],
    ...rest,
    profile: { ...PROFILE, ...profile },
  };
}

/** What people do in a life, by the minute. */
export type Deed =
  | { readonly at: number; readonly does: "keep alive"; readonly minutes: number }
  | { readonly at: number; readonly does: "hibernate" | "wake" };

/** A machine that obeys at once and is back as soon as it is woken. It shows `shows(minute)` while it is on; null: it is silent. */
export function live(
  minutes: number,
  overrides: PolicyOverrides,
  shows: (minute: number) => HeartbeatReport | null,
  deeds: readonly Deed[] = [],
  options: { readonly provider?: ProviderKind; readonly profile?: Partial<Profile> } = {},
): Story {
  const line = new Timeline({ overrides, ...options });
  const carryOut = () => {
    line.answerGuard(true);
    const { phase } = line.state;
    if (phase.status !== "hibernating" && phase.status !== "deleting" && phase.status !== "waking") return;
    if (phase.action.handover.state === "accepted") return;
    line.accept();
    line.succeed("snap-1");
  };
  for (let now = 0; now <= minutes; now++) {
    passTo(line, minute(now), carryOut);
    for (const deed of deeds) if (deed.at === now) act(line, deed);
    carryOut();
    const report = shows(now);
    const { status } = line.state.phase;
    if (report === null || status === "hibernated" || status === "deleted") continue;
    line.heartbeat(report);
    carryOut();
  }
  return toldOf(line, minutes, mergePolicy(overrides));
}

/** Every order is carried out in the moment in which it is given. */
function passTo(line: Timeline, moment: number, carryOut: () => void): void {
  while (line.armedAt !== null && line.armedAt < moment) {
    line.until(line.armedAt);
    carryOut();
  }
  line.until(moment);
  carryOut();
}

function act(line: Timeline, deed: Deed): void {
  switch (deed.does) {
    case "keep alive":
      line.command({ type: "keep_alive", durationMs: deed.minutes * MINUTE_MS });
      break;
    case "hibernate":
      line.command({ type: "hibernate.requested" });
      break;
    case "wake":
      line.command({ type: "wake.requested" });
      break;
  }
}

/** As the history holds it. */
function toldOf(line: Timeline, minutes: number, settings: PolicySettings): Story {
  line.drain();
  const readings = historyOf(line).flatMap((heartbeat) => {
    const sample: unknown = JSON.parse(JSON.stringify(toSample(heartbeat)));
    return fromSample(sample, heartbeat.sequence) ?? [];
  });
  return storyOf(minutes, readings, {
    profile: line.state.profile,
    hasGpu: line.state.agent.hasGpu,
    events: line.events,
    settings,
  });
}
