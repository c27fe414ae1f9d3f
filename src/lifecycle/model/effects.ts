import type { Heartbeat } from "./heartbeat.ts";
import type { HistoryEvent } from "./history-event.ts";
import type { ConnectedProvider } from "./provider.ts";

/** How a provider identifies a machine; `providerRef` is null when that is the instance's own id. */
export interface Machine {
  readonly provider: ConnectedProvider;
  readonly providerRef: string | null;
}

/** A sighting of a machine at its provider: proof that these credentials show it. */
export interface Sighted {
  readonly at: number;
  /** When the credentials that showed it were set. */
  readonly credentialsSetAt: number;
  /** How many GPUs the running machine had; null when the provider did not say. */
  readonly gpus: number | null;
  /** The first complete listing without it, after others had shown it; absent while it is listed, or nobody knows. */
  readonly vanishedAt?: number | undefined;
}

/** An order to a provider. Its progress comes back as the `action.*` events of `instance-event.ts`. */
export interface ActionOrder {
  /** Unique for the instance, so that the same order placed twice is carried out once. */
  readonly actionId: string;
  readonly kind: ActionKind;
  /** Before an order for silence is carried out, the provider is asked how the machine really is. */
  readonly reason: ActionReason;
  /** The machine for which the order was decided. */
  readonly machine: Machine;
  /** The last sighting. Without one, a provider that does not list the machine proves nothing. */
  readonly sighted: Sighted | null;
  /** Whether we hold the machine as hibernated. If it runs all the same, somebody is using it. */
  readonly isHibernated: boolean;
  /** The machine was never heard: only one that its provider shows running is stopped for that. Absent is no. */
  readonly neverHeard?: boolean | undefined;
  /** For deletes only: whether a snapshot must succeed first. */
  readonly snapshotFirst: boolean;
  /** The request upon which it was decided, such as a heartbeat; absent when time alone brought it about. */
  readonly requestId?: string | undefined;
}

/** Why an order was given: idleness, silence (every delete), the owner's request, or the instance itself hibernating. */
export type ActionReason = "idle" | "silence" | "owner" | "instance";

/** What had it hibernated, where that is not the reason itself. A release that does not know of one goes by the reason. */
export type StopCause = PlannedCause | "budget" | "kill_switch";

/** What plans a hibernation ahead, whatever the instance does. */
export type PlannedCause = "schedule" | "max_runtime";

export type ActionKind = "hibernate" | "force_hibernate" | "wake" | "delete";

export type GuardedStep = "hibernate" | "force_hibernate" | "delete";

/**
 * What the outside is asked to do. Effects are data: the core writes them into the state's outbox, and the shell carries
 * them out. One may be carried out twice; the second time must change nothing.
 */
export type Effect =
  /** Keep these heartbeats in the history. */
  | { readonly type: "chunk"; readonly heartbeats: readonly Heartbeat[] }
  /** Keep this event in the history, and send it to the owner if it is an alert. */
  | { readonly type: "event"; readonly event: HistoryEvent }
  /** Bring the registry's row up to date with the state. */
  | { readonly type: "projection" }
  /** Take the instance out of the registry at once, and delete all that is stored about it once nothing else waits. */
  | { readonly type: "forget" }
  /** Ask whether a step that stems from silence may be taken. Answered by `guard.permitted` or `guard.deferred`. */
  | { readonly type: "guard"; readonly step: GuardedStep }
  /** Carry out an order. */
  | { readonly type: "action"; readonly order: ActionOrder };

/** An effect that waits in the outbox until it is done. Ids grow and are never reused for the instance. */
export interface PendingEffect {
  readonly id: number;
  readonly effect: Effect;
}
