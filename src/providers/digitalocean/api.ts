import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import type { ProviderErrorCode } from "../provider.ts";

/**
 * DigitalOcean's API v2, and its errors: an `id` that names the HTTP status, and words.
 * https://docs.digitalocean.com/reference/api; its OpenAPI file: https://github.com/digitalocean/openapi.
 */

export const digitalOceanCredentialsSchema = z.strictObject({ api_token: z.string().min(8).max(512) });

export type DigitalOceanCredentials = z.infer<typeof digitalOceanCredentialsSchema>;

export const DIGITALOCEAN_API = "https://api.digitalocean.com/v2";

export interface DigitalOceanCalls {
  /** The answer, which must have this shape; anything else is a `ProviderError`. With an order it is a POST. */
  ask<T>(path: string, shape: z.ZodType<T>, order?: unknown): Promise<T>;
  /** Deletes it. The answer must be a 204. */
  remove(path: string): Promise<void>;
}

export function digitalOceanCalls(credentials: DigitalOceanCredentials, baseUrl: string): DigitalOceanCalls {
  const call = async (method: string, path: string, order?: unknown): Promise<Answer> => {
    const answer = await ask("DigitalOcean", `${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${credentials.api_token}`, "Content-Type": "application/json" },
      ...(order === undefined ? {} : { body: JSON.stringify(order) }),
    });
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    return answer;
  };
  return {
    ask: async (path, shape, order) => {
      const answer = await call(order === undefined ? "GET" : "POST", path, order);
      const body = decodeJson(shape, answer.text);
      if (body === null) throw notUnderstood(answer);
      return body;
    },
    remove: async (path) => {
      const answer = await call("DELETE", path);
      if (answer.status !== 204) throw notUnderstood(answer);
    },
  };
}

const errorSchema = z.object({ id: z.string(), message: z.string() });

type Failure = z.infer<typeof errorSchema>;

function errorOfAnswer(answer: Answer) {
  const error = decodeJson(errorSchema, answer.text);
  return error === null
    ? errorOf(answer, null)
    : errorOf(answer, codeOf(answer, error), `${error.id}: ${error.message}`);
}

/** Only the words say that another action on the machine is under way. */
const PENDING = /\bpending event\b|\balready (in progress|being processed)\b/i;

/** Null for an error that is not known: then the HTTP status decides. */
function codeOf({ status }: Answer, { id, message }: Failure): ProviderErrorCode | null {
  switch (id.toLowerCase()) {
    case "not_found":
      return status === 404 ? "not_found" : null;
    case "unauthorized":
    case "forbidden":
      return "unauthorised";
    case "too_many_requests":
      return "rate_limited";
    case "server_error":
      return "unavailable";
    case "unprocessable_entity":
      return PENDING.test(message) ? "unavailable" : null;
    default:
      return null;
  }
}
