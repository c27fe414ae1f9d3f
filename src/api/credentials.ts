import { z } from "zod";
import { type ApiContext, issuesOf } from "../http/endpoint.ts";
import { ApiError, invalid } from "../http/errors.ts";
import { component } from "../http/openapi.ts";
import type { CalledProvider } from "../lifecycle/model/provider.ts";
import { credentialsSchema, tryCredentials } from "../providers/registry.ts";

/** Credentials as a request gives them, and how they are tried. */

export const verifyQuery = z.object({
  verify: z
    .enum(["true", "false"])
    .default("true")
    .describe("False: the credentials are not tried before they are kept"),
});

/** The handler checks them: what they are depends on the kind of provider. */
export const givenCredentialsSchema = component("ProviderCredentials", z.record(z.string(), z.string()));

/** Credentials that have the form of their kind and, if they are to be tried, work. Throws 400 for others. */
export async function soundCredentials(
  { env }: ApiContext,
  kind: CalledProvider,
  given: unknown,
  path: string,
  { verify }: z.infer<typeof verifyQuery>,
): Promise<{ readonly credentials: unknown; readonly checkedAt: number | null }> {
  const read = credentialsSchema(kind, env).safeParse(given);
  if (!read.success) throw invalid(issuesOf(path, read.error));
  const credentials = read.data;
  if (verify === "false") return { credentials, checkedAt: null };
  const problem = await tryCredentials(kind, credentials, env);
  if (problem !== null) {
    throw new ApiError("not_verified", `The credentials were tried, and ${problem.message}`);
  }
  return { credentials, checkedAt: Date.now() };
}
