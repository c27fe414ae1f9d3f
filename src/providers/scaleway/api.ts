import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import type { ProviderErrorCode } from "../provider.ts";

/**
 * Scaleway's Instance API, zone by zone, and its errors, as its own SDK reads them:
 * https://github.com/scaleway/scaleway-sdk-go (api/instance/v1, scw/errors.go);
 * https://www.scaleway.com/en/developers/api/instances/.
 */

const SECRET_KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const scalewayCredentialsSchema = z.strictObject({
  secret_key: z.string().regex(SECRET_KEY, "must be the secret key of an API key: a UUID"),
});

export type ScalewayCredentials = z.infer<typeof scalewayCredentialsSchema>;

export const SCALEWAY_API = "https://api.scaleway.com";

/** Every zone that has Instances. The API does not name them. */
export const ZONES = [
  "fr-par-1",
  "fr-par-2",
  "fr-par-3",
  "nl-ams-1",
  "nl-ams-2",
  "nl-ams-3",
  "pl-waw-1",
  "pl-waw-2",
  "pl-waw-3",
  "it-mil-1",
] as const;

interface Question {
  readonly method: "GET" | "POST" | "DELETE";
  readonly zone: string;
  /** Within the zone. */
  readonly path: string;
  readonly body?: unknown;
  /** The id of what is asked for. Only an error that names it says that it is not there. */
  readonly id?: string;
}

export interface ScalewayCalls {
  /** The answer, which must have this shape; anything else is a `ProviderError`. */
  ask<T>(question: Question, shape: z.ZodType<T>): Promise<T>;
  /** Deletes it. The answer must be empty. */
  remove(question: Omit<Question, "method" | "body">): Promise<void>;
}

export function scalewayCalls(credentials: ScalewayCredentials, baseUrl: string): ScalewayCalls {
  const call = async ({ method, zone, path, body, id }: Question): Promise<Answer> => {
    const answer = await ask("Scaleway", `${baseUrl}/instance/v1/zones/${zone}${path}`, {
      method,
      headers: { "X-Auth-Token": credentials.secret_key, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer, id);
    return answer;
  };
  return {
    ask: async (question, shape) => {
      const answer = await call(question);
      const decoded = decodeJson(shape, answer.text);
      if (decoded === null) throw notUnderstood(answer);
      return decoded;
    },
    remove: async (question) => {
      const answer = await call({ ...question, method: "DELETE" });
      if (answer.status !== 204) throw notUnderstood(answer);
    },
  };
}

const errorSchema = z.object({
  type: z.string(),
  message: z.string().nullish(),
  help_message: z.string().nullish(),
  resource_id: z.string().nullish(),
});

type ScalewayError = z.infer<typeof errorSchema>;

function errorOfAnswer(answer: Answer, id: string | undefined) {
  const error = decodeJson(errorSchema, answer.text);
  if (error === null) return errorOf(answer, null);
  const words = error.help_message ?? error.message;
  return errorOf(answer, codeOf(answer, error, id), `${error.type}${words == null ? "" : `: ${words}`}`);
}

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf(answer: Answer, error: ScalewayError, id: string | undefined): ProviderErrorCode | null {
  switch (error.type) {
    case "not_found":
      return answer.status === 404 && id !== undefined && error.resource_id === id ? "not_found" : null;
    case "denied_authentication":
    case "permissions_denied":
      return "unauthorised";
    case "out_of_stock":
      return "no_capacity";
    case "transient_state":
      return "unavailable";
    case "too_many_requests":
      return "rate_limited";
    // A 403, like a key without permission.
    case "quotas_exceeded":
      return "refused";
    default:
      return null;
  }
}
