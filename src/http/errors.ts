import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";

/** How the API says no. One shape for every error, and never a stack trace. */

export interface Issue {
  /** Where in the request: `body.gpu_utilization`. */
  readonly path: string;
  readonly message: string;
}

export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly issues: readonly Issue[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    more: { readonly issues?: readonly Issue[]; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.issues = more.issues;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export const notFound = () => new ApiError(404, "not_found", "There is no such thing here");

/** The stored instance cannot be read: a later deployment may be able to. What is wrong was logged as it was read. */
export const unreadable = () =>
  new ApiError(503, "unreadable", UNREADABLE_MESSAGE, { retryAfterSeconds: 60 });

export const UNREADABLE_MESSAGE =
  "What is stored of this instance cannot be read by this version of the service; it is left as it is, and nothing is done";

/** Nothing was done: it can be asked again. */
export const unavailable = (retryAfterSeconds: number) =>
  new ApiError(503, "unavailable", UNAVAILABLE_MESSAGE, { retryAfterSeconds });

export const UNAVAILABLE_MESSAGE = "The service cannot answer right now";

export const errorSchema = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.string(),
    message: z.string(),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }).readonly())
      .readonly()
      .optional(),
  }),
});

export type ErrorBody = z.infer<typeof errorSchema>["error"];

/** Answers any error thrown on the way. What is not an `ApiError` is ours: 503, to be tried again. */
export function answerError(error: unknown, c: Context): Response {
  const known = toApiError(error);
  if (known !== error) console.error("request failed", c.req.method, c.req.path, error);
  if (known.retryAfterSeconds !== undefined) c.header("Retry-After", String(known.retryAfterSeconds));
  return c.json<z.infer<typeof errorSchema>>(
    {
      success: false,
      error: {
        code: known.code,
        message: known.message,
        ...(known.issues === undefined ? {} : { issues: known.issues }),
      },
    },
    known.status,
  );
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return unavailable(5);
}

export function invalid(issues: readonly Issue[]): ApiError {
  const [first] = issues;
  const message = first === undefined ? "The request is not valid" : `${first.path}: ${first.message}`;
  return new ApiError(400, "invalid", message, { issues });
}
