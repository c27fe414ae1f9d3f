import { nextWakeAt } from "../lifecycle/decide.ts";
import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import { addTo, type Ledger, NO_COSTS, type Spent } from "../lifecycle/model/ledger.ts";
import { type IdleRun, preparationOf, type Running } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { HOUR_MS, startOfUtcDay } from "../lifecycle/model/time.ts";
import { evidenceOfKept, type UseSeen } from "../lifecycle/model/use.ts";
import { awakeRate } from "../lifecycle/rules/costs.ts";
import { idleDeadline } from "../lifecycle/rules/idleness.ts";
import { isGap } from "../lifecycle/rules/use-seen.ts";
import type { AwakeHours } from "./awake.ts";
import { LATE } from "./moments.ts";
import type { Past } from "./past.ts";
import { ACTIVE, highestGpuPercent, isQuiet, QUIET_BY_GPU } from "./verdict.ts";

/**
 * Stretches of heartbeats by which nothing is decided: they are passed over at once. What the rules would have made of them one by one
 * is put into the state: when it was last heard, how long it worked and idled, how far its idle run has come.
 */

export interface Passed {
  readonly state: InstanceState;
  /** The last heartbeat that was passed over. */
  readonly last: number;
}

/** How the past looks by one policy. */
export interface Seen {
  readonly past: Past;
  readonly policy: Policy;
  readonly verdicts: Uint8Array;
  readonly awake: AwakeHours;
}

/** What follows upon the heartbeat at `index`, just heard, up to the moment `until`; null where nothing can be passed over. */
export function passOver(seen: Seen, state: InstanceState, index: number, until: number): Passed | null {
  const { phase, ledger } = state;
  if (phase.status !== "running" || preparationOf(phase) !== null) return null;
  if (ledger === undefined || ledger.until !== seen.past.at[index]) return null;
  const isWarned = phase.idle?.warnedAt != null;
  return (
    (isWarned ? null : passUnwarned(seen, state, phase, ledger, index, until)) ??
    passQuiet(seen, state, phase, index, until)
  );
}

/** When anything but the idle run and silence has it decide. */
function decidesAt({ past, policy }: Seen, state: InstanceState, phase: Running, index: number): number {
  const heard: InstanceState = {
    ...state,
    phase,
    clock: { ...state.clock, lastHeartbeatAt: past.endsAt },
  };
  return nextWakeAt(heard, policy, past.at[index] ?? 0) ?? Number.POSITIVE_INFINITY;
}

/** Heartbeats that show use, and idle runs between them that are over before its owner is warned of one. */
function passUnwarned(
  seen: Seen,
  state: InstanceState,
  phase: Running,
  ledger: Ledger,
  index: number,
  until: number,
): Passed | null {
  const { past, policy, verdicts } = seen;
  const { at, kinds } = past;
  const hours = seen.awake.at(at[index] ?? 0);
  const limit = Math.min(until, hours.until, decidesAt(seen, state, { ...phase, idle: null }, index));
  const keptUntil = state.clock.keepAliveUntil ?? 0;
  const unread = unreadIn(state, policy);
  let runSince = phase.idle?.since ?? null;
  let runVerdict = verdicts[index];
  let [idleMs, workingMs] = [0, 0];
  let passed: { last: number; idleMs: number; workingMs: number; unreadSince: number | null } | null = null;
  for (let next = index + 1; next < at.length; next++) {
    const now = at[next] ?? 0;
    const before = at[next - 1] ?? 0;
    if (now >= limit || kinds[next] === LATE || now - before > policy.orphan.orphanAfterMs) break;
    const isAfterGap = isGap(before, now, policy);
    const verdict = verdicts[next];
    if (runSince === null) workingMs += now - before;
    else idleMs += now - before;
    if (policy.idle.enabled && isQuiet(verdict)) {
      if (runSince !== null && now >= runSince + policy.idle.warnAfterMs) break;
      if (runSince === null || isAfterGap || verdict !== runVerdict) runSince = Math.max(now, keptUntil);
      if (isAfterGap) unread.since = null;
      if (keptUntil > now) unread.since = null;
      runVerdict = verdict;
      continue;
    }
    if (runSince !== null && now > runSince + policy.idle.warnAfterMs) break;
    if (verdict === ACTIVE || isQuiet(verdict))
      unread.since = isQuiet(verdict) && !isAfterGap ? unread.since : null;
    else {
      // Its owner may be told that something cannot be read.
      unread.since = (isAfterGap ? null : unread.since) ?? now;
      if (hours.isAwake || keptUntil > now || !policy.idle.enabled) unread.since = null;
      if (unread.since !== null && unread.mayTell(unread.since, now)) break;
    }
    if (!policy.idle.enabled) unread.since = null;
    runSince = null;
    passed = { last: next, idleMs, workingMs, unreadSince: unread.since };
  }
  if (passed === null) return null;
  const { last } = passed;
  const heard = heardAt(
    state,
    past,
    last,
    { ...phase, idle: null },
    { quietSince: null, unreadSince: passed.unreadSince },
  );
  return { state: { ...heard, ledger: withTime(state, ledger, passed, at[last] ?? 0) }, last };
}

/** Heartbeats by which an idle run goes on, or begins anew in awake hours. */
function passQuiet(
  seen: Seen,
  state: InstanceState,
  phase: Running,
  index: number,
  until: number,
): Passed | null {
  const { past, policy, verdicts } = seen;
  const { at, kinds } = past;
  const { idle } = phase;
  const { use } = state;
  if (idle === null || use === undefined || use.quietSince === null) return null;
  const hours = seen.awake.at(at[index] ?? 0);
  // A step that is due and was not taken waits for a heartbeat.
  if (!hours.isAwake && idleDeadline(state, policy, at[index] ?? 0) === null) return null;
  const limit = Math.min(until, hours.until, decidesAt(seen, state, phase, index));
  const verdict = verdicts[index];
  let run: IdleRun = idle;
  let last = index;
  for (let next = index + 1; next < at.length; next++) {
    const now = at[next] ?? 0;
    const before = at[next - 1] ?? 0;
    const ends = now >= limit || verdicts[next] !== verdict || kinds[next] === LATE;
    if (ends || isGap(before, now, policy) || now - before > policy.orphan.orphanAfterMs) break;
    last = next;
    if (!hours.isAwake) run = goneOn(run, past, next, verdict);
  }
  if (last === index) return null;
  if (hours.isAwake) run = begunAnew(idle, past, last, verdict, state.clock.keepAliveUntil ?? 0);
  return { state: heardAt(state, past, last, { ...phase, idle: run }, use), last };
}

function goneOn(run: IdleRun, { at, readings }: Past, index: number, verdict: number | undefined): IdleRun {
  if ((at[index] ?? 0) < run.since) return run;
  const highestPercent = Math.max(run.highestPercent, percentOf(readings[index], verdict));
  return { ...run, heartbeats: run.heartbeats + 1, highestPercent };
}

/** In awake hours each heartbeat begins a run, which is never warned of. */
function begunAnew(
  { metric }: IdleRun,
  { at, readings }: Past,
  index: number,
  verdict: number | undefined,
  keptUntil: number,
): IdleRun {
  const now = at[index] ?? 0;
  const counts = now >= keptUntil;
  return {
    since: Math.max(now, keptUntil),
    metric,
    highestPercent: counts ? percentOf(readings[index], verdict) : 0,
    heartbeats: counts ? 1 : 0,
    warnedAt: null,
    failed: null,
  };
}

function percentOf(reading: Heartbeat | undefined, verdict: number | undefined): number {
  if (reading === undefined) return 0;
  return (verdict === QUIET_BY_GPU ? highestGpuPercent(reading) : reading.cpuPercent) ?? 0;
}

/** The state after the heartbeat at `index`, of which the rest is known. */
function heardAt(
  state: InstanceState,
  { at, readings, gpuFrom }: Past,
  index: number,
  phase: Running,
  { quietSince, unreadSince }: Pick<UseSeen, "quietSince" | "unreadSince">,
): InstanceState {
  const now = at[index] ?? 0;
  const reading = readings[index];
  if (reading === undefined || state.use === undefined) return state;
  const { nextInHistory } = state.agent;
  const evidence = evidenceOfKept(reading);
  return {
    ...state,
    phase,
    clock: { ...state.clock, lastHeartbeatAt: now },
    counters: { ...state.counters, gapFrom: Math.max(now, state.clock.keepAliveUntil ?? 0) },
    use: {
      ...state.use,
      ...evidence,
      sources: evidence.sources.map((source) => ({ ...source, quietSince: null })),
      at: now,
      quietSince,
      unreadSince,
    },
    recent: [{ ...reading, at: now, sequence: nextInHistory, isLate: undefined }],
    agent: {
      ...state.agent,
      nextInHistory: nextInHistory + 1,
      hasGpu: state.agent.hasGpu || index >= gpuFrom,
    },
  };
}

/** The ledger with time in which it worked and idled by turns, none of it wasted. */
function withTime(
  state: InstanceState,
  ledger: Ledger,
  { idleMs, workingMs }: { readonly idleMs: number; readonly workingMs: number },
  until: number,
): Ledger {
  const { hourlyCost } = awakeRate(state, ledger);
  const spent = (ms: number): Spent => ({ ms, dollars: (ms / HOUR_MS) * (hourlyCost ?? 0) });
  const costs = {
    ...NO_COSTS,
    working: spent(workingMs),
    idle: spent(idleMs),
    unpricedMs: hourlyCost === null ? workingMs + idleMs : 0,
  };
  return { ...addTo(ledger, startOfUtcDay(until), costs), until, wastedBefore: undefined };
}

/** Since when nothing shows use but for what cannot be read, and whether its owner is told of that. */
function unreadIn({ use }: InstanceState, policy: Policy) {
  const toldAt = use?.unreadToldAt;
  return {
    since: use?.unreadSince ?? null,
    mayTell: (since: number, now: number) =>
      now - since >= policy.unreadAfterMs &&
      (toldAt === undefined || (toldAt < since && now - toldAt >= policy.reminderMs)),
  };
}
