import { z } from "zod";

/**
 * What the service asks of a provider. Each call may be repeated, and must then change nothing more: stopping a stopped
 * machine is `done`. Every error is a `ProviderError`.
 */
export interface Provider {
  /** Stops the machine so that its GPU is no longer billed, and keeps its disk. */
  hibernate(target: Target): Promise<Progress>;
  /** The same by force, since a normal stop may have failed. */
  forceHibernate(target: Target): Promise<Progress>;
  wake(target: Target): Promise<Progress>;
  /** Begins a snapshot, or finds the one that an earlier call of the same action began. */
  snapshot(target: Target): Promise<Snapshot>;
  /** The state of a snapshot that was begun. */
  snapshotState(snapshotId: string): Promise<"pending" | "ready" | "failed">;
  /** Destroys the instance and its data. */
  delete(target: Target): Promise<Progress>;
  /**
   * What the provider shows of the machine. A machine that it does not show is `missing`, which does not yet mean gone.
   * Throws only where asking again may help, or where the credentials are refused.
   */
  status(target: Target): Promise<Sighting>;
  /**
   * Makes harmless calls to find out whether the credentials allow what orders need. With a target the permissions are
   * tried on it; without one, as far as that is possible.
   */
  verify(target: Target | null): Promise<void>;
  /**
   * A page of all machines that these credentials show; `after` is a former page's `next`. Null where the API can't list. Only whoever
   * `takesParts`, and concludes nothing of a machine that may be `unlisted`, gets a page that leaves a part out; for others it is an error.
   */
  readonly list: ((after: string | null, takesParts?: boolean) => Promise<MachinePage>) | null;
}

/** Some of an account's machines. */
export interface MachinePage {
  readonly machines: readonly ListedMachine[];
  /** Where the next page begins; null after the last one. */
  readonly next: string | null;
  /** What could not be listed now. Left out: nothing. A machine there is not gone because it is not listed. */
  readonly unlisted?: readonly UnlistedPart[];
}

/** A part of an account of which its list says nothing, such as a zone that is out of reach. */
export interface UnlistedPart {
  readonly name: string;
  /** What the references of all machines there begin with; empty where it may be any machine. */
  readonly refPrefix: string;
}

/** A machine as its provider lists it. What the provider does not say is null. */
export interface ListedMachine {
  /** As an instance's `provider_ref`. */
  readonly ref: string;
  readonly name: string | null;
  readonly state: "running" | "starting" | "stopping" | "stopped" | "terminated" | "unknown";
  /** The model of its GPUs, such as `RTX 4090`. */
  readonly gpu: string | null;
  /** How many GPUs it has; 0 for a machine that has none. */
  readonly gpus: number | null;
  readonly region: string | null;
  readonly createdAt: number | null;
  /** Dollars an hour that it costs while it runs. */
  readonly hourlyCost: number | null;
  /** Dollars an hour that it costs while it is stopped. */
  readonly stoppedHourlyCost: number | null;
  /**
   * What starts and stops it as a whole, such as a cluster or a group that replaces its members: nobody is to be told of
   * it. By its kind and name, as in `scale set farm`.
   */
  readonly memberOf: string | null;
}

/** What a provider is asked for within one order: a delete may also ask for a snapshot. */
export const providerOrderSchema = z.enum(["hibernate", "force_hibernate", "wake", "snapshot", "delete"]);

export type ProviderOrder = z.infer<typeof providerOrderSchema>;

export interface Target {
  /** The provider's id of the instance. */
  readonly ref: string;
  readonly instanceId: string;
  /** The id of the action's workflow: unique for good. */
  readonly actionId: string;
}

/** `accepted`: it will happen; the status tells when. `done`: it has happened. */
export type Progress = "accepted" | "done";

export interface Snapshot {
  /** Null until the provider names it. */
  readonly snapshotId: string | null;
  readonly done: boolean;
}

/**
 * What a provider shows of a machine.
 * - `running`, `starting`, `stopping`, `stopped`: it exists. The GPU of a `stopped` one is not billed.
 * - `terminated`: the provider itself shows it as destroyed.
 * - `missing`: the provider's own error says that it knows no such machine. It says the same of a machine in another
 *   region or team, or under another key, so this proves nothing by itself.
 * - `unknown`: the provider can't tell, or its answer was not understood.
 */
export type Sighting =
  | Shown
  | { readonly state: "terminated" }
  | { readonly state: "missing" }
  | { readonly state: "unknown"; readonly because: string };

export interface Shown {
  readonly state: "running" | "starting" | "stopping" | "stopped";
  /** How many GPUs it has now; null when the provider does not say. */
  readonly gpus: number | null;
  /** Why it can't or must not be stopped, such as a group that would replace it; null when nothing stands against it. */
  readonly obstacle: string | null;
  /** Dollars an hour that a stopped one costs; absent where the provider does not say. */
  readonly stoppedHourlyCost?: number | undefined;
}

export type ProviderErrorCode =
  | "not_found"
  | "unauthorised"
  | "rate_limited"
  | "no_capacity"
  | "unsupported"
  | "refused"
  | "unavailable";

/** What was refused as `unauthorised`: the credentials as a whole, or only a kind of call that they may not make. */
export type Denied = "credentials" | "call";

export class ProviderError extends Error {
  readonly code: ProviderErrorCode;
  /** How long the provider asks to be left alone; null when it does not say. */
  readonly retryAfterSeconds: number | null;
  /** Null unless it is `unauthorised`. It is the call, unless the provider has said that it does not know the credentials. */
  readonly denied: Denied | null;

  constructor(
    code: ProviderErrorCode,
    message: string,
    retryAfterSeconds: number | null = null,
    denied: Denied | null = null,
  ) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    this.denied = code === "unauthorised" ? (denied ?? "call") : null;
  }

  /** Whether the same call may succeed later. */
  get isPassing(): boolean {
    return this.code === "rate_limited" || this.code === "no_capacity" || this.code === "unavailable";
  }
}
