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
  status(target: Target): Promise<MachineState>;
  /** A harmless call that shows whether the credentials are good. */
  verify(): Promise<void>;
}

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

/** `stopped` costs no GPU. `gone`: there is no such instance. `unknown`: the provider can't tell. */
export type MachineState = "running" | "starting" | "stopping" | "stopped" | "gone" | "unknown";

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

  constructor(code: ProviderErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** Whether the same call may succeed later. */
  get isPassing(): boolean {
    return this.code === "rate_limited" || this.code === "no_capacity" || this.code === "unavailable";
  }
}

/** What an HTTP status means when the provider's documentation says nothing else. */
export function errorOfStatus(provider: string, status: number, detail: string): ProviderError {
  const message = `${provider} answered ${status}${detail === "" ? "" : `: ${detail.slice(0, 300)}`}`;
  if (status === 401 || status === 403) return new ProviderError("unauthorised", message);
  if (status === 404 || status === 410) return new ProviderError("not_found", message);
  if (status === 429) return new ProviderError("rate_limited", message);
  if (status >= 500 || status === 408) return new ProviderError("unavailable", message);
  return new ProviderError("refused", message);
}

const TIMEOUT_MS = 20_000;

/** `fetch`, with a time limit, whose failure to get an answer is a `ProviderError`. */
export async function request(
  provider: string,
  input: string | Request,
  init?: RequestInit,
): Promise<Response> {
  try {
    return await fetch(input, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new ProviderError("unavailable", `${provider} does not answer: ${String(error)}`);
  }
}
