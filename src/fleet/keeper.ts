import { DurableObject } from "cloudflare:workers";
import type { Delivery } from "../alerts/channels/channel.ts";
import type { ChannelRecord, SealedChannel } from "../alerts/channels/registry.ts";
import type { CalledProvider } from "../lifecycle/model/provider.ts";
import type { HeldClaim, MachineKey } from "../providers/machines.ts";
import type { SealedCredentials } from "../providers/registry.ts";
import type { Fleet } from "./fleet.ts";
import type { Holding } from "./tables/machines.ts";
import { noteDelivery } from "./tasks/messages.ts";

/** A symbol, so that nobody can call it from outside. */
export const READY = Symbol("ready");
export const CHANGED = Symbol("changed");

/** What a fleet keeps for others, who decide by it: claims of machines, credentials, channels. */
export abstract class FleetKeeper extends DurableObject<Env> {
  /** The fleet, once it is started. */
  abstract [READY](): Promise<Fleet>;

  /** Something may be due. */
  abstract [CHANGED](): void;

  async claim(machine: MachineKey, instanceId: string): Promise<Holding> {
    return (await this[READY]()).machines.claim(machine, instanceId, Date.now());
  }

  async withdrawClaim(machine: MachineKey, instanceId: string, claimedAt: number): Promise<void> {
    (await this[READY]()).machines.withdraw(machine, instanceId, claimedAt);
  }

  async claimsOf(instanceId: string): Promise<HeldClaim[]> {
    return (await this[READY]()).machines.claimsOf(instanceId);
  }

  async holderOf(machine: MachineKey): Promise<string | null> {
    return (await this[READY]()).machines.holderOf(machine);
  }

  /** The user's credentials for this provider; null when there are none. */
  async credentials(kind: string): Promise<SealedCredentials | null> {
    return (await this[READY]()).credentials.find(kind);
  }

  async keepCredentials(kind: CalledProvider, credentials: SealedCredentials): Promise<void> {
    (await this[READY]()).credentials.keep(kind, credentials);
  }

  async removeCredentials(kind: CalledProvider): Promise<boolean> {
    return (await this[READY]()).credentials.remove(kind);
  }

  async channels(): Promise<ChannelRecord[]> {
    return (await this[READY]()).channels.list();
  }

  /** False when the user has `limit` channels already. */
  async addChannel(
    channel: Omit<ChannelRecord, "lastDelivery">,
    sealed: SealedChannel,
    limit: number,
  ): Promise<boolean> {
    return (await this[READY]()).channels.add(channel, sealed, limit);
  }

  async deleteChannel(id: string): Promise<boolean> {
    return (await this[READY]()).channels.delete(id);
  }

  async sealedChannel(id: string): Promise<SealedChannel | null> {
    return (await this[READY]()).channels.sealed(id);
  }

  /** `deliveryId`: of the message, if the fleet keeps it until it hears how it ended. */
  async noteDelivery(channelId: string, delivery: Delivery, deliveryId?: string): Promise<void> {
    noteDelivery(this.env, await this[READY](), channelId, delivery, deliveryId ?? null);
    this[CHANGED]();
  }
}
