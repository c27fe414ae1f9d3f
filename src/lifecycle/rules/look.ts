import type { Machine } from "../model/effects.ts";
import type { InstanceEvent, LookAnswer } from "../model/instance-event.ts";
import { record } from "../model/outbox.ts";
import type { OpenLook, WakeFailed } from "../model/phase.ts";
import type { Policy } from "../model/policy.ts";
import { abilitiesOf, kindOf, providerDetail } from "../model/provider.ts";
import {
  type InstanceState,
  isSameMachine,
  machineOf,
  withSighted,
  withStoppedCost,
} from "../model/state.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";
import { say } from "../model/words/say.ts";
import { countAsFoundRunning, countAsGone } from "./deletion.ts";

/**
 * Nobody knows how the machine of a hibernated instance is: it may run, and cost money. So its provider is asked, until it answers.
 * Only whoever asks says that it was asked.
 * - After a restore or an import, when it was taken back (`reclaim.ts`), or when its provider's list is without it. Nothing is stopped or deleted for it.
 * - After a wake that failed, whose start may still come through. Whoever asks cancels that start first.
 */

/** A machine that runs is most likely heard before: then nobody needs to be asked. */
const FIRST_LOOK_MS = 5 * MINUTE_MS;

const FIRST_RETRY_MS = 10 * MINUTE_MS;
const LONGEST_RETRY_MS = DAY_MS;

/** A start that comes through costs money, so for a day it is asked about every hour. */
const LONGEST_RETRY_AFTER_WAKE_MS = HOUR_MS;
const TRIES_OF_A_DAY = 26;

/** What may pass is told only after this long. */
const TELL_AFTER_MS = HOUR_MS;

/**
 * A hibernated one has to be looked at. A start that was to be cancelled still is. Others are watched by the ladder, or their first
 * heartbeat is awaited. `isTold`: its owner knows already that nobody knows.
 */
export function openLook(state: InstanceState, now: number, isTold = false): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated") return state;
  return { ...state, phase: { ...phase, openLook: lookAnew(phase.openLook, now, isTold) } };
}

/** It was brought here from elsewhere: a start of it may be another service's by now, and is not cancelled. */
export function leaveStart(state: InstanceState): InstanceState {
  const { phase } = state;
  return phase.status === "hibernated" && phase.openLook !== undefined
    ? { ...state, phase: { ...phase, openLook: { ...phase.openLook, because: undefined } } }
    : state;
}

/** A wake has failed, and its start may still come through. Its owner is told so with that. */
export function lookAfterWake(now: number): OpenLook {
  return { ...lookAnew(undefined, now), isTold: true, because: "wake" };
}

/** The wake whose start is to be cancelled before its machine is looked at; null where there is none. */
export function startToCancel({ phase }: InstanceState): WakeFailed | null {
  return phase.status === "hibernated" && phase.openLook?.because === "wake"
    ? (phase.wakeFailed ?? null)
    : null;
}

/** Nobody could be asked for a while. What is open begins anew. */
export function restartLook(state: InstanceState, now: number): InstanceState {
  const { phase } = state;
  return phase.status === "hibernated" && phase.openLook !== undefined
    ? { ...state, phase: { ...phase, openLook: lookAnew(phase.openLook, now) } }
    : state;
}

/** The owner is not told a second time. */
export function lookAnew(former: OpenLook | undefined, now: number, isTold = false): OpenLook {
  return {
    askAt: now + FIRST_LOOK_MS,
    tries: 0,
    failingSince: null,
    isTold: isTold || former?.isTold === true,
    because: former?.because,
  };
}

/** When somebody is asked, or told; null when nothing is open. Nothing is for a suspended user. */
export function lookDeadline({ phase }: InstanceState, policy: Policy): number | null {
  if (policy.suspended) return null;
  return phase.status === "hibernated" ? (phase.openLook?.askAt ?? null) : null;
}

/** The machine that its provider is to be asked for now; null when it is not. */
export function dueLook(state: InstanceState, policy: Policy, now: number): Machine | null {
  const due = lookDeadline(state, policy);
  if (due === null || now < due || state.phase.status !== "hibernated") return null;
  return abilitiesOf(state.profile.provider).reachesSilent ? machineOf(state.profile) : null;
}

/** Where no provider can be asked, the owner is told. */
export function takeLookStep(state: InstanceState, policy: Policy, now: number): InstanceState {
  const due = lookDeadline(state, policy);
  if (due === null || now < due) return state;
  const { profile } = state;
  if (abilitiesOf(profile.provider).reachesSilent) return state;
  const because = phrase("found.nobody_to_ask", { provider: kindOf(profile.provider) });
  return keepOpen(beginLook(state, now), { because, isPassing: false }, now);
}

/** Its provider is asked. Should nobody come back with an answer, it is asked again. */
export function beginLook(state: InstanceState, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated" || phase.openLook === undefined) return state;
  const { tries, because } = phase.openLook;
  const isUrgent = because === "wake" && tries < TRIES_OF_A_DAY;
  const longestMs = isUrgent ? LONGEST_RETRY_AFTER_WAKE_MS : LONGEST_RETRY_MS;
  // The exponent is bounded because two to the power of a thousand is infinite.
  const retryMs = Math.min(longestMs, FIRST_RETRY_MS * 2 ** Math.min(tries, 20));
  return {
    ...state,
    phase: { ...phase, openLook: { ...phase.openLook, askAt: now + retryMs, tries: tries + 1 } },
  };
}

/** What the provider showed. It counts as long as the question is open, and is about the machine that is watched. */
export function endLook(
  state: InstanceState,
  { machine, answer, sighted }: Extract<InstanceEvent, { type: "looked" }>,
  policy: Policy,
  now: number,
): InstanceState {
  const { phase, profile } = state;
  if (phase.status !== "hibernated" || phase.openLook === undefined || policy.suspended) return state;
  if (!isSameMachine(machine, machineOf(profile))) return state;
  const seen = withSighted(state, sighted);
  switch (answer.shows) {
    case "running":
      return countAsFoundRunning(
        { ...seen, reclaimed: undefined },
        {
          at: now,
          ...foundBecause(state, phase.openLook),
          detail: { hibernated_reason: phase.reason },
        },
      );
    case "stopped":
      return confirmHibernated(withStoppedCost(seen, answer.hourlyCost), now);
    case "gone":
      return countAsGone(seen, policy, now, { hibernated_reason: phase.reason });
    case "unknown":
      return keepOpen(seen, answer, now);
  }
}

/** Whether its provider lists it no more. */
export function hasVanished({ sighted }: InstanceState): boolean {
  return sighted?.vanishedAt !== undefined;
}

const SET_BACK = {
  said: phrase("found.was_set_back"),
  by: phrase("found.somebody_started"),
};
const CAME_THROUGH = { said: phrase("found.wake_failed"), by: phrase("found.came_through") };
const TAKEN_BACK = { said: phrase("found.taken_back"), by: phrase("found.left_or_started") };
/** Its machine is found running, and nobody ordered it. */
export const STARTED = { said: phrase("found.was_hibernated"), by: phrase("found.somebody_started") };

function foundBecause(state: InstanceState, { because }: OpenLook) {
  if (state.reclaimed !== undefined) return TAKEN_BACK;
  if (because === "wake") return CAME_THROUGH;
  return hasVanished(state) ? STARTED : SET_BACK;
}

/** It still is hibernated: it saves from here on. */
function confirmHibernated(state: InstanceState, now: number): InstanceState {
  const { phase, profile, reclaimed } = state;
  if (phase.status !== "hibernated") return state;
  const { openLook: _, ...hibernated } = phase;
  return record(
    { ...state, noticedFrom: undefined, phase: hibernated },
    {
      at: now,
      kind: "looked",
      severity: "info",
      message:
        reclaimed === undefined
          ? phrase("found.still_hibernated", { provider: kindOf(profile.provider) })
          : phrase("found.taken_and_kept", { provider: kindOf(profile.provider) }),
      detail: providerDetail(profile.provider),
    },
  );
}

type NoAnswer = Pick<Extract<LookAnswer, { shows: "unknown" }>, "isPassing"> & { readonly because: Said };

/** The question stays open. The owner is told once, of what may pass only when it has lasted. */
function keepOpen(state: InstanceState, { because, isPassing }: NoAnswer, now: number): InstanceState {
  const { phase } = state;
  if (phase.status !== "hibernated" || phase.openLook === undefined) return state;
  const failingSince = phase.openLook.failingSince ?? now;
  const isTold = phase.openLook.isTold || !isPassing || now >= failingSince + TELL_AFTER_MS;
  const kept: InstanceState = {
    ...state,
    noticedFrom: undefined,
    phase: { ...phase, openLook: { ...phase.openLook, failingSince, isTold } },
  };
  return isTold && !phase.openLook.isTold ? tellUnwatched(kept, now, because) : kept;
}

/** Nobody can say how the machine is: its owner has to look. */
function tellUnwatched(state: InstanceState, at: number, because: Said): InstanceState {
  const { status } = state.phase;
  const since =
    state.reclaimed === undefined
      ? phrase("found.was_when_set_back", { status: phrase(`status.${status}`) })
      : phrase("found.was_to_be_taken");
  return record(state, {
    at,
    kind: "unwatched",
    severity: "warning",
    message: phrase("found.nobody_knows", { since, because }),
    detail: { status, because: say("en", because) },
  });
}
