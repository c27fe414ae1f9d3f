import { endsOf } from "../alerts/problems.ts";
import { type HistoryEvent, isAlert } from "../lifecycle/model/history-event.ts";
import type { PolicyOverrides } from "../lifecycle/model/policy-settings.ts";
import { settleMachines } from "./claims.ts";
import { type Admission, type InstanceRow, isNewer, type Report, type UserPolicy } from "./report.ts";
import { openFrom } from "./rules/cost-days.ts";
import { addAlert } from "./rules/digest-window.ts";
import { countFrom, countHibernation } from "./rules/hibernations.ts";
import { type OutageRules, outageEndsAt, outageRules, reviewOutage } from "./rules/outage-guard.ts";
import { contradictionOf, type PolicyContradiction } from "./rules/policy-contradiction.ts";
import { withBudgetDoubted } from "./rules/set-back.ts";
import {
  awaitOthers,
  awaitReports,
  haveAllReported,
  noteContact,
  outageWindowMs,
  start,
} from "./rules/settling.ts";
import {
  BRINGING_RESUMES_MS,
  countInstances,
  countMove,
  type Due,
  type FleetState,
  fleetAlarmAt,
  isSuspended,
  withDue,
  withPruneDue,
  withTotalsDue,
} from "./rules/state.ts";
import { NOT_ADMITTED } from "./tables/admissions.ts";
import { FleetTables } from "./tables/all.ts";
import { EVENTS_KEPT_MS } from "./tables/event-bounds.ts";
import type { Known } from "./tables/registry.ts";
import { type SilenceKeys, Silences } from "./tables/silences.ts";
import { writeFleet } from "./tables/stored-fleet.ts";
import { withCosts } from "./tasks/cost-rows.ts";

/**
 * What a fleet knows, in its own database, and how reports and requests change it. Synchronous throughout: each change is one
 * transaction, and nothing can come in between. `actor.ts` speaks with the outside.
 */
export class Fleet extends FleetTables {
  readonly #storage: DurableObjectStorage;
  readonly #silences: Silences;
  readonly #speed: number;
  #state: FleetState;
  #rules: { readonly of: PolicyOverrides; readonly rules: OutageRules } | null = null;

  /** `state`: as it is stored. */
  constructor(storage: DurableObjectStorage, state: FleetState, speed: number) {
    const { sql } = storage;
    super(sql);
    this.#storage = storage;
    this.#silences = new Silences(sql, speed);
    this.#speed = speed;
    this.#state = state;
  }

  get state(): FleetState {
    return this.#state;
  }

  get rules(): OutageRules {
    const { policy, policySetAt } = this.#state;
    if (this.#rules?.of !== policy.overrides) {
      const rules = outageRules(policy.overrides, policySetAt, this.#speed);
      this.#rules = { of: policy.overrides, rules };
    }
    return this.#rules.rules;
  }

  /** Makes a change and saves it, in one transaction. */
  change<T>(make: (state: FleetState) => { readonly state: FleetState; readonly result: T }): T {
    const before = this.#state;
    try {
      return this.#storage.transactionSync(() => {
        const { state, result } = make(before);
        if (state !== before) {
          writeFleet(this.#storage.sql, state);
          this.#state = state;
        }
        return result;
      });
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  update(make: (state: FleetState) => FleetState): void {
    this.change((state) => ({ state: make(state), result: undefined }));
  }

  setDue(due: Partial<Due>): void {
    this.update((state) => withDue(state, due));
  }

  /** Admits an instance that is about to be registered; null when there are `limit` others. */
  admit(instanceId: string, limit: number, now: number): Admission | null {
    const free = limit - countInstances(this.#state);
    const isListed = this.registry.has(instanceId);
    const noted = isListed ? NOT_ADMITTED : this.admissions.admit(instanceId, free, now);
    if (noted === "too many") return null;
    return { policy: this.#state.policy, idsAfter: this.registry.lastRevision(instanceId), ...noted };
  }

  /** Takes what an instance reports. Idempotent, and an older report that arrives late changes nothing of its row. */
  take(report: Report, now: number): void {
    this.update((before) => {
      const { instanceId, row } = report;
      const state = noteContact(before, now);
      if (row.revision <= (this.registry.removedRevision(instanceId) ?? -1)) return state;
      const known = this.registry.find(instanceId);
      let next = this.#withPolicyAbove(state, report.policyVersion, now);
      if (isNewer(row, known)) next = this.#place(next, report, known, now);
      for (const event of report.events) next = this.#addEvent(next, instanceId, event, now);
      if (row.silentSince !== null && report.unreachedSince !== null) {
        this.#silences.noteLateReport(row.silentSince, now, this.rules.reportedWithinMs);
        next = awaitOthers(next, this.rules, now);
      }
      next = this.#reviewOutage(next, row.silentSince, now);
      return withPruneDue(next, state.revision, now);
    });
  }

  #place(state: FleetState, report: Report, known: Known | null, now: number): FleetState {
    const { instanceId, row } = report;
    const keys = this.#count(state, row, known, now);
    const revision = state.revision + 1;
    if (known === null) this.admissions.settle(instanceId);
    this.costs.write(instanceId, revision, row, openFrom(state, now));
    this.registry.write(instanceId, revision, row, keys);
    const told = this.#addOwnEvents({ ...state, revision }, settleMachines(this, report, now), now);
    const standing = { status: row.view.status, silentSince: row.silentSince };
    const isNewSilence = keys.reportedAt !== null && keys.reportedAt !== known?.reportedAt;
    const settling = isNewSilence ? awaitReports(told, this.rules, now) : told;
    const moved = countMove(settling, known, standing);
    const isSame = moved.awake === state.awake && moved.instancesByStatus === state.instancesByStatus;
    return isSame ? moved : withTotalsDue(moved, now);
  }

  /** Counts a silent instance where it belongs. One that stays silent stays where it is counted. */
  #count(state: FleetState, row: InstanceRow, known: Known | null, now: number): SilenceKeys {
    if (known !== null && known.silentSince === row.silentSince) return known;
    if (known !== null) this.#silences.remove(known);
    return this.#silences.add(state, row, now);
  }

  /** The fleet's own alarm has fired. */
  noteContact(now: number): void {
    this.update((state) => this.#reviewOutage(noteContact(state, now), null, now));
  }

  /** When the alarm must fire; null when nothing waits for it. */
  get alarmAt(): number | null {
    return fleetAlarmAt(this.#state, outageEndsAt(this.#state, this.rules));
  }

  /** The fleet's object has started. */
  start(now: number): void {
    this.update((state) => {
      if (!state.areAlertsCurrent) this.openAlerts.rebuild(now);
      const current = state.areAlertsCurrent ? state : { ...state, areAlertsCurrent: true };
      return countFrom(start(withCosts(current, this.costs), this.rules, now), now);
    });
    this.scheduleListings(now);
  }

  /** Sets when a connection's machines are listed next: never for a suspended user, or without a connection that can be listed. */
  scheduleListings(now: number): void {
    const mayList = !this.isSuspended && this.#state.leavingSince === null;
    const inventoryAt = mayList ? this.inventory.nextAt(this.connections.listed(), now) : null;
    if (inventoryAt !== this.#state.due.inventoryAt) this.setDue({ inventoryAt });
  }

  /** Whether all who fell silent with the instance that reports have had the time to report, too. */
  haveAllReported({ instanceId, row }: Report, now: number): boolean {
    const known = this.registry.find(instanceId);
    const isKnown = known !== null && known.silentSince === row.silentSince;
    if (!isKnown || known.reportedAt === null || row.silentSince === null) return false;
    const lateReportAt = this.#silences.lateReportNear(row.silentSince, outageWindowMs(this.rules));
    return haveAllReported(this.#state, { reportedAt: known.reportedAt, lateReportAt }, this.rules, now);
  }

  #reviewOutage(state: FleetState, seenAt: number | null, now: number): FleetState {
    const reviewed = reviewOutage(state, this.#silences, this.rules, seenAt, now);
    const priced = this.rates.addToOutage(reviewed.events, reviewed.state.guard.silentFrom);
    const next = this.#addOwnEvents(reviewed.state, priced, now);
    return next.guard === state.guard && next.vote === state.vote ? next : withTotalsDue(next, now);
  }

  /** Adds an event of the fleet itself, unless it is known; and makes the change that it tells of, in the same transaction. */
  addOwnEvent(event: HistoryEvent, now: number, change = (state: FleetState) => state): void {
    this.update((state) => this.#addOwnEvents(change(state), [event], now));
  }

  #addOwnEvents(state: FleetState, events: readonly HistoryEvent[], now: number): FleetState {
    const next = events.reduce((before, event) => this.#addEvent(before, null, event, now), state);
    return next === state ? state : withDue(next, { historyAt: now });
  }

  #addEvent(state: FleetState, instanceId: string | null, event: HistoryEvent, now: number): FleetState {
    const isTold = isAlert(event) && !this.channels.isEmpty;
    const endsIncident = endsOf(event.kind).length > 0 && this.channels.keepIncidents;
    const mustBeTold = isTold || endsIncident;
    const revision = state.revision + 1;
    if (!this.events.add(revision, instanceId, event, mustBeTold)) return state;
    this.openAlerts.take(revision, instanceId, event);
    const counted = countHibernation({ ...state, revision }, event);
    const digest = mustBeTold ? addAlert(counted.digest, event.severity, now) : counted.digest;
    return withDue({ ...counted, digest }, { pruneAt: counted.due.pruneAt ?? now + EVENTS_KEPT_MS });
  }

  /**
   * Takes an instance out of the registry, and releases what it has claimed up to then. A removal that arrives late, or
   * again, changes nothing: by then the id may be another instance's, which began above it.
   */
  remove(instanceId: string, revision: number, now: number, claimedUpTo?: number): void {
    this.update((state) => {
      const known = this.registry.find(instanceId);
      if (revision <= (this.registry.removedRevision(instanceId) ?? -1)) return state;
      if (known !== null && known.revision > revision) return state;
      this.machines.releaseAll(instanceId, claimedUpTo);
      this.retries.settled([instanceId]);
      this.admissions.settle(instanceId);
      this.asked.forget(instanceId);
      this.openAlerts.forget(instanceId);
      this.snoozes.end(instanceId);
      const changed = state.revision + 1;
      const savedByRemoved =
        state.savedByRemoved + (this.registry.savingsOf(instanceId, now)?.saved_total ?? 0);
      // Also for an instance that has never reported: its first report may still be on its way.
      this.costs.remove(instanceId, now, openFrom(this.#state, now));
      this.registry.remove(instanceId, changed, revision);
      if (known === null) return { ...state, revision: changed };
      this.#silences.remove(known);
      const left = { ...state, revision: changed, savedByRemoved };
      const moved = withTotalsDue(countMove(left, known, null), now);
      return this.#reviewOutage(moved, null, now);
    });
  }

  /** Sets the user's policy, unless it adds a contradiction by itself or with the overrides of an instance. */
  setPolicy(overrides: PolicyOverrides, now: number): PolicyContradiction | UserPolicy {
    return this.change<PolicyContradiction | UserPolicy>((state) => {
      const contradiction = contradictionOf(this.registry, state.policy.overrides, overrides);
      if (contradiction !== null) return { state, result: contradiction };
      const policy = { ...state.policy, overrides, version: state.policy.version + 1 };
      const set = { ...state, policySetAt: now, isPolicySet: true };
      return { state: this.#withPolicy(set, policy, now + BRINGING_RESUMES_MS), result: policy };
    });
  }

  get isSuspended(): boolean {
    return isSuspended(this.#state);
  }

  /**
   * A former release may have given policies higher versions than this fleet, or the fleet was set back. Instances take only newer
   * ones, so the fleet's version rises above each that it hears of, and its policy is brought to all again.
   */
  #withPolicyAbove(state: FleetState, version: number, now: number): FleetState {
    if (version <= state.policy.version) return state;
    // What was asked of instances before may long be over.
    this.asked.dropWaiting();
    const above = { ...state.policy, version: version + 1 };
    return withDue(this.#withPolicy(withBudgetDoubted(state, now), above, now), { standingAt: now });
  }

  /** From `at` on the alarm brings the policy to all. */
  #withPolicy(state: FleetState, policy: UserPolicy, at: number): FleetState {
    this.retries.clear();
    return withDue({ ...state, policy }, { policy: { at, after: "" } });
  }
}
