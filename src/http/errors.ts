import type { Context } from "hono";
import { z } from "zod";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import type { Reader, Said } from "../lifecycle/model/words/said.ts";
import { say, text } from "../lifecycle/model/words/say.ts";
import { SUSPENDED } from "../lifecycle/rules/refusals.ts";
import { logError } from "../platform/log.ts";
import type { WrongSettings } from "../platform/settings.ts";
import { count } from "../service/meter.ts";
import type { ApiEnvironment } from "./environment.ts";
import { readerOfRequest } from "./language.ts";
import { component, jsonResponse } from "./openapi.ts";
import { requestFields } from "./request-id.ts";

/** How the API says no: one shape for every error, and never a stack trace. */

const issueSchema = component(
  "ErrorIssue",
  z
    .object({
      path: z.string(),
      message: z.string(),
      english: z.string().optional().describe("The message in English, where it is in another language"),
    })
    .readonly(),
);

const errorSchema = component(
  "ErrorResponse",
  z.object({
    success: z.literal(false),
    error: z.object({
      code: z.string(),
      message: z.string(),
      issues: z.array(issueSchema).readonly().optional(),
    }),
  }),
);

type ErrorResponse = z.infer<typeof errorSchema>;

/** What is wrong with one field, in English, and perhaps for any language. `path` says where in the request it is: `body.gpu_utilization`. */
export interface Issue {
  readonly path: string;
  readonly message: string;
  readonly said?: Said | undefined;
  /** It in the language of the request, where a schema has worded it so. */
  readonly worded?: string | undefined;
}

/** What each status means, and an example of its error. */
const ERRORS = {
  400: [
    "Malformed JSON, or a field that is not as it should be: `issues` names its path",
    {
      code: "invalid",
      message: "query.limit: Too big: expected number to be <=1000",
      issues: [{ path: "query.limit", message: "Too big: expected number to be <=1000" }],
    },
  ],
  401: ["No token, or one that is not valid", { code: "unauthorized", message: text("error.unauthorized") }],
  403: [
    "The token is for something else, or `suspended`: the operator has suspended the account; an enrollment token may also be `enrollment_expired` or `enrollment_used_up`",
    { code: "forbidden", message: "This needs a token of scope user, not instance" },
  ],
  404: ["Unknown, or somebody else's", { code: "not_found", message: text("error.not_found") }],
  409: ["Not possible as the instance stands", { code: "hibernated", message: text("refusal.hibernated") }],
  413: [
    "The body is larger than 16 KiB",
    { code: "too_large", message: "The body is larger than 16384 bytes" },
  ],
  429: [
    "Too many requests: try again after `Retry-After` seconds",
    { code: "too_many_requests", message: text("error.heartbeats_too_fast") },
  ],
  503: [
    "Not possible right now: try again after `Retry-After` seconds",
    { code: "unavailable", message: text("error.unavailable") },
  ],
} as const satisfies Record<number, readonly [string, ErrorResponse["error"]]>;

type ErrorStatus = keyof typeof ERRORS;

/** Every code that the API answers, and the status that goes with it. */
const STATUS_OF_CODE = {
  invalid: 400,
  malformed_json: 400,
  // The credentials of a provider were tried, and do not work.
  not_verified: 400,

  unauthorized: 401,
  forbidden: 403,
  // The operator has suspended the user.
  suspended: 403,
  // An enrollment token with which nothing more is registered.
  enrollment_expired: 403,
  enrollment_used_up: 403,
  not_found: 404,

  // An instance that cannot do what is asked of it now.
  hibernated: 409,
  hibernating: 409,
  deleted: 409,
  busy: 409,
  no_provider: 409,
  not_possible: 409,
  // An instance that a hibernation of many spares.
  pending: 409,
  kept_alive: 409,
  not_idle: 409,
  changed: 409,
  // An instance that cannot be registered, or cannot change to another machine.
  exists: 409,
  machine_watched: 409,
  no_credentials: 409,
  credentials_refused: 409,
  not_seen: 409,
  cannot_stop: 409,
  // Its machine would register it anew with the same enrollment token.
  removed: 409,
  // A further instance or channel, and a provider's credentials.
  too_many: 409,
  in_use: 409,
  // A person or a token without whom the account would have no owner.
  last_owner: 409,
  // A channel whose address its owner has not confirmed.
  unconfirmed: 409,

  too_large: 413,
  too_many_requests: 429,

  unreadable: 503,
  unavailable: 503,
  // The operator has set something that can't be: nothing is done until it is mended.
  misconfigured: 503,
} as const satisfies Record<string, ErrorStatus>;

type ErrorCode = keyof typeof STATUS_OF_CODE;

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: ErrorStatus;
  readonly issues: readonly Issue[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Why, for any language. */
  readonly said: Said;

  constructor(
    code: ErrorCode,
    said: Said,
    more: { readonly issues?: readonly Issue[]; readonly retryAfterSeconds?: number } = {},
  ) {
    super(say("en", said));
    this.said = said;
    this.code = code;
    // While a new version is rolled out, its actors may refuse with a code that this one does not know.
    this.status = STATUS_OF_CODE[code] ?? 409;
    this.issues = more.issues;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export const notFound = () => new ApiError("not_found", text("error.not_found"));

export function invalid(issues: readonly Issue[]): ApiError {
  return new ApiError("invalid", sayIssues(issues), { issues });
}

/** What is wrong with a field, where a phrase says it. */
export function issueAt(path: string, said: Said): Issue {
  return { path, message: say("en", said), said };
}

export function tooManyRequests(said: Said): ApiError {
  return new ApiError("too_many_requests", said, { retryAfterSeconds: 60 });
}

/** A user has as many of these as a user may have. */
export function tooMany(
  limit: number,
  what: "instances" | "channels" | "connections" | "tokens" | "enrollment_tokens",
  remedy: "remove" | "revoke" = "remove",
): ApiError {
  const told = { limit, what: phrase(`error.${what}`) };
  return new ApiError(
    "too_many",
    remedy === "remove" ? phrase("error.too_many", told) : phrase("error.too_many_revoke", told),
  );
}

/** The operator has suspended the user. */
export const suspended = () => new ApiError(SUSPENDED.code, SUSPENDED.said ?? SUSPENDED.message);

export const UNREADABLE_MESSAGE = text("error.unreadable");

/** The stored instance cannot be read. A later deployment may be able to; the cause was logged when it was read. */
export const unreadable = () => new ApiError("unreadable", UNREADABLE_MESSAGE, { retryAfterSeconds: 60 });

/** Nothing was done: it can be asked again. */
export const unavailable = (retryAfterSeconds: number) =>
  new ApiError("unavailable", UNAVAILABLE_MESSAGE, { retryAfterSeconds });

const UNAVAILABLE_MESSAGE = text("error.unavailable");

/** `issues` names each setting that is wrong, and never its value. */
export const misconfigured = ({ issues, message }: WrongSettings) =>
  new ApiError("misconfigured", `The service does not run: ${message}`, {
    issues: issues.map(({ name, message: must }) => ({ path: name, message: must })),
    retryAfterSeconds: 60,
  });

/** Answers any error that a request ended with. One that is not an `ApiError` is our own fault: 503, try again. */
export function answerError(error: unknown, c: Context<ApiEnvironment>): Response {
  const known = toApiError(error);
  if (known !== error) {
    logError("request failed", requestFields(c), error);
    count(c.env, c.executionCtx, "request_failures", {});
  }
  if (known.retryAfterSeconds !== undefined) c.header("Retry-After", String(known.retryAfterSeconds));
  return c.json<ErrorResponse>(
    {
      success: false,
      error: {
        code: known.code,
        ...worded(known, readerOfRequest(c)),
      },
    },
    known.status,
  );
}

/** Why something is refused, for this reader. */
function worded(
  { code, said, issues }: ApiError,
  reader: Reader,
): Pick<ErrorResponse["error"], "message" | "issues"> {
  if (issues === undefined) return { message: say(reader, said) };
  const told = issues.map(({ path, message: english, said: saysIt, worded }) => {
    const message = worded ?? say(reader, saysIt ?? english);
    return message === english ? { path, message } : { path, message, english };
  });
  // What a setting is about is said before the issues.
  const isOfRequest = code === "invalid" && reader.language !== "en";
  return { message: isOfRequest ? sayIssues(told) : say(reader, said), issues: told };
}

function sayIssues([first]: readonly Pick<Issue, "path" | "message">[]): string {
  return first === undefined ? text("error.invalid") : `${first.path}: ${first.message}`;
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return unavailable(5);
}

const RETRY_AFTER = {
  "Retry-After": { description: "Seconds to wait", schema: { type: "integer" as const } },
};

/**
 * The error responses of an endpoint for the OpenAPI document. Any endpoint may answer 503, and any that asks for a token 429.
 */
export function errorResponses(...statuses: ErrorStatus[]) {
  const limited = statuses.includes(401) ? ([429] as const) : [];
  const all = new Set<ErrorStatus>([...statuses, ...limited, 503]);
  return Object.fromEntries(
    [...all].map((status) => {
      const [description, error] = ERRORS[status];
      const headers = status === 429 || status === 503 ? { headers: RETRY_AFTER } : {};
      return [status, { ...jsonResponse(description, errorSchema, { success: false, error }), ...headers }];
    }),
  );
}
