import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import type { ProviderErrorCode } from "../provider.ts";

/**
 * Hyperstack's API (Infrahub v1). Orders are GETs, too. Errors, also one within a 200:
 * https://docs.hyperstack.cloud/docs/api-reference/errors; limits: …/api-reference/rate-limits.
 */

export const hyperstackCredentialsSchema = z.strictObject({ api_key: z.string().min(8).max(512) });

export type HyperstackCredentials = z.infer<typeof hyperstackCredentialsSchema>;

export const HYPERSTACK_API = "https://infrahub-api.nexgencloud.com/v1";

/** One call. Returns the answer, which must have this shape; anything else is a `ProviderError`. */
export type HyperstackCall = <T>(method: "GET" | "DELETE", path: string, shape: z.ZodType<T>) => Promise<T>;

export function hyperstackCalls(credentials: HyperstackCredentials, baseUrl: string): HyperstackCall {
  return async (method, path, shape) => {
    const answer = await ask("Hyperstack", `${baseUrl}${path}`, {
      method,
      headers: { api_key: credentials.api_key, Accept: "application/json" },
    });
    const refusal = decodeJson(refusalSchema, answer.text);
    if (!isSuccess(answer) || refusal !== null) {
      throw errorOf(answer, codeOf(answer, refusal), refusal?.message);
    }
    const body = decodeJson(shape, answer.text);
    if (body === null) throw notUnderstood(answer);
    return body;
  };
}

/** The answer to an order that Hyperstack has taken. */
export const acceptedSchema = z.object({ status: z.literal(true) });

const refusalSchema = z.object({
  status: z.literal(false),
  message: z.string(),
  error_reason: z.string().nullish(),
});

/** Hyperstack says only in words, as a `bad_request`, that it has no machine free for the flavor. */
const NO_CAPACITY =
  /(not enough|insufficient|no) (available |free )?(stock|capacity|resources|gpus?|hosts?)\b|out of stock|no valid host/i;

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf(answer: Answer, refusal: z.infer<typeof refusalSchema> | null): ProviderErrorCode | null {
  if (refusal === null) return null;
  if (NO_CAPACITY.test(refusal.message)) return "no_capacity";
  switch (refusal.error_reason) {
    case "not_found":
      return answer.status === 404 ? "not_found" : null;
    case "unauthorized":
    case "forbidden":
      return "unauthorised";
    case "server_error":
      return "unavailable";
    default:
      return isSuccess(answer) ? "refused" : null;
  }
}
