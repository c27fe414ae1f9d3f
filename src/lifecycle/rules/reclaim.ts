import { closeGap } from "../model/counters.ts";
import type { HeartbeatReport } from "../model/heartbeat.ts";
import { record } from "../model/outbox.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf, nameOfKind } from "../model/provider.ts";
import { heardAt, type InstanceState, type Reclaimed } from "../model/state.ts";
import { HOUR_MS, SECOND_MS, toIso } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { lookAnew } from "./look.ts";
import { isTakenBack } from "./taken-back.ts";

/**
 * A provider takes a spot machine back, and the machine has said so. Its silence is expected then: nobody is told of it, and nothing
 * is done for it. Its provider is asked what became of it.
 */

/** What an agent says while its machine still is to be taken back. */
const SAID_MEANWHILE: ReadonlySet<string> = new Set(["reclaimed", "preparing", "prepared", "hibernating"]);

/** Whoever holds the token could send a notice with each heartbeat. */
const TOLD_AGAIN_MS = HOUR_MS;

/**
 * Notes what a heartbeat says of it. A notice is told once, and at most one is within an hour; a heartbeat without it takes it back.
 * Notices that follow upon one that came to nothing are believed no longer than that one.
 */
export function noteReclaim(
  state: InstanceState,
  report: HeartbeatReport,
  policy: Policy,
  now: number,
): InstanceState {
  const known = state.reclaimed;
  if (report.status !== "reclaimed") {
    const isOver = known !== undefined && !SAID_MEANWHILE.has(report.status ?? "");
    return isOver ? { ...state, reclaimed: undefined } : state;
  }
  const { status } = state.phase;
  // One that counts as hibernated is on its way out already.
  if (status !== "running" && status !== "hibernating") return state;
  const { by = null, action = null, in_seconds = null } = report.reclaim ?? {};
  if (known !== undefined && known.by === by && known.action === action) return state;
  const reclaimed: Reclaimed = {
    by,
    action,
    at: now,
    endsAt: in_seconds === null ? null : now + Math.round(in_seconds * SECOND_MS),
  };
  const { noticedFrom = now, noticeToldAt } = state;
  const isOther = now - noticedFrom >= policy.reminderMs;
  const noticed = { ...state, reclaimed, noticedFrom: isOther ? now : noticedFrom };
  if (noticeToldAt !== undefined && now - noticeToldAt < TOLD_AGAIN_MS) return noticed;
  return record(
    { ...noticed, noticeToldAt: now },
    {
      at: now,
      kind: "reclaimed",
      severity: "warning",
      message: sayReclaimed(state, reclaimed, now),
      detail: {
        by,
        action,
        ends_at: reclaimed.endsAt === null ? null : toIso(reclaimed.endsAt),
      },
    },
  );
}

function sayReclaimed(state: InstanceState, { endsAt }: Reclaimed, now: number): Said {
  return phrase("reclaim.told", {
    when: endsAt === null ? phrase("reclaim.now") : phrase("reclaim.in", { left: endsAt - now }),
    after: canBeAsked(state)
      ? phrase("reclaim.is_asked", { provider: kindOf(state.profile.provider) })
      : phrase("reclaim.nobody_to_ask"),
  });
}

function canBeAsked({ profile }: InstanceState): boolean {
  return abilitiesOf(profile.provider).reachesSilent;
}

/** When it counts as taken back: it is not heard for longer than a heartbeat may be late. */
export function reclaimDeadline(state: InstanceState, policy: Policy): number | null {
  const { phase, reclaimed, clock } = state;
  if (phase.status !== "running" || reclaimed === undefined || policy.suspended) return null;
  if (!isTakenBack(state, policy)) return null;
  return Math.max(heardAt(clock) ?? 0, reclaimed.at) + 2 * policy.intervalMs;
}

/**
 * It has fallen silent, as was announced. It counts as hibernated, which nobody has confirmed: so nothing counts as saved, and its
 * provider is asked. It is never deleted for its silence.
 */
export function takeReclaimStep(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = reclaimDeadline(state, policy);
  if (due === null || now < due) return state;
  return record(
    {
      ...state,
      phase: {
        status: "hibernated",
        since: due,
        unsavedFrom: due,
        reason: "instance",
        orphan: null,
        // Where nobody can be asked, its owner was told so with the notice.
        openLook: lookAnew(undefined, due, !canBeAsked(state)),
      },
      clock: { ...state.clock, graceUntil: null },
      counters: closeGap(state.counters, policy.intervalMs, due, null),
    },
    {
      at: due,
      kind: "hibernated",
      severity: "info",
      message: canBeAsked(state)
        ? phrase("reclaim.silent_until_provider")
        : phrase("reclaim.silent_until_heard"),
      detail: { reason: "instance", confirmed_by: null, announced: true },
    },
  );
}

/** Why it counts as hibernated though nobody has confirmed it, or soon will; null for any other. */
export function describeReclaimed(state: InstanceState, policy: Policy): Said | null {
  const { phase, reclaimed, profile } = state;
  if (reclaimed === undefined) return null;
  const provider = reclaimed.by === null ? phrase("reclaim.its_provider") : nameOf(reclaimed.by);
  switch (phase.status) {
    case "running":
      if (!isTakenBack(state, policy)) return null;
      return reclaimed.endsAt === null
        ? phrase("reclaim.expected", { provider })
        : phrase("reclaim.expected_at", { provider, at: reclaimed.endsAt });
    case "hibernated":
      if (phase.openLook === undefined) return null;
      return abilitiesOf(profile.provider).reachesSilent
        ? phrase("reclaim.nobody_knows", { provider })
        : phrase("reclaim.nobody_can_say", { provider });
    case "pending":
    case "orphaned":
    case "hibernating":
    case "waking":
    case "deleting":
    case "deleted":
      return null;
  }
}

function nameOf(by: string): Said {
  return by === "ec2" || by === "gcp" || by === "azure" ? nameOfKind(by) : phrase("reclaim.its_provider");
}
