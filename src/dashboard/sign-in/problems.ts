import type { ApiError } from "../api-error.ts";
import { words } from "../words.ts";
import { signInWords } from "./words.ts";

/** Why nobody was let in, in words. */

/** Of the OpenID provider, by the code that stands in the address. */
export function openIdProblem(code: string): string {
  return knownProblem(code) ?? signInWords.value.otherProblem;
}

/** The same; null for a code that is none. */
export function knownProblem(code: string): string | null {
  return new Map(Object.entries(signInWords.value.problems)).get(code) ?? null;
}

export function tokenProblem(error: ApiError): string {
  const { wrongToken, notAUserToken } = signInWords.value;
  switch (error.status) {
    case 400:
    case 401:
      return wrongToken;
    case 403:
      return error.code === "suspended" ? signInWords.value.suspended : notAUserToken;
    default:
      return otherProblem(error);
  }
}

export function linkProblem(error: ApiError): string {
  const { linkRefused, suspended } = signInWords.value;
  switch (error.status) {
    case 400:
    case 401:
    case 404:
    case 409:
    case 410:
      return linkRefused;
    case 403:
      return error.code === "suspended" ? suspended : linkRefused;
    default:
      return otherProblem(error);
  }
}

export function otherProblem({ status }: ApiError): string {
  switch (status) {
    case 0:
    case 503:
      return words.value.offline;
    case 429:
      return signInWords.value.tooMany;
    default:
      return words.value.failed;
  }
}
