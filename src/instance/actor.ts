import type { ComparedRow, Presence, UserPolicy } from "../fleet/report.ts";
import type { Sighted } from "../lifecycle/model/effects.ts";
import type { HeartbeatReport } from "../lifecycle/model/heartbeat.ts";
import type { InstanceEvent, ListEvent, OperatorWord } from "../lifecycle/model/instance-event.ts";
import type { AskedBy } from "../lifecycle/model/origin.ts";
import { MINUTE_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { isUnderWay } from "../lifecycle/rules/order.ts";
import { answerHeartbeat } from "../lifecycle/views/heartbeat-answer.ts";
import type { ActionOutcome } from "../orders/order.ts";
import { prepareRestore, type RestorePrepared, type RestoreTarget } from "../platform/point-in-time.ts";
import { within } from "../platform/within.ts";
import type { WatchedMachine } from "../providers/machines.ts";
import type { Standing } from "./bookkeeping.ts";
import { type BringOutcome, bring, type ExportedInstance, exported } from "./bring.ts";
import {
  change,
  command,
  type RegisterOutcome,
  type RotateOutcome,
  register,
  removeUnreadable,
  rotateToken,
} from "./commands.ts";
import { type EnrollingMachine, enroll } from "./enrollment.ts";
import { lookIfDue } from "./look.ts";
import {
  type Absent,
  type ChangeOutcome,
  type CommandOutcome,
  type EnrollmentAnswer,
  endingOf,
  type HeartbeatOutcome,
  NOT_DECIDED,
  type Place,
  type ProfileChanges,
  type Registration,
  type Unavailable,
  type Unreadable,
} from "./outcomes.ts";
import { type Reconciled, reconcile } from "./reconcile.ts";
import { type Past, resume, UNKNOWN_PAST, type Used } from "./resume.ts";
import { SeenInstance } from "./seen.ts";
import { noteListed } from "./witness.ts";

/** Whoever has an instance removed waits for the history at most this long, and may then register the same id anew. */
const HISTORY_LIMIT_MS = 2 * SECOND_MS;

/** The operator waits for what is tried at once at most this long. */
const RELEASE_LIMIT_MS = 10 * SECOND_MS;

/** A removed instance that had nothing else left is gone. */
const NOTHING_STANDS: Standing = { waiting: 0, parked: 0 };

/** A suspended instance that sends heartbeats asks its fleet this often whether it still is. */
const NEWS_EVERY_MS = 10 * MINUTE_MS;

/**
 * One instance: its live state, its one alarm, its effects. A thin shell around `decide`: load, decide, save state
 * and effects in one row, answer, then carry the effects out.
 */
export class InstanceActor extends SeenInstance {
  #askedAt = 0;
  /** Looks at the machine that are under way, and may cancel a start. */
  #looks: Promise<unknown> = Promise.resolve();

  async register(registration: Registration): Promise<RegisterOutcome> {
    return register(this.life, this.env, registration);
  }

  async heartbeat(
    tokenGeneration: number,
    report: HeartbeatReport,
    requestId?: string,
  ): Promise<HeartbeatOutcome> {
    const stored = this.life.known();
    if (stored === null) return this.life.absence();
    if (stored.tokenGeneration > tokenGeneration) return { outcome: "old_token" };
    // Signed by this service, and not known here: the storage was set back to before it was issued.
    if (stored.tokenGeneration < tokenGeneration) {
      await resume(this.life, stored, { ...UNKNOWN_PAST, tokenGeneration });
    }
    if (stored.suspended) {
      await this.#askForNews();
      return { outcome: "suspended" };
    }
    const decided = await this.life.receive({ type: "heartbeat", report }, requestId);
    if (decided === null) return this.life.absence();
    if (decided.outcome === "unavailable") return decided;
    this.life.outbox.emptySoon();
    this.tellWhoSees(decided.stored);
    const { state } = decided.stored;
    const at = state.clock.lastHeartbeatAt ?? Date.now();
    const policy = this.life.policy(decided.stored);
    return { outcome: "accepted", answer: answerHeartbeat(state, policy, at, report.dead_man != null) };
  }

  /** A suspended instance reports nothing by itself, and would not hear that the suspension is over if it could not be told. */
  async #askForNews(): Promise<void> {
    if (Date.now() < this.#askedAt + NEWS_EVERY_MS) return;
    this.#askedAt = Date.now();
    await this.life.queueReport();
    this.life.outbox.emptySoon();
  }

  /** `prepare`: false leaves its hooks out. */
  async hibernate(requestId?: string, prepare = true, askedBy?: AskedBy): Promise<CommandOutcome> {
    const origin = { requestId, askedBy };
    return command(this.life, { type: "hibernate.requested", prepare }, Date.now(), origin);
  }

  async wake(requestId?: string, askedBy?: AskedBy): Promise<CommandOutcome> {
    return command(this.life, { type: "wake.requested" }, Date.now(), { requestId, askedBy });
  }

  async change(changes: ProfileChanges, requestId?: string, askedBy?: AskedBy): Promise<ChangeOutcome> {
    return change(this.life, changes, { requestId, askedBy });
  }

  /** Issues a new generation of the instance's token; tokens of the former one are refused from now on. */
  async rotateToken(): Promise<RotateOutcome> {
    return rotateToken(this.life);
  }

  /** A machine enrolls as the one that it watches. */
  async enroll(machine: EnrollingMachine, joins: boolean): Promise<EnrollmentAnswer> {
    return enroll(this.life, machine, joins);
  }

  /**
   * Stops watching: the registry lets go, and everything here is forgotten once it is delivered. The provider is not touched. A row that
   * cannot be read does not say whose it was, so the caller does.
   */
  async remove(
    place: Place,
    requestId?: string,
    askedBy?: AskedBy,
  ): Promise<{ outcome: "removed" } | Absent | Unavailable> {
    const stored = this.life.known();
    if (stored === null) return removeUnreadable(this.life, this.env, place);
    const decided = await this.life.decide(stored, { type: "removed" }, Date.now(), {
      requestId,
      askedBy,
    });
    if (decided.outcome === "unavailable") return decided;
    const all = this.life.outbox.empty();
    // The registry lets go at once. What the history does not take soon goes there by and by.
    await this.life.outbox.emptyInto("fleet");
    await within(HISTORY_LIMIT_MS, all).catch(() => this.ctx.waitUntil(all));
    return { outcome: "removed" };
  }

  /** Its user is being deleted: everything here goes, delivered or not, readable or not. The provider is not touched. */
  async erase(): Promise<void> {
    await this.life.forget();
  }

  /** Whether the order still stands. `sighted`: what its provider has just shown of the machine. */
  async checkOrder(actionId: string, sighted: Sighted | null): Promise<boolean> {
    return this.#order({ type: "action.checked", actionId, sighted });
  }

  /** The provider is about to be told of this order: does it still stand? A start that is just being cancelled comes before it. */
  async tryOrder(actionId: string): Promise<boolean> {
    await this.#looks;
    return this.#order({ type: "action.tried", actionId });
  }

  /** That try has failed: the order is as if it had not been given. */
  async refuseOrder(actionId: string): Promise<void> {
    await this.#order({ type: "action.refused", actionId });
  }

  /** That try was taken: from now on the order can't be called off. */
  async acceptOrder(actionId: string): Promise<void> {
    await this.#order({ type: "action.accepted", actionId });
  }

  async #order(event: Extract<InstanceEvent, { actionId: string }>): Promise<boolean> {
    this.life.mustBeReadable();
    const stored = this.life.known();
    if (stored === null) return false;
    const decided = await this.life.decide(stored, event, Date.now());
    if (decided.outcome === "unavailable") throw new Error(NOT_DECIDED);
    this.life.outbox.emptySoon();
    return isUnderWay(decided.stored.state, event.actionId);
  }

  /** How an action ended. Said twice, it changes nothing more. */
  async endAction(actionId: string, outcome: ActionOutcome): Promise<void> {
    this.life.mustBeReadable();
    const { outcome: heard } = await command(this.life, endingOf(actionId, outcome));
    if (heard === "unavailable") throw new Error(NOT_DECIDED);
  }

  /** What the operator does with the order under way. */
  async actAsOperator(
    act: "end_order" | "repeat_order",
    actionId: string,
    word: OperatorWord,
  ): Promise<CommandOutcome> {
    const event = { type: "operator.acted", act, actionId, ...word } as const;
    return command(this.life, event, Date.now(), { requestId: word.requestId });
  }

  /** The daily look: an expired orphan is led to its end, and an alarm that the platform lost is armed again. */
  async cleanUp(): Promise<Presence> {
    this.life.mustBeReadable();
    const stored = this.life.known();
    if (stored === null) return this.life.goOnLeaving();
    if (stored.suspended) await this.life.queueReport();
    const { outcome } = await command(this.life, { type: "cleanup" });
    if (outcome === "unavailable") throw new Error(NOT_DECIDED);
    await this.life.outbox.empty();
    return "known";
  }

  /** What an export has of it; null for an unknown instance. */
  async exported(): Promise<{ readonly row: string } | Unreadable | null> {
    return exported(this.life);
  }

  /** Comes from an export. */
  async bring(instance: ExportedInstance): Promise<BringOutcome> {
    return bring(this.life, instance);
  }

  /** Holds the instance against its row of the registry: see `reconcile.ts`. */
  async reconcile(row: ComparedRow | null, look: boolean): Promise<Reconciled> {
    return reconcile(this.life, row, look);
  }

  /** From its next start on the instance is as it was then. Answers also what has been used up to now. */
  async prepareRestore(target: RestoreTarget): Promise<RestorePrepared & { readonly used: Used }> {
    const stored = this.life.known();
    const used = {
      lastId: stored?.state.nextEffectId ?? 0,
      tokenGeneration: stored?.tokenGeneration ?? 0,
    };
    return { ...(await prepareRestore(this.ctx.storage, target)), used };
  }

  /** Ends the object: the caller gets an error, and the next call starts it anew. */
  async restart(): Promise<void> {
    this.ctx.abort("started anew by the operator");
  }

  /** It was set back. */
  async resume(past: Past): Promise<Presence> {
    this.life.mustBeReadable();
    const stored = this.life.known();
    if (stored === null) return this.life.goOnLeaving();
    await resume(this.life, stored, past);
    this.life.outbox.emptySoon();
    return "known";
  }

  /**
   * Brings the user's policy, and asks for a report of how the instance is. The fleet waits for this call, so it must not
   * wait for the fleet.
   */
  async setUserPolicy(policy: UserPolicy): Promise<Presence> {
    this.life.mustBeReadable();
    if (this.life.known() === null) return this.life.goOnLeaving();
    await this.life.takeUserPolicy(policy);
    // Also where the policy is known: a fleet that was imported from D1 knows little of the instance.
    await this.life.queueReport();
    this.life.outbox.emptySoon();
    return "known";
  }

  /** What a list of its provider says of this machine: see `witness.ts`. */
  async noteListed(machine: WatchedMachine, event: ListEvent): Promise<boolean> {
    return noteListed(this.life, machine, event);
  }

  /** Tries at once whatever could not be delivered. Null for an unknown instance; one that was removed may have something left. */
  async release(): Promise<{ readonly before: Standing; readonly after: Standing } | Unreadable | null> {
    const { outbox } = this.life;
    const before = outbox.standing();
    if (before === null) return this.life.unreadable();
    const released = outbox.release();
    await within(RELEASE_LIMIT_MS, released).catch(() => this.ctx.waitUntil(released));
    return { before, after: outbox.standing() ?? NOTHING_STANDS };
  }

  override async alarm(invocation?: AlarmInvocationInfo): Promise<void> {
    await this.life.wake(invocation?.scheduledTime ?? Date.now());
    const look = lookIfDue(this.life, this.env, this.ctx);
    this.#looks = Promise.all([this.#looks, look]);
    await look;
  }
}
