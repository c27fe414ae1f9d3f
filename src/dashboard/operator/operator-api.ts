import { ApiError } from "../api-error.ts";
import { asApiError, type Live, useRepeated } from "../poll.ts";
import { operatorToken } from "./operator-token.ts";

/** The operator's part of the API, asked with the operator's own token. */

const PAUSE_MS = 30_000;

/** A 401 forgets the token; any refusal is thrown as an `ApiError`. */
export async function askAsOperator<T>(method: string, path: string, body?: unknown): Promise<T> {
  try {
    return await askWith<T>(operatorToken.peek() ?? "", method, path, body);
  } catch (error) {
    if (asApiError(error).status === 401) operatorToken.value = null;
    throw error;
  }
}

async function askWith<T>(token: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`/api/admin${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    credentials: "omit",
    cache: "no-store",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError(0, "");
  });
  if (response.ok) return response.json();
  const answer: { error?: { code?: string; message?: string; issues?: ApiError["issues"] } } = await response
    .json()
    .catch(() => ({}));
  const { code, message = response.statusText, issues } = answer.error ?? {};
  throw new ApiError(response.status, message, issues, code);
}

/** What the operator's API says at `path`, read again and again. */
export function useOperator<T>(path: string): Live<T> {
  return useRepeated(
    path,
    () => () => askAsOperator<T>("GET", path),
    () => PAUSE_MS,
  );
}

/** Keeps the token if it is the operator's; null if it is, else why not. */
export async function tryToken(token: string): Promise<ApiError | null> {
  try {
    await askWith(token, "GET", "/events?limit=1");
  } catch (error) {
    return asApiError(error);
  }
  operatorToken.value = token;
  return null;
}

export interface Service {
  readonly version: string;
  readonly migration: string;
  readonly databases: readonly {
    name: string;
    status: "ok" | "behind" | "no_answer";
    migration: string | null;
  }[];
  readonly instances_by_status: Readonly<Record<string, number>>;
  readonly guard: { readonly closed_at: string | null; readonly opened_at: string | null };
  readonly users_with_closed_guard: number;
  readonly cleanup: {
    readonly started_at: string;
    readonly instances: number;
    readonly unreachable: number;
    readonly passed_over: Readonly<Record<string, number>>;
  } | null;
  readonly deliveries: { readonly parked: number; readonly given_up: number; readonly late_alerts: number };
  readonly failures: {
    readonly requests: number;
    readonly overdue_orders: number;
    readonly late_alarms: number;
    readonly broken_invariants: number;
  };
  readonly providers: readonly {
    readonly provider: string;
    readonly calls: number;
    readonly average_wait_seconds: number | null;
    readonly limited: number;
    readonly given_up: number;
  }[];
  readonly channels: readonly {
    readonly kind: string;
    readonly delivered: number;
    readonly failed: number;
    readonly given_up: number;
  }[];
}

export type Standing = "active" | "suspended" | "deleting" | "deleted";

export interface ListedUser {
  readonly user_id: string;
  readonly name: string;
  readonly created_at: string;
  readonly standing: Standing;
}

/** What is shown of a user's fleet. */
export interface Inspection {
  readonly instances_by_status: Readonly<Record<string, number>>;
  readonly guard: { readonly closed_at: string | null };
  readonly waiting_alerts: {
    readonly critical: number;
    readonly others: number;
    readonly oldest_at: string | null;
  };
  readonly waiting_deliveries: number;
  readonly deliveries: readonly {
    readonly delivery_id: string;
    readonly channel_id: string;
    readonly retry_at: string | null;
    readonly postponed_since: string | null;
  }[];
  readonly database_bytes: number;
}
