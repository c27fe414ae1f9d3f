import { z } from "zod";
import { type ApiContext, issuesOf } from "../http/endpoint.ts";
import { ApiError, invalid } from "../http/errors.ts";
import { component } from "../http/openapi.ts";
import { type CalledProvider, type ConnectedProvider, connectionOf } from "../lifecycle/model/provider.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { wouldMoveMachines } from "../providers/place.ts";
import { credentialsSchema, tryCredentials } from "../providers/registry.ts";

/** Credentials as a request gives them, and how they are tried. */

export const verifyQuery = z.object({
  verify: z
    .enum(["true", "false"])
    .default("true")
    .describe("False: the credentials are not tried before they are kept"),
});

export const SAME_MACHINES =
  "Those of another Azure subscription are refused with 409 `in_use` while an instance belongs to the connection: there its reference is another machine's.";

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
    throw new ApiError("not_verified", phrase("error.not_verified", { problem: problem.message }));
  }
  return { credentials, checkedAt: Date.now() };
}

/** Throws 409 where these credentials would give instances of the connection other machines. */
export async function demandSameMachines(
  { env }: ApiContext,
  userId: string,
  connected: ConnectedProvider,
  credentials: unknown,
): Promise<void> {
  if (!(await wouldMoveMachines(env, userId, connected, credentials))) return;
  throw new ApiError("in_use", phrase("error.other_place", { connection: connectionOf(connected) ?? "" }));
}
