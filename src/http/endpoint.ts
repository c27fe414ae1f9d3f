import { OpenAPIRoute } from "chanfana";
import type { Context } from "hono";
import { z } from "zod";
import portuguese from "zod/v4/locales/pt-BR.js";
import type { Language } from "../lifecycle/model/words/said.ts";
import { MAXIMUM_BODY_BYTES, readJsonBody } from "./body.ts";
import type { ApiEnvironment } from "./environment.ts";
import { type Issue, invalid, notFound } from "./errors.ts";
import { languageOf } from "./language.ts";

/** What a schema says of what is wrong, where it has no words of its own. */
const ERRORS: Readonly<Record<Language, z.core.$ZodErrorMap | undefined>> = {
  en: undefined,
  "pt-BR": portuguese().localeError,
};

export type ApiContext = Context<ApiEnvironment>;

/**
 * A route of the API: `schema` gives the check of the request, its types and the OpenAPI document; `handle` does the
 * work. Requests are checked here and not by chanfana, which takes malformed JSON for an empty body.
 */
export abstract class Endpoint extends OpenAPIRoute<[ApiContext]> {
  /** What a request may hold at most. */
  readonly maximumBodyBytes: number = MAXIMUM_BODY_BYTES;

  /** Of the query: what may be given several times. Of anything else the first counts. */
  readonly repeatedQuery: readonly string[] = [];

  override async validateRequest(request: Request): Promise<Record<string, unknown>> {
    const { params, query, body } = this.schema.request ?? {};
    const given = await this.getUnvalidatedData();
    const bodySchema = body?.content["application/json"]?.schema;
    const parts: [string, unknown, unknown][] = [
      ["params", params, given.params],
      ["query", query, given.query],
      [
        "body",
        bodySchema,
        bodySchema === undefined ? undefined : await readJsonBody(request, this.maximumBodyBytes),
      ],
    ];
    const language = languageOf(this.args[0]);
    const data: Record<string, unknown> = {};
    const issues: Issue[] = [];
    for (const [name, schema, value] of parts) {
      if (!(schema instanceof z.ZodType)) continue;
      const result = await schema.safeParseAsync(value);
      if (result.success) data[name] = result.data;
      else issues.push(...(await worded(issuesOf(name, result.error), schema, value, language)));
    }
    // Nothing has a malformed id.
    if (issues.some((issue) => issue.path.startsWith("params."))) throw notFound();
    if (issues.length > 0) throw invalid(issues);
    return data;
  }

  /** The request's parameters, without its body: that is read above. */
  override async getUnvalidatedData(): Promise<{ params?: unknown; query?: unknown }> {
    const [c] = this.args;
    const repeated = this.repeatedQuery.map((name) => [name, c.req.queries(name)]);
    return { params: c.req.param(), query: { ...c.req.query(), ...Object.fromEntries(repeated) } };
  }
}

/** The same issues, with the words that the schema has for them in this language. */
async function worded(
  issues: readonly Issue[],
  schema: z.ZodType,
  value: unknown,
  language: Language,
): Promise<readonly Issue[]> {
  const error = ERRORS[language];
  if (error === undefined) return issues;
  const again = await schema.safeParseAsync(value, { error });
  return issues.map((issue, index) => {
    const message = again.error?.issues[index]?.message;
    return message === undefined || message === issue.message ? issue : { ...issue, worded: message };
  });
}

/** What is wrong with a part of the request, each with its path. */
export function issuesOf(part: string, error: z.ZodError): Issue[] {
  return error.issues.map((issue) => ({
    path: [part, ...issue.path.map(String)].join("."),
    message: issue.message,
  }));
}
