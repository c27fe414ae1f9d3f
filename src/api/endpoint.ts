import { OpenAPIRoute } from "chanfana";
import type { Context } from "hono";
import { z } from "zod";
import type { Principal } from "./auth.ts";
import { readJsonBody } from "./body.ts";
import { ApiError, errorSchema, type Issue, invalid } from "./errors.ts";

export interface ApiEnvironment {
  Bindings: Env;
  Variables: { principal: Principal };
}

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
      else issues.push(...result.error.issues.map((issue) => toIssue(name, issue)));
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

function toIssue(part: string, issue: z.core.$ZodIssue): Issue {
  return { path: [part, ...issue.path.map(String)].join("."), message: issue.message };
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

const ERRORS = {
  400: "Malformed JSON, or a field that is not as it should be: `issues` names its path",
  401: "No token, or one that is not valid",
  403: "The token is for something else",
  404: "Unknown, or somebody else's",
  409: "Not possible as the instance stands",
  413: "The body is larger than 16 KiB",
  429: "Too many requests: try again after `Retry-After` seconds",
  503: "Not possible right now: try again after `Retry-After` seconds",
} as const;

type ErrorStatus = keyof typeof ERRORS;

const RETRY_AFTER = {
  "Retry-After": { description: "Seconds to wait", schema: { type: "integer" as const } },
};

/** The error responses of an endpoint for the OpenAPI page. Any endpoint may answer 503. */
export function errorResponses(...statuses: ErrorStatus[]) {
  return Object.fromEntries(
    [...statuses, 503 as const].map((status) => [
      status,
      {
        ...jsonResponse(ERRORS[status], errorSchema),
        ...(status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}),
      },
    ]),
  );
}
