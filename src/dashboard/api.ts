import { signal } from "@preact/signals";
import { ApiError } from "./api-error.ts";
import { browserTimezone, language } from "./language.ts";
import { forget, signedIn } from "./session.ts";

/** The service's REST API, as who is signed in: the browser sends the session along. The shapes are those of `/openapi.json`, of the same build. */

/** How much faster than in life the service's time passes, as its last answer said; 1 for a real one. */
export const simulationSpeed = signal(1);

const SPEED_HEADER = "X-Simulation-Speed";

export interface Polled<T> {
  readonly body: T;
  readonly tag: string | null;
}

/** Where somebody signs in and out. */
export const SESSION = "/api/session";

/** Calls the API. A refusal is thrown as an `ApiError`; by a 401 whoever has asked is signed out, but for that of a sign-in. */
export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, {}, body, signal);
  return response.json();
}

/** Reads what may have been read before: null when it is still as `known` has it. */
export async function poll<T>(path: string, known: string | null): Promise<Polled<T> | null> {
  const response = await send("GET", path, known === null ? {} : { "If-None-Match": known });
  if (response.status === 304) return null;
  return { body: await response.json(), tag: response.headers.get("ETag") };
}

/** Reads a table, page by page to its end. */
export async function readTable(path: string): Promise<string> {
  const pages: string[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const response: Response = await send("GET", next, { Accept: "text/csv" });
    const text = await response.text();
    // Each page has the head.
    pages.push(pages.length === 0 ? text : text.slice(text.indexOf("\n") + 1));
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1];
  }
  return pages.join("");
}

async function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
  signal?: AbortSignal,
) {
  const asker = signedIn.peek();
  const response = await fetch(path, {
    method,
    headers: {
      "Accept-Language": language.value,
      "Time-Zone": browserTimezone(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    credentials: "same-origin",
    // The tag is handled here: the browser would hide a 304.
    cache: "no-store",
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError(0, "");
  });
  simulationSpeed.value = Number(response.headers.get(SPEED_HEADER) ?? 1);
  if (response.ok || response.status === 304) return response;
  // That a token or a link lets nobody in says nothing of who is signed in; nor does an answer to who was signed in before.
  if (response.status === 401 && path !== SESSION && signedIn.peek() === asker) forget();
  const answer: { error?: { code?: string; message?: string; issues?: ApiError["issues"] } } = await response
    .json()
    .catch(() => ({}));
  const { code, message = response.statusText, issues } = answer.error ?? {};
  throw new ApiError(response.status, message, issues, code, retryAfterOf(response));
}

function retryAfterOf(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}
