import { z } from "zod";

/**
 * What the service asks of a provider. Each call may be repeated and must then change nothing more: stopping what is
 * stopped is done. Every error is a `ProviderError`.
 */
export interface Provider {
  /** Stops paying for the GPU, keeping the disk. */
  hibernate(target: Target): Promise<Progress>;
  /** The same, when the gentle way may have failed. */
  forceHibernate(target: Target): Promise<Progress>;
  wake(target: Target): Promise<Progress>;
  /** Begins a snapshot, or finds the one that an earlier call of the same action began. */
  snapshot(target: Target): Promise<Snapshot>;
  /** How a snapshot that was begun stands. */
  snapshotState(snapshotId: string): Promise<"pending" | "ready" | "failed">;
  /** Destroys the instance and its data. */
  delete(target: Target): Promise<Progress>;
  /**
   * What the provider shows of the machine. What it does not show is `missing`, which is not yet gone. Fails only where
   * asking again may help, or where the credentials are refused.
   */
  status(target: Target): Promise<Sighting>;
  /**
   * Harmless calls that show whether the credentials may do what orders need. With a target the permissions are tried on
   * it; without one as far as they can be.
   */
  verify(target: Target | null): Promise<void>;
}

/** What a provider is asked within one order: a delete also asks for its snapshot. */
export const providerOrderSchema = z.enum(["hibernate", "force_hibernate", "wake", "snapshot", "delete"]);

export type ProviderOrder = z.infer<typeof providerOrderSchema>;

export interface Target {
  /** The provider's id of the instance. */
  readonly ref: string;
  readonly instanceId: string;
  /** The workflow of the action: unique for good. */
  readonly actionId: string;
}

/** `accepted`: it will be, ask for the status. `done`: it is. */
export type Progress = "accepted" | "done";

export interface Snapshot {
  /** Null until the provider says it. */
  readonly snapshotId: string | null;
  readonly done: boolean;
}

/**
 * What a provider shows of a machine.
 * - `running`, `starting`, `stopping`, `stopped`: it is there; `stopped` costs no GPU.
 * - `terminated`: the provider itself shows it as destroyed.
 * - `missing`: the provider's own error says that it knows no such machine. Another region, team or key looks the same,
 *   so it proves nothing by itself.
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
  /** Why it must not or can't be stopped, such as a spot request that would replace it; null when nothing stands against it. */
  readonly obstacle: string | null;
}

export type ProviderErrorCode =
  | "not_found"
  | "unauthorised"
  | "rate_limited"
  | "no_capacity"
  | "unsupported"
  | "refused"
  | "unavailable";

export class ProviderError extends Error {
  readonly code: ProviderErrorCode;
  /** How long the provider asks to be left alone; null when it does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(code: ProviderErrorCode, message: string, retryAfterSeconds: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Whether the same call may succeed later. */
  get isPassing(): boolean {
    return this.code === "rate_limited" || this.code === "no_capacity" || this.code === "unavailable";
  }
}
