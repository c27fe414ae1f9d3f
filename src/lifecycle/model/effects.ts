import type { Heartbeat } from "./heartbeat.ts";
import type { HistoryEvent } from "./history-event.ts";
import type { ProviderKind } from "./provider.ts";

/** What a provider knows a machine by; `providerRef` null when that is the instance's own id. */
export interface Machine {
  readonly provider: ProviderKind;
  readonly providerRef: string | null;
}

/** A machine was seen at its provider: proof that these credentials show it. */
export interface Sighted {
  readonly at: number;
  /** When the credentials were set with which it was seen. */
  readonly credentialsSetAt: number;
  /** How many GPUs it had when it ran; null when the provider did not say. */
  readonly gpus: number | null;
}

/** An order to a provider. How it goes comes back as events: see those of `action.` in `instance-event.ts`. */
export interface ActionOrder {
  /** Unique for the instance, so that asking twice starts one. */
  readonly actionId: string;
  readonly kind: ActionKind;
  /** Why: before acting on silence the provider is asked how the instance really is. */
  readonly reason: ActionReason;
  /** The machine for which it was decided. */
  readonly machine: Machine;
  /** When the machine was last seen: without that a provider that does not show it proves nothing. */
  readonly sighted: Sighted | null;
  /** Whether the machine counts as stopped: one that runs all the same is used by somebody. */
  readonly isHibernated: boolean;
  /** Delete only: a snapshot must have succeeded first. */
  readonly snapshotFirst: boolean;
}

/** Hibernation for idleness, for silence (as every delete), because the owner asked, or by the instance's own doing. */
export type ActionReason = "idle" | "silence" | "owner" | "instance";

export type ActionKind = "hibernate" | "force_hibernate" | "wake" | "delete";

export type GuardedStep = "hibernate" | "force_hibernate" | "delete";

/**
 * What the world is asked to do. Effects are data: the core writes them into the state's outbox and somebody else
 * carries them out. Each may be carried out twice and must then do nothing more.
 */
export type Effect =
  /** Keep these heartbeats in the history. */
  | { readonly type: "chunk"; readonly heartbeats: readonly Heartbeat[] }
  /** Keep this event in the history; its severity makes it an alert. */
  | { readonly type: "event"; readonly event: HistoryEvent }
  /** Bring the registry's row up to date with the state. */
  | { readonly type: "projection" }
  /** Take the instance out of the registry and forget everything here. */
  | { readonly type: "forget" }
  /** May a step that stems from silence go on? Answered by `guard.permitted` or `guard.deferred`. */
  | { readonly type: "guard"; readonly step: GuardedStep }
  | { readonly type: "action"; readonly order: ActionOrder };

/** An effect that waits in the outbox until it is done. Ids grow and are never used again for the instance. */
export interface PendingEffect {
  readonly id: number;
  readonly effect: Effect;
}
