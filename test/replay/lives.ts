import fc from "fast-check";
import { fromSample, toSample } from "../../src/history/sample.ts";
import { sayFormer } from "../../src/lifecycle/model/former-settings.ts";
import type { HeartbeatReport, LateReading } from "../../src/lifecycle/model/heartbeat.ts";
import type { InstanceEvent, LookAnswer } from "../../src/lifecycle/model/instance-event.ts";
import { preparationOf } from "../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { machineOf } from "../../src/lifecycle/model/state.ts";
import { MINUTE_MS, SECOND_MS } from "../../src/lifecycle/model/time.ts";
import { DAYS } from "../../src/lifecycle/model/windows.ts";
import { actionOf, takesOrdersByAnswer } from "../../src/lifecycle/rules/order.ts";
import { policiesOf } from "../../src/replay/policies.ts";
import type { PastEvent, Story } from "../../src/replay/story.ts";
import { START, Timeline } from "../lifecycle/timeline.ts";

/** Random lives, kept as the history keeps them: samples of readings, and rows of events. */

type Use = keyof typeof USES;

/** What a machine does. */
const USES = {
  "at work": { gpu_utilization: 60, gpu_utilization_max: 97 },
  "just at work": { gpu_utilization: 5 },
  idle: { gpu_utilization: 1, gpu_utilization_max: 4.9 },
  "idle, and an agent of before": { gpu_utilization: 0 },
  "in bursts": { gpu_utilization: 1, gpu_utilization_max: 88 },
  unread: { gpu_utilization: null },
  "in part unread": {
    gpus: [
      { index: 0, utilization: 1 },
      { index: 1, utilization: null },
    ],
  },
  "used by people": { gpu_utilization: 1, sources: [{ name: "ssh_connections", value: 1 }] },
  "used by programs": {
    gpu_utilization: 1,
    sources: [
      { name: "work_jobs", value: 3 },
      { name: "cpu_cores", value: 0.1 },
    ],
  },
  "used by few programs": { gpu_utilization: 1, sources: [{ name: "cpu_cores", value: 0.4 }] },
  "with a broken script": { gpu_utilization: 1, sources: [{ name: "script_x", value: null }] },
  "used, as agents of before say": {
    gpu_utilization: 1,
    activity: { ssh_sessions: 2, busy_jupyter_kernels: 0 },
  },
  "without a GPU": { cpu_utilization: 2 },
} satisfies Record<string, HeartbeatReport>;

export type Step =
  | {
      readonly type: "beats";
      readonly use: Use;
      readonly count: number;
      readonly says: "hibernating" | "reclaimed" | null;
    }
  | { readonly type: "silence"; readonly minutes: number }
  /** It cannot reach the service, and sends what it has read meanwhile with its next heartbeat. */
  | { readonly type: "cut off"; readonly use: Use; readonly minutes: number }
  /** The service is away: its alarm comes late. */
  | { readonly type: "absence"; readonly minutes: number }
  /** The same heartbeat once more. */
  | { readonly type: "repeated" }
  | { readonly type: "order"; readonly does: "try" | "refuse" | "accept" | "succeed" | "fail" | "all" }
  | { readonly type: "guard"; readonly permits: boolean }
  | {
      readonly type: "provider";
      readonly says:
        | "running"
        | "stopped"
        | "terminated"
        | "not listed"
        | "looked running"
        | "looked stopped"
        | "looked gone"
        | "looked unknown";
    }
  | {
      readonly type: "person";
      readonly does: "keep alive" | "hibernate" | "hibernate at once" | "wake" | "all" | "idle" | "move";
    }
  | { readonly type: "policy"; readonly overrides: PolicyOverrides }
  | { readonly type: "cleanup" }
  | { readonly type: "resumed" };

const days = [...DAYS];

type Window = { days: typeof days; from: string; to: string };

const overridesOf: fc.Arbitrary<PolicyOverrides> = fc.record({
  mode: fc.constantFrom("act" as const, "act" as const, "act" as const, "act" as const, "observe" as const),
  heartbeat_interval_seconds: fc.constantFrom(60, 60, 60, 30),
  idle: fc.record({
    enabled: fc.constantFrom(true, true, true, true, false),
    metric: fc.constantFrom("gpu" as const, "gpu" as const, "auto" as const),
    threshold_percent: fc.constantFrom(5, 5, 5, 3, 10),
    warn_after_seconds: fc.constantFrom(180, 180, 300),
    hibernate_after_seconds: fc.constantFrom(300, 480, 900),
    respect_activity: fc.constantFrom(true, true, true, false),
    prepare_max_seconds: fc.constantFrom(600, 240, 0),
  }),
  orphan: fc.record({
    act_on_never_heard: fc.boolean(),
    delete_after_days: fc.constantFrom(7, 0.3, null),
    hibernate_after_seconds: fc.constantFrom(1800, 900),
  }),
  guard: fc.record({ enabled: fc.constantFrom(true, true, false) }),
  max_runtime_hours: fc.constantFrom(null, null, null, 3),
  schedule: fc.record({
    awake: fc.oneof(
      { weight: 4, arbitrary: fc.constant<Window[]>([]) },
      fc.subarray([
        { days, from: "00:00", to: "01:00" },
        { days, from: "02:20", to: "03:05" },
        { days, from: "05:00", to: "12:00" },
      ]),
    ),
    outside: fc.constantFrom("hibernate" as const, "idle_rules" as const),
    wake_at_start: fc.boolean(),
  }),
  maintenance: fc.record({
    windows: fc.oneof(
      { weight: 4, arbitrary: fc.constant<Window[]>([]) },
      fc.constant<Window[]>([{ days, from: "01:30", to: "04:00" }]),
    ),
  }),
});

const use: fc.Arbitrary<Use> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("at work" as const) },
  { weight: 4, arbitrary: fc.constant("idle" as const) },
  { weight: 3, arbitrary: fc.constantFrom(...(Object.keys(USES) as Use[])) },
);

const minutes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
  { weight: 2, arbitrary: fc.integer({ min: 10, max: 150 }) },
);

function one<T extends Step["type"]>(type: T) {
  return fc.constant(type);
}

export interface Mix {
  /** What leaves no trace in the history: an absence of the service, a heartbeat that was repeated, late readings. */
  readonly untold: boolean;
}

function stepOf({ untold }: Mix): fc.Arbitrary<Step> {
  const told: fc.WeightedArbitrary<Step>[] = [
    {
      weight: 10,
      arbitrary: fc.record({
        type: one("beats"),
        use,
        count: minutes,
        says: fc.oneof(
          { weight: 12, arbitrary: fc.constant(null) },
          fc.constantFrom("hibernating" as const, "reclaimed" as const),
        ),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: one("silence"),
        minutes: fc.oneof(minutes, fc.integer({ min: 1, max: 900 })),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        type: one("order"),
        does: fc.constantFrom("try", "refuse", "accept", "succeed", "fail", "all", "all", "all"),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ type: one("guard"), permits: fc.constantFrom(true, true, true, false) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: one("provider"),
        says: fc.constantFrom(
          "running",
          "stopped",
          "terminated",
          "not listed",
          "looked running",
          "looked stopped",
          "looked gone",
          "looked unknown",
        ),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        type: one("person"),
        does: fc.constantFrom(
          "keep alive",
          "hibernate",
          "hibernate at once",
          "wake",
          "wake",
          "all",
          "idle",
          "move",
        ),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: one("policy"), overrides: overridesOf }) },
    { weight: 1, arbitrary: fc.record({ type: one("cleanup") }) },
    { weight: 1, arbitrary: fc.record({ type: one("resumed") }) },
  ];
  const others: fc.WeightedArbitrary<Step>[] = [
    { weight: 2, arbitrary: fc.record({ type: one("cut off"), use, minutes }) },
    { weight: 1, arbitrary: fc.record({ type: one("absence"), minutes }) },
    { weight: 1, arbitrary: fc.record({ type: one("repeated") }) },
  ];
  return fc.oneof(...told, ...(untold ? others : []));
}

/** Idle until it is hibernated, and then woken. */
const rest = fc.record({ minutes, gone: minutes }).map(({ minutes: count, gone }): Step[] => [
  { type: "beats", use: "idle", count, says: null },
  { type: "order", does: "all" },
  { type: "silence", minutes: gone },
  { type: "person", does: "wake" },
  { type: "order", does: "all" },
]);

/** Silent until it is hibernated for that. */
const loss = fc.constant<Step[]>([
  { type: "beats", use: "at work", count: 5, says: null },
  { type: "silence", minutes: 40 },
  { type: "guard", permits: true },
  { type: "order", does: "all" },
  { type: "silence", minutes: 600 },
  { type: "cleanup" },
  { type: "guard", permits: true },
  { type: "order", does: "all" },
]);

export interface LifePlan {
  readonly provider: "agent" | "webhook" | "ec2" | "lambda" | "none";
  readonly hooks: boolean;
  readonly overrides: PolicyOverrides;
  readonly steps: readonly Step[];
  /** Of the clock, within a minute. */
  readonly jitter: number;
}

export function lifePlan(mix: Mix): fc.Arbitrary<LifePlan> {
  return fc.record({
    provider: fc.constantFrom("agent", "webhook", "webhook", "webhook", "ec2", "lambda", "none"),
    hooks: fc.boolean(),
    overrides: fc.oneof(overridesOf, fc.constant({})),
    steps: fc
      .array(
        fc.oneof(
          { weight: 8, arbitrary: stepOf(mix).map((each) => [each]) },
          { weight: 1, arbitrary: rest },
          { weight: 1, arbitrary: loss },
        ),
        { minLength: 1, maxLength: 30 },
      )
      .map((parts) => parts.flat()),
    jitter: fc.integer({ min: 1, max: 9999 }),
  });
}

/** A life as its steps have it. No two things from outside happen in the same millisecond. */
export class Life extends Timeline {
  readonly #hooks: boolean;
  readonly #jitter: number;
  #turns = 0;
  #sequence = 0;
  #moves = 0;
  #overrides: PolicyOverrides;

  constructor({ provider, hooks, overrides, jitter, steps }: LifePlan) {
    super({ provider, overrides });
    this.#hooks = hooks;
    this.#jitter = jitter;
    this.#overrides = overrides;
    for (const step of steps) this.#take(step);
    this.drain();
  }

  /** A little later. */
  #pass(ms: number): void {
    this.#turns += 1;
    this.until(this.now + ms + ((this.#turns * this.#jitter) % 1999) + 1);
  }

  #beat(report: HeartbeatReport, backlog: readonly LateReading[] = []): void {
    this.#sequence += backlog.length + 1;
    this.heartbeat({
      ...report,
      ...this.#saysOfHooks(),
      boot_id: "1",
      sequence: this.#sequence,
      backlog: [...backlog],
    });
  }

  #saysOfHooks(): HeartbeatReport {
    if (!this.#hooks) return {};
    const preparation = preparationOf(this.state.phase);
    if (preparation === null) return { hooks: ["prepare"] };
    const seconds = Math.round((this.now - preparation.beganAt) / SECOND_MS);
    // Some take longer than they may.
    const state =
      this.#turns % 7 === 0 ? "failed" : seconds > 60 * (1 + (this.#jitter % 12)) ? "succeeded" : "running";
    return {
      hooks: ["prepare"],
      status: state === "succeeded" ? "prepared" : "preparing",
      preparation: { id: preparation.id, state, seconds },
    };
  }

  #take(step: Step): void {
    switch (step.type) {
      case "beats":
        for (let count = 0; count < step.count; count += 1) {
          this.#pass(this.policy.intervalMs);
          const said =
            step.says === null
              ? {}
              : {
                  status: step.says,
                  ...(step.says === "reclaimed" ? { reclaim: { by: "ec2" as const, in_seconds: 120 } } : {}),
                };
          this.#beat({ status: "running", ...USES[step.use], ...said });
        }
        return;
      case "silence":
        this.#pass(step.minutes * MINUTE_MS);
        return;
      case "cut off": {
        this.#pass(step.minutes * MINUTE_MS);
        const report: HeartbeatReport = USES[step.use];
        const gpu = report.gpu_utilization ?? null;
        const backlog = Array.from(
          { length: step.minutes },
          (_, index): LateReading => [
            this.#sequence + index + 1,
            60 * (step.minutes - index - 0.5),
            gpu,
            null,
            null,
            null,
            null,
            null,
          ],
        );
        this.#beat(report, backlog);
        return;
      }
      case "absence": {
        this.now += step.minutes * MINUTE_MS + 1;
        const dueAt = this.armedAt;
        if (dueAt === null || dueAt > this.now) return;
        this.armedAt = null;
        this.command({ type: "alarm", dueAt });
        return;
      }
      case "repeated": {
        if (this.#sequence === 0) return;
        this.#pass(5 * SECOND_MS);
        this.heartbeat({ ...USES.idle, boot_id: "1", sequence: this.#sequence });
        return;
      }
      case "order":
        this.#pass(2000);
        this.#carryOut(step.does);
        return;
      case "guard":
        this.#pass(1000);
        this.answerGuard(step.permits);
        return;
      case "provider":
        this.#pass(1000);
        this.command(this.#said(step.says));
        return;
      case "person":
        this.#pass(1000);
        this.command(this.#asked(step.does));
        return;
      case "policy":
        this.#pass(1000);
        this.#setPolicy(step.overrides);
        return;
      case "cleanup":
        this.#pass(1000);
        this.command({ type: "cleanup" });
        return;
      case "resumed":
        this.#pass(1000);
        this.command({ type: "resumed", origin: "restore", knownUntil: this.now });
    }
  }

  #carryOut(does: Extract<Step, { type: "order" }>["does"]): void {
    const action = actionOf(this.state);
    if (action === null) return;
    const { id: actionId } = action;
    const byAnswer = takesOrdersByAnswer(action.machine);
    const says = (type: "action.tried" | "action.refused" | "action.accepted") => {
      if (!byAnswer) this.command({ type, actionId });
    };
    switch (does) {
      case "try":
        says("action.tried");
        return;
      case "refuse":
        says("action.refused");
        return;
      case "accept":
        says("action.accepted");
        return;
      case "succeed":
        if (!byAnswer) this.succeed("snap-1");
        return;
      case "fail":
        if (!byAnswer) this.fail();
        return;
      case "all":
        says("action.tried");
        this.#pass(1000);
        says("action.accepted");
        this.#pass(20_000);
        if (!byAnswer && this.actionId === actionId) this.succeed("snap-1");
    }
  }

  #said(says: Extract<Step, { type: "provider" }>["says"]): InstanceEvent {
    const sighted = { at: this.now - 30 * SECOND_MS, credentialsSetAt: 0, gpus: null };
    const looked = (answer: LookAnswer): InstanceEvent => ({
      type: "looked",
      machine: machineOf(this.state.profile),
      answer,
      sighted: null,
    });
    switch (says) {
      case "running":
      case "stopped":
      case "terminated":
        return { type: "machine.listed", shown: says, stoppedUntil: null, hourlyCost: null, sighted };
      case "not listed":
        return {
          type: "machine.vanished",
          listedAt: sighted.at,
          seenAt: sighted.at - MINUTE_MS,
          credentialsSetAt: 0,
        };
      case "looked running":
        return looked({ shows: "running" });
      case "looked stopped":
        return looked({ shows: "stopped" });
      case "looked gone":
        return looked({ shows: "gone" });
      case "looked unknown":
        return looked({ shows: "unknown", because: "it does not say", isPassing: false });
    }
  }

  #asked(does: Extract<Step, { type: "person" }>["does"]): InstanceEvent {
    switch (does) {
      case "keep alive":
        return { type: "keep_alive", durationMs: (5 + (this.#turns % 40)) * MINUTE_MS };
      case "hibernate":
        return { type: "hibernate.requested" };
      case "hibernate at once":
        return { type: "hibernate.requested", prepare: false };
      case "wake":
        return { type: "wake.requested" };
      case "all":
      case "idle": {
        const by = this.#turns % 2 === 0 ? "budget" : "kill_switch";
        const round = {
          by,
          askedAt: this.now,
          onlyIdle: does === "idle",
          status: null,
          keepAliveUpTo: 0,
        } as const;
        return { type: "hibernate.requested", round };
      }
      case "move":
        this.#moves += 1;
        return { type: "changed", changes: { providerRef: `ref-${this.#moves}` }, sighted: null };
    }
  }

  #setPolicy(overrides: PolicyOverrides): void {
    const former = this.policy;
    const formerSettings = sayFormer(mergePolicy(this.#overrides), mergePolicy(overrides));
    this.#overrides = overrides;
    this.policy = compilePolicy(mergePolicy(overrides));
    this.command({ type: "policy.changed", former, formerSettings });
  }

  /** What D1 would hold of it, read back. */
  story(from = START, to = this.now): Story {
    const heartbeats = [
      ...this.effects.flatMap((effect) => (effect.type === "chunk" ? effect.heartbeats : [])),
      ...(this.state.unflushed === 0 ? [] : this.state.recent.slice(-this.state.unflushed)),
    ];
    const rows: unknown[] = JSON.parse(JSON.stringify(heartbeats.map(toSample)));
    const readings = rows
      .map((row, index) => fromSample(row, index + 1))
      .filter((reading) => reading !== null);
    const events = this.events
      .map(
        ({ id, at, kind, detail }): PastEvent => ({
          id,
          at,
          kind,
          detail: JSON.parse(JSON.stringify(detail)),
        }),
      )
      .toSorted(
        (one, other) => one.at - other.at || Number.parseInt(one.id, 36) - Number.parseInt(other.id, 36),
      );
    const present = { settings: mergePolicy(this.#overrides), suspended: false };
    return {
      instanceId: "rig-1",
      profile: this.state.profile,
      hasGpu: this.state.agent.hasGpu,
      from,
      to,
      readings: readings.filter(({ at }) => at >= from && at <= to),
      hours: [],
      events: events.filter(({ at }) => at <= to),
      policies: policiesOf(present, events, { from, to }),
      guardClosed: [],
    };
  }
}
