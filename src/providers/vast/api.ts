import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import type { ProviderError, ProviderErrorCode } from "../provider.ts";

/**
 * Vast.ai's API: a refusal may come as 200 with `success: false`, and words stand in `msg`, `message` or `detail`.
 * Errors and limits: https://docs.vast.ai/api-reference/rate-limits-and-errors.
 */

export const vastCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

export type VastCredentials = z.infer<typeof vastCredentialsSchema>;

/** One call, whose answer is a success by its status. Any other is a `ProviderError`. */
export type VastCall = (
  method: "GET" | "PUT" | "DELETE" | "POST",
  path: string,
  body?: unknown,
) => Promise<Answer>;

export function vastCalls(credentials: VastCredentials, baseUrl: string): VastCall {
  return async (method, path, body) => {
    const answer = await ask("Vast.ai", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_key}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    return answer;
  };
}

/** What a success by its status stands for that does not have the documented shape: a refusal, or nothing known. */
export function notGranted(answer: Answer): ProviderError {
  return decodeJson(z.object({ success: z.literal(false) }), answer.text) === null
    ? notUnderstood(answer)
    : errorOfAnswer(answer);
}

const words = z.string().nullish().catch(null);

const refusedSchema = z.object({
  success: z.literal(false).optional(),
  error: words,
  msg: words,
  message: words,
  detail: words,
});

/** The error that an answer stands for. */
export function errorOfAnswer(answer: Answer): ProviderError {
  const refused = decodeJson(refusedSchema, answer.text);
  const detail = refused?.msg ?? refused?.message ?? refused?.detail ?? undefined;
  return errorOf(answer, codeOf(answer, refused?.error ?? null), detail);
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf(answer: Answer, error: string | null): ProviderErrorCode | null {
  switch (error) {
    // From now on the start waits in the queue.
    case "resources_unavailable":
      return "no_capacity";
    case "no_such_instance":
    case "not_found":
      return "not_found";
    case "auth_error":
    case "permission_denied":
      return "unauthorised";
    case "rate_limit_exceeded":
      return "rate_limited";
    default:
      return isSuccess(answer) ? "refused" : null;
  }
}

/** Waits, since Vast.ai bears a call of one kind only so often. */
export type Pause = (ms: number) => Promise<void>;
