import { describe, expect, it } from "vitest";
import type { DecidedBy } from "../../src/lifecycle/invariants/decided-by.ts";
import { breachesOf, INVARIANTS, type Invariant } from "../../src/lifecycle/invariants.ts";
import type { PendingEffect } from "../../src/lifecycle/model/effects.ts";
import type { Heartbeat } from "../../src/lifecycle/model/heartbeat.ts";
import type { HistoryEventKind } from "../../src/lifecycle/model/history-event.ts";
import type { HibernationRound, InstanceEvent } from "../../src/lifecycle/model/instance-event.ts";
import { type Ledger, newLedger } from "../../src/lifecycle/model/ledger.ts";
import { record } from "../../src/lifecycle/model/outbox.ts";
import { awaitHeartbeat, type Orphan, type Phase } from "../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import { withhold } from "../../src/lifecycle/withhold.ts";
import { at, START, Timeline } from "./timeline.ts";

const DAY = 24 * 60 * 60_000;
const IDLE = { gpu_utilization: 1 };

/** Somebody at work for a quarter of an hour. */
const busy = new Timeline().beatUntil(at("15:00"));
const idle = new Timeline().beatUntil(at("4:00"), IDLE);
const beingPrepared = new Timeline().beatUntil(at("1:00"), { hooks: ["prepare"] });
beingPrepared.command({ type: "hibernate.requested" });
const preparing = beingPrepared.state;
const orphaned = new Timeline().beatUntil(at("1:00")).until(at("10:00"));
const neverHeard = new Timeline();
const deleting = new Timeline().beatUntil(at("0:00")).until(at("30:00"));
deleting.permit();
deleting.command({
  type: "action.succeeded",
  actionId: deleting.actionId,
  snapshotId: null,
  confirmedBy: "webhook",
});
const hibernated = deleting.state;
deleting.until(START + 8 * DAY).command({ type: "cleanup" });
deleting.permit();

const NOW = START + 9 * DAY;
const ALWAYS = {
  awake: [{ days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "00:00", to: "00:00" }],
} satisfies PolicyOverrides["schedule"];

/** The same state, of which `change` says what is otherwise. */
function changed(state: InstanceState, change: Partial<InstanceState>): InstanceState {
  return { ...state, ...change };
}

function withPhase(state: InstanceState, phase: Phase): InstanceState {
  return { ...state, phase };
}

function withCounters(state: InstanceState, change: Partial<InstanceState["counters"]>): InstanceState {
  return { ...state, counters: { ...state.counters, ...change } };
}

function withClock(state: InstanceState, change: Partial<InstanceState["clock"]>): InstanceState {
  return { ...state, clock: { ...state.clock, ...change } };
}

function withEvent(state: InstanceState, kind: HistoryEventKind, actionId: string): InstanceState {
  const effect: PendingEffect = {
    id: state.nextEffectId,
    effect: {
      type: "event",
      event: {
        id: "e",
        at: NOW,
        kind,
        severity: "info",
        message: "",
        detail: { action_id: actionId },
      },
    },
  };
  return { ...state, outbox: [...state.outbox, effect], nextEffectId: state.nextEffectId + 1 };
}

function orphanIn({ phase }: InstanceState): Orphan {
  if (phase.status !== "orphaned") throw new Error(`${phase.status} is not orphaned`);
  return phase.orphan;
}

function withOrphan(state: InstanceState, change: Partial<Orphan>): InstanceState {
  return withPhase(state, { status: "orphaned", orphan: { ...orphanIn(state), ...change } });
}

function deletingIn({ phase }: InstanceState): Extract<Phase, { status: "deleting" }> {
  if (phase.status !== "deleting") throw new Error(`${phase.status} is not deleting`);
  return phase;
}

function heard(state: InstanceState, change: Partial<Heartbeat> = {}): InstanceState {
  const last = state.recent.at(-1);
  if (last === undefined) throw new Error("nothing was heard");
  const sequence = state.agent.nextInHistory;
  return {
    ...state,
    agent: { ...state.agent, nextInHistory: sequence + 1 },
    recent: [...state.recent.slice(-19), { ...last, at: last.at + 60_000, sequence, ...change }],
    unflushed: state.unflushed + 1,
  };
}

const { ledger = newLedger(START) } = busy.state;

function withLedger(change: Partial<Ledger>): InstanceState {
  return { ...busy.state, ledger: { ...ledger, ...change } };
}

const projection = { type: "projection" } as const;
const idleRun = {
  since: at("1:00"),
  metric: "GPU",
  highestPercent: 1,
  heartbeats: 4,
  warnedAt: null,
  failed: null,
} as const;

const hibernatingIdle = (warnedAt: number | null): InstanceState => {
  const { action } = deletingIn(deleting.state);
  return withPhase(
    changed(busy.state, {
      nextEffectId: busy.state.nextEffectId + 1,
      outbox: [
        {
          id: busy.state.nextEffectId,
          effect: {
            type: "action",
            order: {
              actionId: action.id,
              kind: "hibernate",
              reason: "idle",
              machine: action.machine,
              sighted: null,
              isHibernated: false,
              snapshotFirst: false,
            },
          },
        },
      ],
    }),
    {
      status: "hibernating",
      action: { ...action, kind: "hibernate" },
      reason: "idle",
      before: { status: "running", idle: { ...idleRun, warnedAt } },
    },
  );
};

const { action } = deletingIn(deleting.state);
const trying = withPhase(deleting.state, {
  ...deletingIn(deleting.state),
  action: { ...action, handover: { state: "accepted", at: NOW + 1 } },
});
const lostHistory = withEvent(changed(busy.state, { unflushed: 0 }), "history_lost", "");

/** Steps that break one invariant each. */
const BROKEN: readonly (readonly [Invariant, InstanceState, InstanceState, DecidedBy?])[] = [
  ["number_not_finite", busy.state, withClock(busy.state, { countsFrom: Number.POSITIVE_INFINITY })],
  [
    "counter_negative",
    busy.state,
    withCounters(busy.state, { cost: { accumulated: 0, day: null, today: -1 } }),
  ],
  [
    "counter_negative",
    busy.state,
    withCounters(busy.state, { gpuHeartbeats: busy.state.counters.totalHeartbeats + 1 }),
  ],
  ["unflushed_beyond_recent", changed(busy.state, { unflushed: 21 }), changed(busy.state, { unflushed: 21 })],
  ["heartbeats_out_of_order", busy.state, changed(busy.state, { recent: busy.state.recent.toReversed() })],
  [
    "heartbeats_out_of_order",
    busy.state,
    changed(busy.state, {
      recent: busy.state.recent.map((beat) => ({ ...beat, sequence: 99 + beat.sequence })),
    }),
  ],
  [
    "chunk_empty",
    busy.state,
    changed(busy.state, {
      outbox: [{ id: busy.state.nextEffectId, effect: { type: "chunk", heartbeats: [] } }],
      nextEffectId: busy.state.nextEffectId + 1,
    }),
  ],
  [
    "effects_out_of_order",
    busy.state,
    changed(busy.state, { outbox: [{ id: busy.state.nextEffectId, effect: projection }] }),
  ],
  [
    "effects_out_of_order",
    busy.state,
    changed(busy.state, {
      outbox: [
        { id: 1, effect: projection },
        { id: 1, effect: projection },
      ],
    }),
  ],
  ["time_in_future", busy.state, withClock(busy.state, { lastHeartbeatAt: NOW + 1 })],
  ["time_in_future", hibernated, withPhase(hibernated, { ...hibernatedPhase(), since: NOW + 1 })],
  ["time_in_future", hibernated, withPhase(hibernated, { ...hibernatedPhase(), unsavedFrom: NOW + 1 })],
  ["time_in_future", deleting.state, trying],
  ["time_put_down_twice", busy.state, withLedger({ since: START + 1 })],
  ["time_put_down_twice", busy.state, withLedger({ until: START + 1 })],
  ["time_put_down_twice", busy.state, withLedger({ open: [...ledger.open, ...ledger.open] })],
  [
    "idle_run_misplaced",
    busy.state,
    withPhase(busy.state, { status: "running", idle: { ...idleRun, since: NOW + 1 } }),
  ],
  [
    "idle_run_misplaced",
    busy.state,
    withPhase(busy.state, { status: "running", idle: { ...idleRun, since: START - 1 } }),
  ],
  [
    "idle_run_misplaced",
    busy.state,
    withPhase(busy.state, { status: "running", idle: { ...idleRun, warnedAt: at("0:59") } }),
  ],
  [
    "orphan_ahead_of_silence",
    orphaned.state,
    withOrphan(orphaned.state, { step: "hibernate", clockFrom: NOW + 1 }),
  ],
  ["idle_hibernation_orphaned", hibernated, withPhase(hibernated, { ...hibernatedPhase(), reason: "idle" })],
  [
    "order_of_wrong_kind",
    deleting.state,
    withPhase(deleting.state, { ...deletingIn(deleting.state), action: { ...action, kind: "hibernate" } }),
  ],
  [
    "order_for_other_machine",
    deleting.state,
    changed(deleting.state, { profile: { ...deleting.state.profile, providerRef: "other" } }),
  ],
  ["counter_fell", busy.state, withCounters(busy.state, { gpuPercentSum: 1 })],
  [
    "counter_fell",
    withCounters(busy.state, { saved: { ...busy.state.counters.saved, totalDollars: 2, monthMs: 2 } }),
    withCounters(busy.state, { saved: { ...busy.state.counters.saved, totalDollars: 2, monthMs: 1 } }),
  ],
  ["number_used_again", busy.state, changed(busy.state, { nextEffectId: busy.state.nextEffectId - 1 })],
  ["heartbeats_out_of_time", busy.state, heard(busy.state, { at: at("14:59") })],
  ["effect_dropped", withEvent(busy.state, "busy", ""), changed(busy.state, { nextEffectId: NOW })],
  ["heartbeat_lost", busy.state, changed(heard(busy.state), { unflushed: 0 })],
  ["heartbeat_lost", busy.state, changed(withEvent(heard(busy.state), "busy", ""), { unflushed: 0 })],
  [
    "order_not_sent",
    withPhase(deleting.state, { status: "orphaned", orphan: deletingIn(deleting.state).orphan }),
    deleting.state,
  ],
  ["order_ended_unsaid", deleting.state, withPhase(deleting.state, { status: "pending" })],
  [
    "order_ended_unsaid",
    deleting.state,
    withEvent(withPhase(deleting.state, { status: "pending" }), "delete_failed", "another"),
  ],
  ["ended_without_order", busy.state, withPhase(busy.state, { status: "deleted", at: NOW })],
  ["ended_without_order", orphaned.state, withPhase(orphaned.state, hibernatedPhase())],
  [
    "ended_without_order",
    hibernated,
    withEvent(withPhase(hibernated, { status: "deleted", at: NOW }), "gone", ""),
  ],
  ["ended_without_order", unconfirmed(), withPhase(unconfirmed(), { status: "deleted", at: NOW })],
  [
    "time_in_future",
    hibernated,
    withPhase(hibernated, {
      ...hibernatedPhase(),
      openLook: { askAt: NOW, tries: 1, failingSince: NOW + 1, isTold: false },
    }),
  ],
  [
    "unconfirmed_saved",
    unconfirmed(),
    withCounters(unconfirmed(), { saved: { ...hibernated.counters.saved, totalMs: 1 } }),
  ],
  [
    "deleted_came_back",
    withPhase(busy.state, { status: "deleted", at: NOW }),
    withPhase(busy.state, { status: "running", idle: null }),
  ],
  ["orphaned_since_earlier", orphaned.state, withOrphan(orphaned.state, { since: at("5:00") })],
  [
    "orphaned_while_heard",
    busy.state,
    withPhase(busy.state, { status: "orphaned", orphan: { ...orphanIn(orphaned.state) } }),
  ],
  [
    "silence_order_while_heard",
    changed(orphaned.state, {}),
    withClock(changed(deleting.state, { outbox: hibernatingIdle(null).outbox, nextEffectId: NOW }), {
      keepAliveUntil: NOW,
    }),
  ],
  [
    "never_heard_deleted",
    withPhase(deleting.state, { status: "orphaned", orphan: deletingIn(deleting.state).orphan }),
    withClock(deleting.state, { lastHeartbeatAt: null, countsFrom: null }),
  ],
  [
    "unheard_order_on_anothers",
    neverHeard.state,
    withPhase(neverHeard.state, {
      status: "hibernating",
      reason: "silence",
      action: { ...action, kind: "hibernate" },
      before: { ...awaitHeartbeat("imported", START), orphan: orphanIn(orphaned.state) },
    }),
  ],
  ["idle_order_unwarned", busy.state, hibernatingIdle(null)],
  ["planned_stop_unwarned", busy.state, hibernatingByPlan(null)],
  [
    "planned_stop_while_kept_alive",
    busy.state,
    withClock(hibernatingByPlan(NOW), { keepAliveUntil: NOW + 1 }),
  ],
  ["order_in_awake_hours", busy.state, hibernatingIdle(NOW), by({ schedule: ALWAYS })],
  ["order_in_awake_hours", busy.state, hibernatingByPlan(NOW), by({ schedule: ALWAYS })],
  [
    "silence_order_in_maintenance",
    orphaned.state,
    withPhase(orphaned.state, {
      status: "hibernating",
      reason: "silence",
      action: { ...action, kind: "hibernate" },
      before: { status: "orphaned", orphan: orphanIn(orphaned.state) },
    }),
    by({ maintenance: { windows: ALWAYS.awake } }),
  ],
  ["schedule_woke_anothers", hibernated, wokenBySchedule()],
  ["ordered_while_observing", idle.state, hibernatingIdle(NOW), byObserver({ type: "alarm", dueAt: NOW })],
  ["stop_where_only_deleted", busy.state, atLambda(hibernatingIdle(NOW))],
  ["order_ahead_of_preparation", preparing, { ...hibernatingIdle(NOW), agent: preparing.agent }],
  [
    "order_ahead_of_preparation",
    withPhase(preparing, busy.state.phase),
    { ...hibernatingIdle(NOW), agent: preparing.agent },
  ],
  ["preparation_ended_unsaid", preparing, withPhase(preparing, busy.state.phase)],
];

function byObserver(event: InstanceEvent): DecidedBy {
  return { event, policy: compilePolicy(mergePolicy({ mode: "observe" })) };
}

function by(overrides: PolicyOverrides): DecidedBy {
  return { event: { type: "alarm", dueAt: NOW }, policy: compilePolicy(mergePolicy(overrides)) };
}

function hibernatingByPlan(warnedAt: number | null): InstanceState {
  const state = hibernatingIdle(NOW);
  if (state.phase.status !== "hibernating") throw new Error("it is not hibernating");
  const plannedStops = [{ because: "schedule" as const, dueAt: NOW, warnedAt, toldAt: null, failed: null }];
  return { ...state, phase: { ...state.phase, reason: "owner", because: "schedule" }, plannedStops };
}

/** One that is hibernated for its silence. */
function wokenBySchedule(): InstanceState {
  const waking = withPhase(hibernated, {
    status: "waking",
    action: { ...action, kind: "wake" },
    reason: "silence",
    confirmedAt: null,
  });
  return record(waking, {
    at: NOW,
    kind: "waking",
    severity: "info",
    message: "",
    detail: { rule: "schedule" },
  });
}

function atLambda(state: InstanceState): InstanceState {
  if (state.phase.status !== "hibernating") throw new Error("it is not hibernating");
  const { phase, profile } = state;
  const action = { ...phase.action, machine: { ...phase.action.machine, provider: "lambda" as const } };
  return { ...state, phase: { ...phase, action }, profile: { ...profile, provider: "lambda" } };
}

function hibernatedPhase(): Extract<Phase, { status: "hibernated" }> {
  if (hibernated.phase.status !== "hibernated") throw new Error("it is not hibernated");
  return hibernated.phase;
}

function unconfirmed(): InstanceState {
  const openLook = { askAt: NOW, tries: 0, failingSince: null, isTold: false };
  return withPhase(hibernated, { ...hibernatedPhase(), openLook });
}

describe("an invariant", () => {
  it.for(BROKEN)("%s is missed", ([invariant, before, after, by]) => {
    const isOfAStep = breachesOf(null, after, NOW).every((breach) => breach !== invariant);
    expect(breachesOf(isOfAStep ? before : null, after, NOW, by)).toContain(invariant);
  });

  it.each<[string, InstanceEvent, boolean]>([
    ["time alone", { type: "alarm", dueAt: NOW }, false],
    ["a heartbeat", { type: "heartbeat", report: {} }, false],
    ["the guard", { type: "guard.permitted", step: "hibernate", openedAt: null }, false],
    ["a budget", { type: "hibernate.requested", round: roundBy("budget") }, false],
    ["a person who asks for many", { type: "hibernate.requested", round: roundBy("kill_switch") }, true],
    ["a person who asks for it", { type: "hibernate.requested" }, true],
  ])("lets %s order under a policy that observes: %s", (_, event, may) => {
    const breaches = breachesOf(idle.state, hibernatingIdle(NOW), NOW, byObserver(event));
    expect(breaches.includes("ordered_while_observing")).toBe(!may);
  });

  it("is each tried here", () => {
    expect(new Set(BROKEN.map(([invariant]) => invariant))).toEqual(new Set(Object.keys(INVARIANTS)));
  });

  it("that was broken before is not held against the next step", () => {
    const broken = withCounters(busy.state, { missed: -1 });
    expect(breachesOf(null, broken, NOW)).toEqual(["counter_negative"]);
    expect(breachesOf(broken, heard(broken), NOW)).toEqual([]);
  });

  it("is not broken by a clock that was set back", () => {
    const earlier = at("3:00");
    const late = heard(busy.state, { at: earlier });
    expect(breachesOf(busy.state, withClock(late, { lastHeartbeatAt: earlier }), earlier)).toEqual([]);
    expect(breachesOf(orphaned.state, withOrphan(orphaned.state, { since: at("1:30") }), at("2:00"))).toEqual(
      [],
    );
  });

  it("holds of every effect that is replaced, and of no chunk that is gone, whatever is said of it", () => {
    const waiting = changed(busy.state, { outbox: [{ id: 1, effect: projection }] });
    const anew = changed(busy.state, {
      outbox: [{ id: busy.state.nextEffectId, effect: projection }],
      nextEffectId: busy.state.nextEffectId + 1,
    });
    expect(breachesOf(waiting, anew, NOW)).toEqual([]);
    expect(breachesOf(busy.state, lostHistory, NOW)).toEqual(["heartbeat_lost"]);
    const chunk = changed(busy.state, {
      outbox: [{ id: 1, effect: { type: "chunk", heartbeats: busy.state.recent } }],
    });
    expect(breachesOf(chunk, lostHistory, NOW)).toEqual(["effect_dropped", "heartbeat_lost"]);
    expect(breachesOf(chunk, anew, NOW)).toEqual(["effect_dropped"]);
  });
});

function roundBy(by: HibernationRound["by"]): HibernationRound {
  return { by, askedAt: NOW, onlyIdle: true, status: null, keepAliveUpTo: 0 };
}

describe("a number that is none", () => {
  /** Each place of a number in the value, as a function that puts another there. */
  function places(value: unknown): ((other: number) => unknown)[] {
    if (typeof value === "number") return [(other) => other];
    if (Array.isArray(value)) {
      return value.flatMap((one, index) =>
        places(one).map((put) => (other: number) => value.with(index, put(other))),
      );
    }
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, one]) =>
      places(one).map((put) => (other: number) => ({ ...value, [key]: put(other) })),
    );
  }

  it.each([
    ["busy", busy.state],
    ["idle", idle.state],
    ["orphaned", orphaned.state],
    ["hibernated", hibernated],
    ["being deleted", deleting.state],
    ["with effects", lostHistory],
  ])("is found anywhere in the state of one that is %s", (_, state) => {
    const all = places(state);
    expect(all.length).toBeGreaterThan(20);
    for (const put of all) {
      // biome-ignore lint/suspicious/noExplicitAny: the same state but for one number
      const spoilt = put(Number.NaN) as any;
      expect(breachesOf(state, spoilt, NOW)).toContain("number_not_finite");
    }
  });
});

describe("what stands in place of a decision that broke an invariant", () => {
  const kinds = ({ outbox }: InstanceState) =>
    outbox.flatMap(({ effect }) => (effect.type === "event" ? [effect.event.kind] : []));
  const heartbeat = { type: "heartbeat", report: {} } as const;

  it("is the former state, with an event for each breach that waits there once", () => {
    const once = withhold(busy.state, { type: "cleanup" }, ["chunk_empty", "counter_fell"], busy.policy, NOW);
    expect({ ...once, outbox: [], nextEffectId: 0 }).toEqual({ ...busy.state, outbox: [], nextEffectId: 0 });
    expect(once.outbox).toMatchObject([
      {
        effect: {
          event: {
            id: "breach-chunk_empty",
            kind: "invariant_breached",
            severity: "critical",
            message:
              "A defect of the service: a decision was not carried out, since it would have broken that a chunk holds heartbeats. The instance stands as before",
            detail: { invariant: "chunk_empty", decided_upon: "cleanup" },
          },
        },
      },
      { effect: { event: { id: "breach-counter_fell" } } },
    ]);
    expect(withhold(once, { type: "cleanup" }, ["chunk_empty"], busy.policy, NOW + 1)).toBe(once);
    const nextHour = withhold(once, { type: "cleanup" }, ["chunk_empty"], busy.policy, NOW + 3_600_000);
    expect(nextHour.outbox).toHaveLength(3);
  });

  it("upon a heartbeat does not delete the machine that sent it, unless the delete is on its way", () => {
    const spared = withhold(deleting.state, heartbeat, [], deleting.policy, deleting.now + 1);
    expect(spared.phase).toMatchObject({ status: "hibernated" });
    expect(kinds(spared)).toEqual(["delete_failed"]);
    const taken = withPhase(deleting.state, {
      ...deletingIn(deleting.state),
      action: { ...action, handover: { state: "accepted", at: deleting.now } },
    });
    expect(withhold(taken, heartbeat, [], deleting.policy, deleting.now + 1).phase).toEqual(taken.phase);
  });

  it("upon anything else leaves an order as it is", () => {
    expect(withhold(deleting.state, { type: "cleanup" }, [], deleting.policy, deleting.now + 1)).toBe(
      deleting.state,
    );
  });
});
