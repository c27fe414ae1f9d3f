import type { PolicyOverrides } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import type { Guard } from "../lifecycle/rules/outage-guard.ts";
import { firesBy } from "../platform/alarm.ts";
import { logError, logWarning } from "../platform/log.ts";
import { readSettings } from "../platform/settings.ts";
import { within } from "../platform/within.ts";
import { noteStandings } from "./connections.ts";
import { Fleet } from "./fleet.ts";
import { isImported, startFleet, UserDeleted } from "./import/import.ts";
import { CHANGED, READY } from "./keeper.ts";
import { LivePush } from "./live/live.ts";
import { type OperatorAnswer, type OperatorRequest, operate } from "./operator.ts";
import {
  type Admission,
  laterThan,
  type Reading,
  type Report,
  type ReportAnswer,
  toldPolicy,
  USER_DELETED,
  type UserPolicy,
} from "./report.ts";
import type { PolicyContradiction } from "./rules/policy-contradiction.ts";
import { isPolicySure, serviceGuard } from "./rules/state.ts";
import { ServiceDialogue } from "./service-dialogue.ts";
import { type AccountAnswer, type AccountRequest, carryOut, ERASED } from "./tasks/account.ts";
import { scheduleBudget } from "./tasks/budget.ts";
import { scheduleClosing } from "./tasks/close-costs.ts";
import { scheduleReport } from "./tasks/cost-report.ts";
import { bringPolicy, bringPolicyTo } from "./tasks/policy.ts";
import { runDueTasks } from "./tasks/tasks.ts";
import { isServiceGuardFresh } from "./tasks/totals.ts";
import { FleetUpkeep } from "./upkeep.ts";

/** An alarm whose tasks all failed must not fire again at once. */
const SHORTEST_ALARM_MS = SECOND_MS / 10;

/** A request to a fleet that is still importing waits at most this long. */
const START_LIMIT_MS = 20 * SECOND_MS;

/** An alarm that failed as a whole fires again after this long. */
const FAILED_ALARM_RETRY_MS = 60 * SECOND_MS;

/**
 * One user's fleet: what is known of all instances together, what of it must be told, and one alarm for whatever waits. Its
 * instances report; it never waits for one of them while it answers a report, since they wait for that answer.
 */
export class FleetActor extends FleetUpkeep {
  #fleet: Fleet | null = null;
  #starting: Promise<void> | null = null;
  /** What the alarm is set for. */
  #armedAt: number | null = null;
  readonly #live: LivePush;
  readonly #service: ServiceDialogue;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#live = new LivePush(ctx, env);
    this.#service = new ServiceDialogue(
      env,
      () => this.#userId,
      (fleet) => this.#changed(fleet),
    );
    // An error in here, or more than 30 seconds, resets the object and closes every socket. So a long import is left to the
    // first request.
    void ctx.blockConcurrencyWhile(async () => {
      try {
        if (isImported(ctx.storage)) await this.#start();
      } catch (error) {
        logWarning("fleet not started", { user_id: ctx.id.name }, error);
      }
    });
  }

  get #userId(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a fleet is addressed by its user's id");
    return name;
  }

  async #start(): Promise<void> {
    const speed = readSettings(this.env).SIMULATION_SPEED;
    const state = await startFleet(this.env, this.#userId, this.ctx.storage, speed).catch(async (error) => {
      if (error instanceof UserDeleted) await this.#erase();
      throw error;
    });
    const fleet = new Fleet(this.ctx.storage, state, speed);
    fleet.start(Date.now());
    this.#schedule(fleet);
    this.#fleet = fleet;
    this.#armedAt = await this.ctx.storage.getAlarm();
    this.#arm();
  }

  /** The fleet. Throws when it can't be started now: at its first start D1 did not answer, or there is much to import. */
  async #ready(): Promise<Fleet> {
    if (this.#fleet === null) {
      this.#starting ??= this.#start().finally(() => {
        this.#starting = null;
      });
      await within(START_LIMIT_MS, this.#starting);
    }
    if (this.#fleet === null) throw new Error("the fleet could not be started");
    return this.#fleet;
  }

  /** Null when the user was deleted: then there never is a fleet again. */
  async #readyUnlessDeleted(): Promise<Fleet | null> {
    try {
      return await this.#ready();
    } catch (error) {
      if (error instanceof UserDeleted) return null;
      throw error;
    }
  }

  override [READY](): Promise<Fleet> {
    return this.#ready();
  }

  /** Sets the alarm for what is due first. The write that made it due and the alarm become durable together. */
  #arm(): void {
    const at = this.#fleet?.alarmAt ?? null;
    const now = Date.now();
    if (at === null || firesBy(at, this.#armedAt, now)) return;
    this.#armedAt = Math.max(at, now + SHORTEST_ALARM_MS);
    void this.ctx.storage.setAlarm(this.#armedAt);
  }

  #schedule(fleet: Fleet): void {
    scheduleClosing(this.#userId, fleet, Date.now());
    scheduleReport(this.#userId, fleet, Date.now());
  }

  /** Something may have changed: the alarm and open pages follow. */
  #changed(fleet: Fleet): void {
    noteStandings(fleet);
    scheduleBudget(this.env, fleet, Date.now());
    this.#schedule(fleet);
    this.#arm();
    if (fleet.isSuspended) this.#live.closeAll();
    this.#live.changed(fleet, this.#userId);
  }

  override [CHANGED](fleet: Fleet): void {
    this.#changed(fleet);
  }

  /** Admits an instance that is about to be registered; null when the user has as many as a user may have. */
  async admit(instanceId: string): Promise<Admission | null> {
    return (await this.#ready()).admit(instanceId, readSettings(this.env).INSTANCES_PER_USER, Date.now());
  }

  /** Its registration has come to nothing. A Worker of the former release does not say whose: the daily look finds that one. */
  async withdrawAdmission(instanceId: string, withdrawBy?: number, formerAt?: number | null): Promise<void> {
    const { admissions } = await this.#ready();
    if (withdrawBy !== undefined) admissions.withdraw(instanceId, withdrawBy, formerAt ?? null);
  }

  /** Takes what an instance reports. Idempotent. */
  async report(report: Report): Promise<ReportAnswer> {
    // Awaits nothing before it writes, or reports overtake each other (decision 18).
    const fleet = this.#fleet ?? (await this.#readyUnlessDeleted());
    if (fleet === null || fleet.state.leavingSince !== null) return USER_DELETED;
    fleet.take(report, Date.now());
    this.#changed(fleet);
    const { policy } = fleet.state;
    return {
      policy: policy.version > report.policyVersion && isPolicySure(fleet.state) ? toldPolicy(policy) : null,
      laterRevision: laterThan(report, fleet.registry.lastRevision(report.instanceId)),
      answers: await this.#service.answer(fleet, report),
    };
  }

  /** Takes an instance out of the registry. Its reports up to `revision` that are still on their way come to nothing. */
  async remove(instanceId: string, revision: number): Promise<void> {
    const fleet = await this.#readyUnlessDeleted();
    if (fleet === null) return;
    fleet.remove(instanceId, revision, Date.now());
    this.#changed(fleet);
  }

  /** Takes an instance out that is listed, but that its actor does not know. False when there is none. */
  async removeGhost(instanceId: string): Promise<boolean> {
    const fleet = await this.#ready();
    const [listed] = fleet.registry.listedAmong([instanceId]);
    const isGhost = listed !== undefined && (await bringPolicyTo(this.env, this.#userId, fleet, listed));
    this.#changed(fleet);
    return isGhost;
  }

  async policy(): Promise<UserPolicy> {
    return (await this.#ready()).state.policy;
  }

  /** Sets the user's policy and brings it to the first instances; the alarm brings it to the others. */
  async setPolicy(overrides: PolicyOverrides): Promise<PolicyContradiction | UserPolicy> {
    const fleet = await this.#ready();
    const set = fleet.setPolicy(overrides, Date.now());
    this.#arm();
    if ("version" in set) await bringPolicy(this.env, this.#userId, fleet);
    this.#changed(fleet);
    return set;
  }

  /** What the operator does with the user's account. Safe to repeat. */
  async account(request: AccountRequest): Promise<AccountAnswer> {
    const fleet = await this.#readyUnlessDeleted();
    if (fleet === null) return ERASED;
    const answer = await carryOut(request, {
      env: this.env,
      userId: this.#userId,
      fleet,
      closeConnections: () => this.#live.closeAll(),
    });
    if (answer.isErased) await this.#erase();
    else this.#changed(fleet);
    return answer;
  }

  async #erase(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#fleet = null;
    this.#armedAt = null;
  }

  /** Throws while nobody knows. */
  async isSuspended(): Promise<boolean> {
    const fleet = await this.#ready();
    if (!isPolicySure(fleet.state)) await this.takeStanding();
    return fleet.isSuspended;
  }

  /**
   * The user's guard, and the service's as last known. A stale one is refreshed in the background, for the next request.
   */
  async guards(): Promise<{ readonly user: Guard; readonly service: Guard }> {
    const fleet = await this.#ready();
    const { state } = fleet;
    if (!isServiceGuardFresh(state)) this.ctx.waitUntil(this.#service.refreshServiceGuard(fleet));
    return { user: state.guard, service: serviceGuard(state) };
  }

  /** What the operator asks of it. */
  async operate(request: OperatorRequest): Promise<OperatorAnswer> {
    return operate(request, await this.#ready(), this.ctx.storage, (fleet) => this.#changed(fleet));
  }

  /** Opens a live connection (`liveRequest`). */
  override async fetch(request: Request): Promise<Response> {
    return this.#live.accept(request, await this.#ready());
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    this.#live.received(socket, message, await this.#ready(), this.#userId);
  }

  /** How an instance is that somebody sees. False: nobody does any more. */
  async heard(reading: Reading): Promise<boolean> {
    return this.#live.heard(reading, await this.#ready(), this.#userId);
  }

  /** Closes the live connections of a token, person or session that is no longer valid. */
  async tokenRevoked(id: string): Promise<void> {
    this.#live.revoked(id);
  }

  /** The platform tries a failed alarm six times and then never again, so this never throws. */
  override async alarm(): Promise<void> {
    this.#armedAt = null;
    try {
      const fleet = await this.#readyUnlessDeleted();
      if (fleet === null) return;
      await runDueTasks(this.env, this.#userId, fleet, this.listings, Date.now());
      this.#changed(fleet);
    } catch (error) {
      logError("the fleet's alarm failed", { user_id: this.ctx.id.name }, error);
      this.#armedAt = Date.now() + FAILED_ALARM_RETRY_MS;
      await this.ctx.storage.setAlarm(this.#armedAt);
    }
  }
}
