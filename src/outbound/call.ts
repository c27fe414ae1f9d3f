import { Webhook } from "standardwebhooks";
import { refuseUrl } from "./public-url.ts";

/** Calls to addresses that users name. */

const TIMEOUT_MS = 15_000;
const MAXIMUM_ANSWER_BYTES = 64 * 1024;

interface Answer {
  readonly status: number;
  readonly body: string;
  /** What `Retry-After` asks for; null when it is absent or a date. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Posts JSON to a public address and returns its answer, whatever the status. Redirects are not followed: they could
 * lead to an address that is refused. Throws when the address is refused or does not answer.
 */
export async function post(
  url: string,
  body: string,
  headers: Record<string, string>,
  allowLoopback: boolean,
): Promise<Answer> {
  const refusal = refuseUrl(url, allowLoopback);
  if (refusal !== null) throw new Error(`the URL ${refusal}`);
  const abort = new AbortController();
  // `AbortSignal.timeout` would leave its timer pending, and keep an object awake that calls out.
  const timer = setTimeout(() => abort.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
      redirect: "manual",
      signal: abort.signal,
    });
    return {
      status: response.status,
      body: (await readText(response, MAXIMUM_ANSWER_BYTES)).text,
      retryAfterSeconds: retryAfterSecondsOf(response),
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The same, signed as Standard Webhooks says (https://www.standardwebhooks.com). `messageId` stays the same when the
 * call is repeated, so that the receiver recognizes a message that it has seen.
 */
export async function postSigned(
  endpoint: { readonly url: string; readonly secret: string },
  messageId: string,
  body: string,
  allowLoopback: boolean,
): Promise<Answer> {
  const sentAt = new Date();
  const headers = {
    "webhook-id": messageId,
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
    "webhook-signature": new Webhook(endpoint.secret).sign(messageId, sentAt, body),
  };
  return post(endpoint.url, body, headers, allowLoopback);
}

/** What `Retry-After` asks for; null when it is absent or a date. */
export function retryAfterSecondsOf(response: Response): number | null {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/** The body as text, and whether it is whole: reading stops at `maximumBytes`. */
export async function readText(
  response: Response,
  maximumBytes: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  if (response.body === null) return { text: "", isWhole: true };
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maximumBytes) return { text, isWhole: false };
    text += decoder.decode(chunk, { stream: true });
  }
  return { text, isWhole: true };
}
