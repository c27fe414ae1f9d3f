import type { PendingEffect } from "../lifecycle/model/effects.ts";
import type { HeartbeatReport } from "../lifecycle/model/heartbeat.ts";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { type Action, type Hibernated, isAsleep, orphanOf, preparationOf } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { putTimeDown } from "../lifecycle/rules/costs.ts";
import { isHeardInTime } from "../lifecycle/rules/heard-in-time.ts";
import { dueLook } from "../lifecycle/rules/look.ts";
import { nextCleanup } from "./cleanup-time.ts";
import { backlogOf, type UnnumberedReading } from "./late.ts";
import { Line, type Watch } from "./line.ts";
import type { Past } from "./past.ts";

/**
 * A machine that obeys: what the policy orders is done at once, and it beats as it did in the past while it is on. Off it says nothing, and
 * comes back as long after a wake as its wakes took.
 */
export class Machine {
  readonly #past: Past;
  readonly #policy: Policy;
  readonly #line: Line;
  readonly #see: (event: HistoryEvent) => void;
  /** When a wake under way brings it back. */
  #backAt: number | null = null;
  #passedAt = 0;
  /** It was started where it is rented, and the service learns of it by its next heartbeat. */
  #isStarted = false;
  #offSince: number;
  #isOffByPolicy = false;
  #hasQuestion = false;
  #sequence = 0;
  hibernations = 0;
  deletions = 0;
  regrets = 0;

  /** `see`: takes each event. `watch`: takes each step, for tests. */
  constructor(past: Past, policy: Policy, see: (event: HistoryEvent) => void, watch?: Watch) {
    this.#past = past;
    this.#policy = policy;
    this.#see = see;
    const { beginning, begunAt } = past;
    this.#offSince = begunAt;
    if (beginning.phase.status === "hibernated") this.#turnedOff(beginning.phase, beginning.phase.since);
    this.#line = new Line(beginning, policy, begunAt, (effects) => this.#take(effects), watch);
    this.#line.resume(beginning, begunAt);
    this.#settle(begunAt);
  }

  get state(): InstanceState {
    return this.#line.state;
  }

  /** Also of what the service was not told, such as that it came back by itself. */
  get now(): number {
    return Math.max(this.#line.now, this.#passedAt);
  }

  get isOff(): boolean {
    return isKnownOff(this.state) && (this.#backAt !== null || !this.#isStarted);
  }

  /** Since when, where it is. */
  get offSince(): number {
    return this.#offSince;
  }

  /** When a wake under way brings it back; null without one. */
  get backAt(): number | null {
    return this.#backAt;
  }

  /** When anything happens by itself. */
  get nextAt(): number {
    return Math.min(
      this.#backAt ?? Number.POSITIVE_INFINITY,
      this.#line.wakeAt ?? Number.POSITIVE_INFINITY,
      this.#preparedAt() ?? Number.POSITIVE_INFINITY,
      this.#cleanupAt(),
    );
  }

  /** What happens by itself at this moment, which is `nextAt`. */
  pass(at: number): void {
    this.#passedAt = at;
    const isBack = this.#backAt !== null && this.#backAt <= at;
    const preparedAt = this.#preparedAt();
    const isDue = this.#line.wakeAt !== null && this.#line.wakeAt <= at;
    if (isBack) this.#comeBack(at);
    else if (preparedAt !== null && preparedAt <= at) this.#sayPrepared(at);
    else if (isDue) this.#alarm(at);
    else this.#apply({ type: "cleanup" }, at);
  }

  /** Its heartbeat. `late`: what it had not told before, as it stands in a backlog. */
  hear(report: HeartbeatReport, at: number, late: readonly UnnumberedReading[] = []): void {
    const numbered = late.length === 0 ? {} : this.#backlog(late);
    this.#apply({ type: "heartbeat", report: { ...report, ...this.#ofHooks(at), ...numbered } }, at);
    if (!isKnownOff(this.state)) this.#isStarted = false;
  }

  /** Goes on from this state: what lies between is passed over. */
  passTo(state: InstanceState, at: number): void {
    this.#line.resume(state, at);
  }

  keepAlive(until: number, at: number): void {
    if (until > at) this.#apply({ type: "keep_alive", durationMs: until - at }, at);
  }

  hibernate(at: number): void {
    this.#apply({ type: "hibernate.requested" }, at);
  }

  /** Somebody starts it, and it is back at `backAt`. Nothing happens to one that is on, on its way, or deleted. */
  wake(at: number, backAt: number): void {
    if (this.state.phase.status !== "hibernated" || this.#isStarted) return;
    if (this.#isOffByPolicy && at - this.#offSince <= this.#policy.regretMs) this.regrets += 1;
    this.#isStarted = true;
    this.#backAt = backAt;
    this.#apply({ type: "wake.requested" }, at);
  }

  /** Its provider has it no more. */
  vanish(at: number): void {
    this.#line.resume({ ...putTimeDown(this.state, at), phase: { status: "deleted", at } }, at);
    this.#leaveOff(at);
  }

  /** It is there again, and beats. */
  reappear(): void {
    if (this.state.phase.status === "deleted") this.#isStarted = true;
  }

  /** Its owner watches another machine in its place, which runs. */
  move(at: number): void {
    const { state } = this;
    if (state.phase.status === "waking") {
      this.#line.resume({ ...putTimeDown(state, at), phase: { status: "running", idle: null } }, at);
    }
    this.#leaveOff(at);
    const changes = { providerRef: `${state.profile.providerRef ?? ""}+${at}` };
    this.#apply({ type: "changed", changes, sighted: null }, at);
  }

  #leaveOff(at: number): void {
    this.#offSince = at;
    this.#backAt = null;
    this.#isStarted = false;
  }

  #apply(event: InstanceEvent, at: number): void {
    this.#line.apply(event, at);
    this.#settle(at);
  }

  #take(effects: readonly PendingEffect[]): void {
    for (const { effect } of effects) {
      if (effect.type === "event") this.#see(effect.event);
      if (effect.type === "guard") this.#hasQuestion = true;
    }
  }

  #alarm(at: number): void {
    this.#line.alarm(at);
    this.#lookIfDue(at);
    this.#settle(at);
  }

  /** Answers and obeys until nothing is asked any more. Each order leads on, so there are few. */
  #settle(at: number): void {
    for (let steps = 0; steps < MAXIMUM_STEPS; steps++) {
      const { phase } = this.state;
      if (this.#hasQuestion) {
        this.#hasQuestion = false;
        this.#answerGuard(at);
      } else if (phase.status === "hibernating") {
        this.#obey(phase.action, at);
        if (this.state.phase.status === "hibernated") {
          this.hibernations += 1;
          this.#turnedOff(this.state.phase, at);
        }
      } else if (phase.status === "deleting") {
        this.#obey(phase.action, at);
        this.deletions += 1;
        if (phase.hibernated === null) this.#offSince = at;
      } else if (phase.status === "waking" && phase.action.handover.state !== "accepted") {
        this.#accept(phase.action.id, at);
        this.#isStarted = true;
        this.#backAt ??= at + this.#past.wakeMs;
      } else return;
    }
  }

  #turnedOff(phase: Hibernated, at: number): void {
    this.#leaveOff(at);
    this.#isOffByPolicy = isByPolicy(phase);
  }

  #accept(actionId: string, at: number): void {
    this.#line.apply({ type: "action.tried", actionId }, at);
    this.#line.apply({ type: "action.accepted", actionId }, at);
  }

  #obey({ id, kind }: Action, at: number): void {
    this.#accept(id, at);
    const snapshotId = kind === "delete" && this.#policy.orphan.snapshotBeforeDelete ? "a snapshot" : null;
    this.#line.apply({ type: "action.succeeded", actionId: id, snapshotId, confirmedBy: REPLAY }, at);
  }

  #comeBack(at: number): void {
    this.#backAt = null;
    const { phase } = this.state;
    if (phase.status !== "waking") return;
    const { id } = phase.action;
    this.#apply({ type: "action.succeeded", actionId: id, snapshotId: null, confirmedBy: REPLAY }, at);
  }

  /** As it answered then. */
  #answerGuard(at: number): void {
    const step = orphanOf(this.state.phase)?.guard?.step;
    if (step === undefined) return;
    const { guardClosed } = this.#past.story;
    const isClosed = guardClosed.some(({ from, to }) => from <= at && at < to);
    const openedAt = guardClosed.findLast(({ to }) => to <= at)?.to ?? null;
    const answer = isClosed
      ? ({ type: "guard.deferred", step } as const)
      : ({ type: "guard.permitted", step, openedAt } as const);
    this.#line.apply(answer, at);
  }

  /** One of which nobody knows how it stands is taken to stand as it is kept. */
  #lookIfDue(at: number): void {
    const machine = dueLook(this.state, this.#policy, at);
    if (machine === null) return;
    this.#line.apply({ type: "look.begun" }, at);
    this.#line.apply({ type: "looked", machine, answer: { shows: "stopped" }, sighted: null }, at);
  }

  #ofHooks(at: number): HeartbeatReport {
    if (this.#past.prepareMs === null) return {};
    const preparation = preparationOf(this.state.phase);
    if (preparation === null) return { hooks: ["prepare"] };
    const isOver = at >= preparation.beganAt + this.#past.prepareMs;
    return {
      hooks: ["prepare"],
      preparation: {
        id: preparation.id,
        state: isOver ? "succeeded" : "running",
        seconds: Math.max(0, at - preparation.beganAt) / SECOND_MS,
      },
    };
  }

  /** When its hooks have ended; null where none run, or it has fallen silent. */
  #preparedAt(): number | null {
    const { prepareMs } = this.#past;
    const preparation = preparationOf(this.state.phase);
    if (prepareMs === null || preparation === null || preparation.heard?.state === "succeeded") return null;
    const at = Math.max(this.now, preparation.beganAt + prepareMs);
    return at < preparation.limitAt && isHeardInTime(this.state, this.#policy, at) ? at : null;
  }

  /** It says so at once, and shows nothing else. */
  #sayPrepared(at: number): void {
    const { story } = this.#past;
    this.hear({ gpu_utilization: story.hasGpu ? 0 : null, cpu_utilization: 0 }, at);
  }

  #backlog(late: readonly UnnumberedReading[]): HeartbeatReport {
    const first = this.#sequence + 1;
    this.#sequence += late.length + 1;
    return { boot_id: REPLAY_BOOT, sequence: this.#sequence, backlog: backlogOf(late, first) };
  }

  /** The daily cleanup, which concerns orphans alone. */
  #cleanupAt(): number {
    const { phase } = this.state;
    if (phase.status !== "orphaned" && phase.status !== "hibernated") return Number.POSITIVE_INFINITY;
    return orphanOf(phase) === null ? Number.POSITIVE_INFINITY : nextCleanup(this.now);
  }
}

const REPLAY = "the replay";
const REPLAY_BOOT = "replay";

const MAXIMUM_STEPS = 16;

/** Whether the service takes it to be off. */
function isKnownOff({ phase }: InstanceState): boolean {
  return isAsleep(phase) || phase.status === "deleted";
}

/** Whether its policy had it hibernated, and not somebody's word. */
function isByPolicy({ reason, because }: Pick<Hibernated, "reason" | "because">): boolean {
  if (because === "schedule" || because === "max_runtime") return true;
  return because === undefined && (reason === "idle" || reason === "silence");
}
