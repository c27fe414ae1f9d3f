import type { z } from "zod";
import { type ProviderKind, referenceIssue } from "../lifecycle/model/provider.ts";
import { readText, retryAfterSecondsOf } from "../outbound/call.ts";
import { ProviderError, type ProviderErrorCode, type Sighting, type Target } from "./provider.ts";

/** What the drivers share: a call with an end, an answer with a bound, and what both mean. */

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
 * Calls a provider's API and gives back what it answered, whatever the status. A redirect is not followed: it would
 * take the key to another address. No answer, or one without end, is a `ProviderError`.
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

/** The JSON of an answer when it is of this shape; null when it is not. */
export function decodeJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/**
 * The error that an answer stands for: what the provider's own error `code` means, if it was understood, else what the
 * HTTP status means. A 404 or 410 without the provider's own word may come from a proxy or a retired API: it never
 * means that the machine is not there.
 */
export function errorOf(answer: Answer, code: ProviderErrorCode | null, detail = answer.text): ProviderError {
  const words = detail.slice(0, MAXIMUM_DETAIL_CHARACTERS);
  return new ProviderError(
    code ?? codeOfStatus(answer.status),
    `${answer.provider} answered ${answer.status}${words === "" ? "" : `: ${words}`}`,
    answer.retryAfterSeconds,
  );
}

function codeOfStatus(status: number): ProviderErrorCode {
  if (status === 401 || status === 403) return "unauthorised";
  if (status === 429) return "rate_limited";
  if (status >= 500 || status === 408) return "unavailable";
  return "refused";
}

/** An answer that says yes in a shape that nobody documented: no acceptance. Asking again changes nothing more. */
export function notUnderstood(answer: Answer): ProviderError {
  const words = answer.text.slice(0, MAXIMUM_DETAIL_CHARACTERS);
  return new ProviderError("unavailable", `${answer.provider} answered what is not understood: ${words}`);
}

/** Refuses a reference that is not of the provider's form before it becomes part of a call. */
export function requireReference(kind: ProviderKind, target: Target): void {
  const issue = referenceIssue(kind, target.ref);
  if (issue !== null) throw new ProviderError("refused", `the provider's reference ${issue}`);
}

/**
 * What a look shows. A provider that says it knows no such machine shows it as missing; one that will not say leaves it
 * unknown. An error that may pass, or that lies in the credentials, stays one.
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
