/** Why the API did not do what it was asked. */
export class ApiError extends Error {
  readonly status: number;
  /** Empty for an answer that does not say it. */
  readonly code: string;
  /** What is wrong with single fields, each with its path. */
  readonly issues: readonly {
    readonly path: string;
    readonly message: string;
    /** The message in English, where it is in another language. */
    readonly english?: string | undefined;
  }[];
  /** After how long it may be asked again; null where the answer does not say it. */
  readonly retryAfterMs: number | null;

  constructor(
    status: number,
    message: string,
    issues: ApiError["issues"] = [],
    code = "",
    retryAfterMs: number | null = null,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.issues = issues;
    this.retryAfterMs = retryAfterMs;
  }
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, String(error));
}
