import { DurableObject } from "cloudflare:workers";
import type { Delivery } from "../alerts/channels/channel.ts";
import type { ChannelRecord } from "../alerts/channels/record.ts";
import type { ChannelChanges, SealedChannel } from "../alerts/channels/registry.ts";
import type { CalledProvider } from "../lifecycle/model/provider.ts";
import type {
  Connection,
  KeptCredentials,
  NewConnection,
  SealedCredentials,
  Trial,
} from "../providers/connections.ts";
import type { HeldClaim, MachineKey } from "../providers/machines.ts";
import { kindIn, type LaneCall, type Turn } from "../providers/pace.ts";
import { count } from "../service/meter.ts";
import {
  addConnection,
  type Changes,
  changeConnection,
  forgetConnection,
  noteTrial,
  removeConnection,
  setCredentials,
} from "./connections.ts";
import { noteRefusedEnrollment } from "./enrollments.ts";
import type { Fleet } from "./fleet.ts";
import type { Asking } from "./tables/confirmations.ts";
import { Lanes } from "./tables/lanes.ts";
import type { Holding } from "./tables/machines.ts";
import { noteDelivery } from "./tasks/messages.ts";

type NewChannel = Omit<ChannelRecord, "lastDelivery" | "confirmed" | "paused"> & {
  readonly confirmed?: boolean;
};

export type ConfirmationAsked =
  | Exclude<Asking, { readonly outcome: "send" }>
  | { readonly outcome: "send"; readonly sealed: SealedChannel }
  | { readonly outcome: "unknown" };

/** A symbol, so that nobody can call it from outside. */
export const READY = Symbol("ready");
export const CHANGED = Symbol("changed");

/** What a fleet keeps for others, who decide by it: claims of machines, credentials, channels, lanes of calls to providers. */
export abstract class FleetKeeper extends DurableObject<Env> {
  readonly #lanes = new Lanes(this.ctx.storage.sql);

  /** The fleet, once it is started. */
  abstract [READY](): Promise<Fleet>;

  /** Something may be due. */
  abstract [CHANGED](fleet: Fleet): void;

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

  /** A machine that enrolls was refused: `instanceId` watches it already. */
  async noteRefusedEnrollment(instanceId: string, by: string, machine: MachineKey): Promise<void> {
    const fleet = await this[READY]();
    noteRefusedEnrollment(fleet, instanceId, by, machine, Date.now());
    this[CHANGED](fleet);
  }

  async connections(): Promise<Connection[]> {
    return (await this[READY]()).connections.list();
  }

  /** The credentials of this connection; null when there are none. */
  async credentials(id: string): Promise<KeptCredentials | null> {
    return (await this[READY]()).connections.credentials(id);
  }

  /** Sets the credentials of the first connection of a kind. */
  async keepCredentials(
    kind: CalledProvider,
    credentials: SealedCredentials,
    checkedAt: number | null = null,
  ): Promise<void> {
    const fleet = await this[READY]();
    setCredentials(fleet, kind, credentials, checkedAt);
    this[CHANGED](fleet);
  }

  /** For a Worker of the former release, which has asked before whether an instance is called by it. */
  async removeCredentials(kind: CalledProvider): Promise<boolean> {
    const fleet = await this[READY]();
    const isRemoved = forgetConnection(fleet, kind);
    this[CHANGED](fleet);
    return isRemoved;
  }

  /** `too_many`: there are `limit` others. */
  async addConnection(
    connection: NewConnection,
    credentials: SealedCredentials,
    checkedAt: number | null,
    limit: number,
  ): Promise<"added" | "taken" | "too_many"> {
    const fleet = await this[READY]();
    const added = addConnection(fleet, connection, credentials, { checkedAt, limit });
    this[CHANGED](fleet);
    return added;
  }

  /** Null when there is no such connection. */
  async changeConnection(id: string, changes: Changes): Promise<Connection | null> {
    const fleet = await this[READY]();
    const changed = changeConnection(fleet, id, changes);
    this[CHANGED](fleet);
    return changed;
  }

  async removeConnection(id: string): Promise<"removed" | "unknown" | "in_use"> {
    const fleet = await this[READY]();
    const removed = removeConnection(fleet, id);
    this[CHANGED](fleet);
    return removed;
  }

  /** How the connection stands after a trial of its credentials; null when there is none. */
  async noteTrial(id: string, trial: Trial): Promise<Connection | null> {
    const fleet = await this[READY]();
    const noted = noteTrial(fleet, id, trial);
    this[CHANGED](fleet);
    return noted;
  }

  /** When a call to a provider may be made. */
  async takeTurn(call: LaneCall): Promise<Turn> {
    await this[READY]();
    const { turn, waitedMs } = this.#lanes.ask(call, Math.random(), Date.now());
    const provider = kindIn(call.connection) ?? "unknown";
    if (turn.type === "go") {
      count(this.env, this.ctx, "turns", { provider });
      count(this.env, this.ctx, "turn_seconds", { provider }, waitedMs / 1000);
    } else if (turn.type === "given up") count(this.env, this.ctx, "turns_given_up", { provider });
    return turn;
  }

  /** A call was made in its turn, and its provider said all the same that it was too much. Says when to ask again. */
  async noteLimited(call: LaneCall, retryAfterSeconds: number | null) {
    await this[READY]();
    count(this.env, this.ctx, "limits", { provider: kindIn(call.connection) ?? "unknown" });
    return this.#lanes.limited(call, retryAfterSeconds, Math.random(), Date.now());
  }

  async channels(): Promise<ChannelRecord[]> {
    return (await this[READY]()).channels.list();
  }

  /** False when the user has `limit` channels already. A Worker of before the confirmations does not say `confirmed`. */
  async addChannel(
    { confirmed = true, ...channel }: NewChannel,
    sealed: SealedChannel,
    limit: number,
  ): Promise<boolean> {
    const { channels, confirmations } = await this[READY]();
    if (!channels.add(channel, sealed, limit)) return false;
    if (!confirmed) confirmations.await(channel.id);
    return true;
  }

  /** Whether the owner of the channel's address may be asked to confirm it now; the settings are needed for that. */
  async askConfirmation(id: string, perDay: number): Promise<ConfirmationAsked> {
    const { channels, confirmations } = await this[READY]();
    const sealed = channels.sealed(id);
    if (sealed === null) return { outcome: "unknown" };
    const asked = confirmations.ask(id, perDay, Date.now());
    return asked.outcome === "send" ? { outcome: "send", sealed } : asked;
  }

  /** False when there is no such channel. */
  async confirmChannel(id: string): Promise<boolean> {
    const { channels, confirmations } = await this[READY]();
    confirmations.confirm(id);
    return channels.sealed(id) !== null;
  }

  /** Null when there is no such channel. New settings take a channel up again that was gone. */
  async changeChannel(id: string, { paused, ...changes }: ChannelChanges): Promise<ChannelRecord | null> {
    const { channels } = await this[READY]();
    if (!channels.change(id, changes)) return null;
    if (paused === true) channels.pause(id, { at: Date.now(), because: "asked" });
    const former = channels.list().find((channel) => channel.id === id);
    const isMended = changes.settings !== undefined && former?.paused?.because === "gone";
    if (paused === false || isMended) channels.resume(id);
    return channels.list().find((channel) => channel.id === id) ?? null;
  }

  async deleteChannel(id: string): Promise<boolean> {
    return (await this[READY]()).channels.delete(id);
  }

  /** Null for one that may not be told of anything, too. */
  async sealedChannel(id: string): Promise<SealedChannel | null> {
    const { channels, confirmations } = await this[READY]();
    return confirmations.isConfirmed(id) && !channels.isPaused(id) ? channels.sealed(id) : null;
  }

  /** A channel that is told of nothing because it is paused; null for any other. */
  async pausedChannel(id: string): Promise<SealedChannel | null> {
    const { channels, confirmations } = await this[READY]();
    return confirmations.isConfirmed(id) && channels.isPaused(id) ? channels.sealed(id) : null;
  }

  /** `deliveryId`: of the message, if the fleet keeps it until it hears how it ended. */
  async noteDelivery(channelId: string, delivery: Delivery, deliveryId?: string): Promise<void> {
    const fleet = await this[READY]();
    noteDelivery(this.env, fleet, channelId, delivery, deliveryId ?? null);
    this[CHANGED](fleet);
  }
}
