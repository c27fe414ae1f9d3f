import type { HeartbeatReport } from "../model/heartbeat.ts";
import { record } from "../model/outbox.ts";
import type { InstanceState } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS, toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";

/** What the machine tells of a time that differs by less is one and the same act. */
const SAME_ACT_MS = 15 * MINUTE_MS;

/** Whoever holds the token could claim an act with each heartbeat. */
const TOLD_AGAIN_MS = HOUR_MS;

/** A machine that hibernated itself while the service was out of reach says so on its return. Each time is told once. */
export function noteDeadMan(state: InstanceState, { dead_man }: HeartbeatReport, now: number): InstanceState {
  const agoSeconds = dead_man?.acted_seconds_ago;
  if (dead_man == null || agoSeconds == null) return state;
  const actedAt = now - Math.round(agoSeconds * SECOND_MS);
  const told = state.deadManActedAt;
  if (told !== undefined && Math.abs(actedAt - told) < SAME_ACT_MS) return state;
  if (state.deadManToldAt !== undefined && now - state.deadManToldAt < TOLD_AGAIN_MS) return state;
  return record(
    { ...state, deadManActedAt: actedAt, deadManToldAt: now },
    {
      at: now,
      kind: "dead_man_hibernated",
      severity: "warning",
      message: phrase("hibernation.dead_man", { at: actedAt, hours: dead_man.hours }),
      detail: { acted_at: toIso(actedAt), hours: dead_man.hours },
    },
  );
}
