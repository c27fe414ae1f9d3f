import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { prepareRestore, type RestorePrepared, type RestoreTarget } from "../platform/point-in-time.ts";
import { readSettings } from "../platform/settings.ts";
import type { NewConnection, SealedCredentials } from "../providers/connections.ts";
import { UNHEARD_MS } from "../providers/machines.ts";
import {
  bringBudget,
  bringEvents,
  bringSettings,
  type ExportedChannel,
  type ExportedFleet,
  exportedFleet,
  hasPolicyFor,
} from "./bring.ts";
import { FleetBudget } from "./budget.ts";
import { addConnection, setCredentials } from "./connections.ts";
import { removeUnknown } from "./ghosts.ts";
import { CHANGED, READY } from "./keeper.ts";
import type { ComparedRow, Listed, UserPolicy } from "./report.ts";
import type { BudgetSettings } from "./rules/budget.ts";
import { withRecall } from "./rules/cost-days.ts";
import { goOnFromFormer } from "./rules/set-back.ts";
import { claimantsAfter, comparedAfter, comparedAmong } from "./tables/compared-rows.ts";
import type { ListedRow } from "./tables/registry.ts";
import { Silences } from "./tables/silences.ts";
import { instancesToVisit } from "./tables/visits.ts";
import { shardOf } from "./tasks/close-costs.ts";
import { sweep } from "./tasks/messages.ts";
import { type Recounted, recount } from "./tasks/recount.ts";
import { askStanding, takeStanding } from "./tasks/standing.ts";

/**
 * What the service's own upkeep asks of a fleet: the daily cleanup, the weekly reconciliation, and the operator who sets a
 * fleet back.
 */
export abstract class FleetUpkeep extends FleetBudget {
  /** The highest revision of whoever has had this id, as far as is known. */
  async lastRevision(instanceId: string): Promise<number> {
    return (await this[READY]()).registry.lastRevision(instanceId);
  }

  /** For the daily cleanup. An alarm that the platform has lost is armed again on the way, and whatever is late is due. */
  async instancesToVisit(after: string, limit: number): Promise<Listed[]> {
    const fleet = await this[READY]();
    sweep(this.env, this.ctx.id.name, fleet, Date.now());
    this[CHANGED](fleet);
    return instancesToVisit(this.ctx.storage.sql, after, limit, Date.now());
  }

  /** Takes out those that their actors did not know when they were visited, unless they have reported since. */
  async removeUnknown(ghosts: readonly Listed[]): Promise<number> {
    const fleet = await this[READY]();
    const removed = ghosts.filter((ghost) => removeUnknown(fleet, ghost, Date.now()));
    this[CHANGED](fleet);
    return removed.length;
  }

  /** A page of the registry, for its instances to compare with themselves. */
  async comparedAfter(after: string, limit: number): Promise<ComparedRow[]> {
    await this[READY]();
    return comparedAfter(this.ctx.storage.sql, after, limit);
  }

  async comparedAmong(instanceIds: readonly string[]): Promise<ComparedRow[]> {
    await this[READY]();
    return comparedAmong(this.ctx.storage.sql, instanceIds);
  }

  /** Those who hold machines. */
  async claimantsAfter(after: string, limit: number): Promise<string[]> {
    await this[READY]();
    return claimantsAfter(this.ctx.storage.sql, after, limit);
  }

  /** Releases what somebody holds who is not listed, but for claims that may be of a registration under way. */
  async releaseClaims(instanceId: string): Promise<boolean> {
    const { registry, machines } = await this[READY]();
    const held = registry.has(instanceId) ? 0 : machines.claimsOf(instanceId).length;
    if (held === 0) return false;
    machines.releaseAll(instanceId, Date.now() - UNHEARD_MS);
    return machines.claimsOf(instanceId).length < held;
  }

  /** Holds what is counted against the rows, and mends it. */
  async recount(): Promise<Recounted> {
    const fleet = await this[READY]();
    const { sql } = this.ctx.storage;
    const silences = new Silences(sql, readSettings(this.env).SIMULATION_SPEED);
    const recounted = recount(fleet, sql, silences, Date.now());
    this[CHANGED](fleet);
    return recounted;
  }

  /** From its next start on the fleet is as it was then. Its open connections close with `restart`. */
  async prepareRestore(target: RestoreTarget): Promise<RestorePrepared> {
    return prepareRestore(this.ctx.storage, target);
  }

  /** Ends the object: the caller gets an error, and the next call starts it anew. */
  async restart(): Promise<void> {
    this.ctx.abort("started anew by the operator");
  }

  /** It was set back: numbers go above those given out since, and every instance is asked how it is. */
  async goOnFromFormer(): Promise<void> {
    const fleet = await this[READY]();
    // What was asked of instances then is not asked again: its owner may have woken them since.
    fleet.asked.dropWaiting();
    fleet.update((state) => goOnFromFormer(state, readSettings(this.env).SIMULATION_SPEED, Date.now()));
    this[CHANGED](fleet);
  }

  /** Brings the fleet to how its user stands in D1. Says whether it knew otherwise. */
  async takeStanding(): Promise<boolean> {
    const fleet = await this[READY]();
    askStanding(fleet, Date.now());
    // The alarm asks again, should this call end before D1 has answered.
    this[CHANGED](fleet);
    const isChanged = await takeStanding(this.env, this.ctx.id.name ?? "", fleet);
    this[CHANGED](fleet);
    return isChanged;
  }

  /** What an export has of the fleet, apart from its instances. */
  async exported(): Promise<ExportedFleet> {
    return exportedFleet(await this[READY]());
  }

  /** A page of the registry, for an export. */
  async listedAfter(after: string, limit: number): Promise<ListedRow[]> {
    return [...(await this[READY]()).registry.list(after, limit).rows];
  }

  /** False when the fleet has settings of its own, which stay. An older export does not say what was counted in which month. */
  async bringSettings(
    policy: UserPolicy,
    hibernations: ExportedFleet["hibernations"],
    byMonth?: ExportedFleet["hibernationsByMonth"],
  ): Promise<boolean> {
    const fleet = await this[READY]();
    const isBrought = bringSettings(fleet, policy, hibernations, byMonth, Date.now());
    this[CHANGED](fleet);
    return isBrought;
  }

  /** False when there is a budget here. */
  async bringBudget(settings: BudgetSettings): Promise<boolean> {
    const fleet = await this[READY]();
    const isBrought = bringBudget(fleet, settings, Date.now());
    this[CHANGED](fleet);
    return isBrought;
  }

  /** Whether instances of an export with this version of the policy may come: they go by one that their owner has set. */
  async hasPolicyFor(version: number): Promise<boolean> {
    return hasPolicyFor(await this[READY](), version);
  }

  /** False when there is one of this id, or there are `limit` others. */
  async bringChannel({ channel, sealed }: ExportedChannel, limit: number): Promise<boolean> {
    const { channels } = await this[READY]();
    const { paused = null, ...rest } = channel;
    if (channels.sealed(channel.id) !== null || !(await this.addChannel(rest, sealed, limit))) return false;
    if (paused !== null) channels.pause(channel.id, paused);
    return true;
  }

  /** False when there is a connection of this id already, or there are `limit` others. A Worker of the former release knows neither. */
  async bringCredentials(
    id: string,
    sealed: SealedCredentials,
    connection: NewConnection | null = null,
    limit = Number.MAX_SAFE_INTEGER,
  ): Promise<boolean> {
    const fleet = await this[READY]();
    if (fleet.connections.credentials(id) !== null) return false;
    const isBrought =
      connection === null || addConnection(fleet, connection, sealed, { checkedAt: null, limit }) === "added";
    if (connection === null) setCredentials(fleet, id, sealed, null);
    this[CHANGED](fleet);
    return isBrought;
  }

  /** The database of the history for days of costs, which are about to be brought. */
  async bringsCosts(): Promise<number> {
    return shardOf(this.env, this.ctx.id.name ?? "", await this[READY]());
  }

  /** Days of costs have come to the history by an import. */
  async recallCosts(): Promise<void> {
    const fleet = await this[READY]();
    fleet.update((state) => withRecall(state, Date.now()));
    this[CHANGED](fleet);
  }

  async bringEvents(
    events: readonly { readonly instanceId: string | null; readonly event: HistoryEvent }[],
  ): Promise<void> {
    const fleet = await this[READY]();
    bringEvents(fleet, events, Date.now());
    this[CHANGED](fleet);
  }
}
