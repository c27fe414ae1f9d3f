import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import type { ProviderErrorCode } from "../provider.ts";

/**
 * Calls of Verda's API v1 (formerly DataCrunch), its access tokens, and its errors: a `code` and a `message`.
 * https://api.datacrunch.io/v1/docs, as its own SDKs read it: https://github.com/verda-cloud/verdacloud-sdk-go (pkg/verda/auth.go,
 * errors.go) and https://github.com/verda-cloud/sdk-python (the codes).
 */

export const verdaCredentialsSchema = z.strictObject({
  client_id: z.string().min(8).max(256),
  client_secret: z.string().min(8).max(512),
});

export type VerdaCredentials = z.infer<typeof verdaCredentialsSchema>;

export const VERDA_API = "https://api.verda.com/v1";

/** A token is renewed this long before its end, so that it does not end on its way. */
const RENEWAL_MS = 60_000;

/** Anything but visible ASCII would make a header that can't be sent. */
const tokenSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: z.number().positive(),
});

/** One call, which returns a success of any form. With an order it is a PUT. */
export type VerdaCall = (path: string, order?: unknown) => Promise<Answer>;

export function verdaCalls(credentials: VerdaCredentials, baseUrl: string): VerdaCall {
  let kept: { readonly token: string; readonly endsAt: number } | null = null;
  const token = async (): Promise<string> => {
    if (kept !== null && Date.now() < kept.endsAt) return kept.token;
    const answer = await ask("Verda", `${baseUrl}/oauth2/token`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ grant_type: "client_credentials", ...credentials }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    const given = decodeJson(tokenSchema, answer.text);
    if (given === null) throw notUnderstood(answer);
    kept = { token: given.access_token, endsAt: Date.now() + given.expires_in * 1000 - RENEWAL_MS };
    return kept.token;
  };
  return async (path, order) => {
    const answer = await ask("Verda", `${baseUrl}${path}`, {
      method: order === undefined ? "GET" : "PUT",
      headers: { Authorization: `Bearer ${await token()}`, "Content-Type": "application/json" },
      ...(order === undefined ? {} : { body: JSON.stringify(order) }),
    });
    if (answer.status === 401) kept = null;
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    return answer;
  };
}

/** The JSON of an answer, which must have this shape. */
export function decoded<T>(answer: Answer, shape: z.ZodType<T>): T {
  const body = decodeJson(shape, answer.text);
  if (body === null) throw notUnderstood(answer);
  return body;
}

const errorSchema = z.object({ code: z.string(), message: z.string() });

function errorOfAnswer(answer: Answer) {
  const error = decodeJson(errorSchema, answer.text);
  return error === null
    ? errorOf(answer, null)
    : errorOf(answer, codeOf(answer, error.code), `${error.code}: ${error.message}`);
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf({ status }: Answer, code: string): ProviderErrorCode | null {
  switch (code) {
    case "not_found":
      return status === 404 ? "not_found" : null;
    case "unauthorized_request":
    case "invalid_client":
      return "unauthorised";
    // The action is forbidden in the state that the machine is in: the key is fine.
    case "forbidden_action":
    case "insufficient_funds":
      return "refused";
    case "server_error":
    case "service_unavailable":
      return "unavailable";
    default:
      return null;
  }
}
