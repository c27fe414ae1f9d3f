import { OpenAPIRoute } from "chanfana";
import type { Context } from "hono";
import { z } from "zod";
import type { ApiEnvironment } from "./authenticate.ts";
import { readJsonBody } from "./body.ts";
import { ApiError, type ErrorBody, errorSchema, type Issue, invalid } from "./errors.ts";

export type ApiContext = Context<ApiEnvironment>;

/**
 * A route of the API: `schema` gives the check, the types and the OpenAPI page; `handle` does the work. Requests are
 * checked here and not by chanfana, which takes malformed JSON for an empty body.
 */
export abstract class Endpoint extends OpenAPIRoute<[ApiContext]> {
  override async validateRequest(request: Request): Promise<Record<string, unknown>> {
    const { params, query, body } = this.schema.request ?? {};
    const given = await this.getUnvalidatedData();
    const bodySchema = body?.content["application/json"]?.schema;
    const parts: [string, unknown, unknown][] = [
      ["params", params, given.params],
      ["query", query, given.query],
      ["body", bodySchema, bodySchema === undefined ? undefined : await readJsonBody(request)],
    ];
    const data: Record<string, unknown> = {};
    const issues: Issue[] = [];
    for (const [name, schema, value] of parts) {
      if (!(schema instanceof z.ZodType)) continue;
      const result = await schema.safeParseAsync(value);
      if (result.success) data[name] = result.data;
      else issues.push(...issuesOf(name, result.error));
    }
    // A path that can't be is a thing that is not there.
    if (issues.some((issue) => issue.path.startsWith("params."))) {
      throw new ApiError(404, "not_found", "There is no such thing here");
    }
    if (issues.length > 0) throw invalid(issues);
    return data;
  }

  /** What chanfana reads of a request, but for the body, which is read above. */
  override async getUnvalidatedData(): Promise<{ params?: unknown; query?: unknown }> {
    const [c] = this.args;
    return { params: c.req.param(), query: c.req.query() };
  }
}

/** What is wrong with a part of the request, each with its path. */
export function issuesOf(part: string, error: z.ZodError): Issue[] {
  return error.issues.map((issue) => ({
    path: [part, ...issue.path.map(String)].join("."),
    message: issue.message,
  }));
}

/** A JSON response for the OpenAPI page. */
export function jsonResponse<T extends z.ZodType>(description: string, schema: T, example?: z.input<T>) {
  return {
    description,
    content: { "application/json": example === undefined ? { schema } : { schema, example } },
  };
}

/** A JSON request body for the OpenAPI page and the check. */
export function jsonBody<T extends z.ZodType>(schema: T, example: z.input<T>, required = true) {
  return { required, content: { "application/json": { schema, example } } };
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
  401: [
    "No token, or one that is not valid",
    { code: "unauthorized", message: "A valid bearer token is needed" },
  ],
  403: [
    "The token is for something else",
    { code: "forbidden", message: "This needs a token of scope user, not instance" },
  ],
  404: ["Unknown, or somebody else's", { code: "not_found", message: "There is no such thing here" }],
  409: [
    "Not possible as the instance stands",
    { code: "hibernated", message: "The instance is hibernated: wake it first" },
  ],
  413: [
    "The body is larger than 16 KiB",
    { code: "too_large", message: "The body is larger than 16384 bytes" },
  ],
  429: [
    "Too many requests: try again after `Retry-After` seconds",
    { code: "too_many_requests", message: "Too many heartbeats: one a minute is enough" },
  ],
  503: [
    "Not possible right now: try again after `Retry-After` seconds",
    { code: "unavailable", message: "The service cannot answer right now" },
  ],
} as const satisfies Record<number, readonly [string, ErrorBody]>;

type ErrorStatus = keyof typeof ERRORS;

const RETRY_AFTER = {
  "Retry-After": { description: "Seconds to wait", schema: { type: "integer" as const } },
};

/** The error responses of an endpoint for the OpenAPI page. Any endpoint may answer 503. */
export function errorResponses(...statuses: ErrorStatus[]) {
  return Object.fromEntries(
    [...statuses, 503 as const].map((status) => {
      const [description, error] = ERRORS[status];
      const headers = status === 429 || status === 503 ? { headers: RETRY_AFTER } : {};
      return [status, { ...jsonResponse(description, errorSchema, { success: false, error }), ...headers }];
    }),
  );
}
