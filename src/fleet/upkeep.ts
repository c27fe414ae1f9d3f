import { DurableObject } from "cloudflare:workers";
import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { prepareRestore, type RestorePrepared, type RestoreTarget } from "../platform/point-in-time.ts";
import { simulationSpeed } from "../platform/simulation-speed.ts";
import { UNHEARD_MS } from "../providers/machines.ts";
import type { SealedCredentials } from "../providers/registry.ts";
import {
  bringEvents,
  bringSettings,
  type ExportedChannel,
  type ExportedFleet,
  exportedFleet,
} from "./bring.ts";
import type { Fleet } from "./fleet.ts";
import type { ComparedRow, Listed, UserPolicy } from "./report.ts";
import { goOnFromFormer } from "./rules/set-back.ts";
import { claimantsAfter, comparedAfter, comparedAmong } from "./tables/compared-rows.ts";
import type { ListedRow } from "./tables/registry.ts";
import { Silences } from "./tables/silences.ts";
import { type Recounted, recount } from "./tasks/recount.ts";

/**
 * What the service's own upkeep asks of a fleet: the daily cleanup, the weekly reconciliation, and the operator who sets a
 * fleet back.
 */
export abstract class FleetUpkeep extends DurableObject<Env> {
  /** The fleet, once it has been started. */
  protected abstract ready(): Promise<Fleet>;

  /** Something may have changed: the alarm and open pages follow. */
  protected abstract changed(fleet: Fleet): void;

  /** The highest revision of whoever has had this id, as far as is known. */
  async lastRevision(instanceId: string): Promise<number> {
    return (await this.ready()).registry.lastRevision(instanceId);
  }

  /** For the daily cleanup. An alarm that the platform has lost is armed again on the way. */
  async instancesToVisit(after: string, limit: number): Promise<Listed[]> {
    const fleet = await this.ready();
    this.changed(fleet);
    return fleet.registry.toVisitAfter(after, limit, Date.now());
  }

  /** Takes out those that their actors did not know when they were visited, unless they have reported since. */
  async removeUnknown(ghosts: readonly Listed[]): Promise<number> {
    const fleet = await this.ready();
    const removed = ghosts.filter((ghost) => fleet.removeUnknown(ghost, Date.now()));
    this.changed(fleet);
    return removed.length;
  }

  /** A page of the registry, for its instances to compare with themselves. */
  async comparedAfter(after: string, limit: number): Promise<ComparedRow[]> {
    await this.ready();
    return comparedAfter(this.ctx.storage.sql, after, limit);
  }

  async comparedAmong(instanceIds: readonly string[]): Promise<ComparedRow[]> {
    await this.ready();
    return comparedAmong(this.ctx.storage.sql, instanceIds);
  }

  /** Those who hold machines. */
  async claimantsAfter(after: string, limit: number): Promise<string[]> {
    await this.ready();
    return claimantsAfter(this.ctx.storage.sql, after, limit);
  }

  /** Releases what somebody holds who is not listed, but for claims that may be of a registration under way. */
  async releaseClaims(instanceId: string): Promise<boolean> {
    const { registry, machines } = await this.ready();
    const held = registry.has(instanceId) ? 0 : machines.claimsOf(instanceId).length;
    if (held === 0) return false;
    machines.releaseAll(instanceId, Date.now() - UNHEARD_MS);
    return machines.claimsOf(instanceId).length < held;
  }

  /** Holds what is counted against the rows, and mends it. */
  async recount(): Promise<Recounted> {
    const fleet = await this.ready();
    const { sql } = this.ctx.storage;
    const silences = new Silences(sql, simulationSpeed(this.env));
    const recounted = recount(fleet, sql, silences, Date.now());
    this.changed(fleet);
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
    const fleet = await this.ready();
    fleet.update((state) => goOnFromFormer(state, simulationSpeed(this.env), Date.now()));
    this.changed(fleet);
  }

  /** What an export has of the fleet, apart from its instances. */
  async exported(): Promise<ExportedFleet> {
    return exportedFleet(await this.ready());
  }

  /** A page of the registry, for an export. */
  async listedAfter(after: string, limit: number): Promise<ListedRow[]> {
    return [...(await this.ready()).registry.list(after, limit).rows];
  }

  /** False when the fleet has settings of its own, which stay. */
  async bringSettings(policy: UserPolicy, hibernations: ExportedFleet["hibernations"]): Promise<boolean> {
    const fleet = await this.ready();
    const isBrought = bringSettings(fleet, policy, hibernations, Date.now());
    this.changed(fleet);
    return isBrought;
  }

  /** False when there is one of this id, or there are `limit` others. */
  async bringChannel({ channel, sealed }: ExportedChannel, limit: number): Promise<boolean> {
    const fleet = await this.ready();
    return fleet.channels.sealed(channel.id) === null && fleet.addChannel(channel, sealed, limit);
  }

  /** False when there are some for this provider already. */
  async bringCredentials(kind: string, sealed: SealedCredentials): Promise<boolean> {
    const { credentials } = await this.ready();
    const isNew = credentials.find(kind) === null;
    if (isNew) credentials.keep(kind, sealed);
    return isNew;
  }

  async bringEvents(
    events: readonly { readonly instanceId: string | null; readonly event: HistoryEvent }[],
  ): Promise<void> {
    const fleet = await this.ready();
    bringEvents(fleet, events, Date.now());
    this.changed(fleet);
  }
}
