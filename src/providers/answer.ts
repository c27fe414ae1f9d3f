import type { z } from "zod";
import type { ProviderKind } from "../lifecycle/model/provider.ts";
import { referenceIssue } from "../lifecycle/model/reference.ts";
import { readText, retryAfterSecondsOf } from "../outbound/call.ts";
import { ProviderError, type ProviderErrorCode, type Sighting, type Target } from "./provider.ts";

/** What the drivers share: a call with a time limit, an answer of limited size, and what both mean. */

const TIMEOUT_MS = 20_000;
const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;
const MAXIMUM_DETAIL_CHARACTERS = 300;

export interface Answer {
  readonly provider: string;
  readonly status: number;
  readonly text: string;
  readonly retryAfterSeconds: number | null;
}

/**
 * Calls a provider's API and returns its answer, whatever the status. A redirect is not followed, because it would take
 * the key to another address. No answer, or one that is too long, is a `ProviderError`.
 */
export async function ask(provider: string, input: string | Request, init?: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(input, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { text, isWhole } = await readText(response, MAXIMUM_ANSWER_BYTES);
    if (!isWhole) throw new Error(`its answer is longer than ${MAXIMUM_ANSWER_BYTES} bytes`);
    return { provider, status: response.status, text, retryAfterSeconds: retryAfterSecondsOf(response) };
  } catch (error) {
    throw new ProviderError("unavailable", `${provider} does not answer: ${String(error)}`);
  }
}

export function isSuccess({ status }: Pick<Answer, "status">): boolean {
  return status >= 200 && status <= 299;
}

/** The JSON of an answer if it has this shape; otherwise null. */
export function decodeJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * The error that an answer stands for: `code`, if the provider's own error was understood, or else what the HTTP status
 * means. A 404 or 410 without an error of the provider's own may come from a proxy or a retired API, so it never means
 * that the machine does not exist.
 */
export function errorOf(answer: Answer, code: ProviderErrorCode | null, detail = answer.text): ProviderError {
  const words = detail.slice(0, MAXIMUM_DETAIL_CHARACTERS);
  return new ProviderError(
    code ?? codeOfStatus(answer.status),
    `${answer.provider} answered ${answer.status}${words === "" ? "" : `: ${words}`}`,
    answer.retryAfterSeconds,
    // A 403 knows who asks.
    answer.status === 403 ? "call" : "credentials",
  );
}

function codeOfStatus(status: number): ProviderErrorCode {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 429) return "rate_limited";
  if (status >= 500 || status === 408) return "unavailable";
  return "refused";
}

/** A success in a shape that is not documented. It does not count as accepted; asking again does no harm. */
export function notUnderstood(answer: Answer): ProviderError {
  const words = answer.text.slice(0, MAXIMUM_DETAIL_CHARACTERS);
  return new ProviderError("unavailable", `${answer.provider} answered what is not understood: ${words}`);
}

/** Throws for a reference that does not have the provider's form, before it becomes part of a call. */
export function requireReference(kind: ProviderKind, target: Target): void {
  const issue = referenceIssue(kind, target.ref);
  if (issue !== null) throw new ProviderError("refused", `the provider's reference ${issue}`);
}

/**
 * Makes a sighting of some errors of `look`: a machine that the provider does not know is missing, and its state is
 * unknown when the provider refuses to tell. Errors that may pass, or that lie in the credentials, are thrown on.
 */
export async function sight(look: () => Promise<Sighting>): Promise<Sighting> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    switch (error.code) {
      case "not_found":
        return { state: "missing" };
      case "refused":
      case "unsupported":
        return { state: "unknown", because: error.message };
      case "unauthorised":
      case "rate_limited":
      case "no_capacity":
      case "unavailable":
        throw error;
    }
  }
}
