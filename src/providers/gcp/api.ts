import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import { ProviderError, type ProviderErrorCode } from "../provider.ts";
import { type GcpCredentials, GOOGLE_TOKEN_URL, tokenSource } from "./credentials.ts";

/**
 * Calls of Compute Engine's API (v1), and what its errors mean: `error.errors[].reason` tells, since the status alone does
 * not (403 is also "too fast" and "over quota"). An accepted order is an operation, which may carry an error of its own.
 * https://docs.cloud.google.com/compute/docs/reference/rest/v1 and the descriptions of the same API in its discovery
 * document; https://docs.cloud.google.com/compute/docs/troubleshooting/troubleshooting-resource-availability.
 */

/** Where Google is called. */
export interface GcpAddresses {
  readonly compute: string;
  readonly resourceManager: string;
  readonly token: string;
}

export const GOOGLE: GcpAddresses = {
  compute: "https://compute.googleapis.com/compute/v1/",
  resourceManager: "https://cloudresourcemanager.googleapis.com/v1/",
  token: GOOGLE_TOKEN_URL,
};

/** An error in Google's own form. */
export class GcpError extends ProviderError {
  /** As `reasonOf` writes them. */
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[], error: ProviderError) {
    super(error.code, error.message, error.retryAfterSeconds, error.denied);
    this.reasons = reasons;
  }
}

export interface GcpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly api: "compute" | "resourceManager";
  /** Relative to the API's address. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One call. Its answer must have this shape; anything else is a `ProviderError`. */
export type GcpCall = <T>(request: GcpRequest, shape: z.ZodType<T>) => Promise<T>;

export function gcpCalls(credentials: GcpCredentials, addresses: GcpAddresses): GcpCall {
  const tokens = tokenSource(credentials, addresses.token);
  return async (request, shape) => {
    const query = new URLSearchParams(request.query).toString();
    const url = `${addresses[request.api]}${request.path}${query === "" ? "" : `?${query}`}`;
    const headers = { Authorization: `Bearer ${await tokens.token()}`, "Content-Type": "application/json" };
    const answer = await ask("Google", url, {
      method: request.method,
      headers,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    if (answer.status === 401) tokens.forget();
    if (!isSuccess(answer)) throw errorOfAnswer(answer, request);
    const body = decodeJson(shape, answer.text);
    if (body === null) throw notUnderstood(answer);
    return body;
  };
}

const operationSchema = z.object({
  kind: z.literal("compute#operation"),
  error: z
    .object({ errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })) })
    .nullish(),
});

/**
 * Gives an order. Google answers with an operation: the order is accepted, unless the operation has failed already. A
 * repetition with the same `requestId` gets the first one's operation.
 */
export async function order(call: GcpCall, request: Omit<GcpRequest, "api">): Promise<void> {
  const { error } = await call({ ...request, api: "compute" }, operationSchema);
  if (error == null) return;
  const reasons = error.errors.map(({ code }) => reasonOf(code));
  const words = error.errors.map(({ code, message }) => `${code}: ${message ?? ""}`).join("; ");
  throw new GcpError(
    reasons,
    new ProviderError(codeOf(reasons) ?? "refused", `Google could not do it: ${words}`),
  );
}

const errorSchema = z.object({
  error: z.object({
    code: z.number(),
    message: z.string(),
    errors: z.array(z.object({ reason: z.string() })).default([]),
    details: z.array(z.object({ reason: z.string().optional() })).default([]),
  }),
});

function errorOfAnswer(answer: Answer, request: GcpRequest): ProviderError {
  const error = decodeJson(errorSchema, answer.text)?.error;
  if (error === undefined) return errorOf(answer, null);
  const reasons = [...error.errors, ...error.details].flatMap(({ reason }) =>
    reason === undefined ? [] : [reasonOf(reason)],
  );
  const isMissing =
    answer.status === 404 &&
    error.code === 404 &&
    reasons.includes("notfound") &&
    namesWhatWasAskedFor(error.message, request);
  const words = `${reasons.length === 0 ? "" : `${reasons.join(", ")}: `}${error.message}`;
  return new GcpError(reasons, errorOf(answer, isMissing ? "not_found" : codeOf(reasons), words));
}

/**
 * Whether the machine or image itself is what Google says was not found. It words an unknown zone or project, or a project
 * that the account may not see, in the same way.
 */
function namesWhatWasAskedFor(message: string, { path }: GcpRequest): boolean {
  const [, name] = /'(projects\/[^']+\/(?:instances|machineImages)\/[^'/]+)'/.exec(message) ?? [];
  return name !== undefined && (path === name || path.startsWith(`${name}/`));
}

/** Answers write `quotaExceeded` where operations write `QUOTA_EXCEEDED`: here both are `quotaexceeded`. */
function reasonOf(reason: string): string {
  return reason.replaceAll("_", "").toLowerCase();
}

/** What the first reason that is known means. Null when none is: then the HTTP status decides. */
function codeOf(reasons: readonly string[]): ProviderErrorCode | null {
  for (const reason of reasons) {
    const code = codeOfReason(reason);
    if (code !== null) return code;
  }
  return null;
}

function codeOfReason(reason: string): ProviderErrorCode | null {
  switch (reason) {
    case "accessnotconfigured":
    case "autherror":
    case "forbidden":
    case "insufficientpermissions":
    case "servicedisabled":
      return "unauthorised";
    case "dailylimitexceeded":
    case "operationrateexceeded":
    case "ratelimitexceeded":
    case "resourceoperationrateexceeded":
    case "userratelimitexceeded":
      return "rate_limited";
    case "quotaexceeded":
    case "stockout":
    case "zoneresourcepoolexhausted":
    case "zoneresourcepoolexhaustedwithdetails":
      return "no_capacity";
    // Another operation is on its way, so the order is not possible yet.
    case "resourceinusebyanotherresource":
    case "resourcenotready":
    case "backenderror":
    case "internalerror":
      return "unavailable";
    default:
      return null;
  }
}
