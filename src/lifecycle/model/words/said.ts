import { z } from "zod";

/**
 * What is said to people: a phrase, which is a code with its parameters, so that it can be worded in any language, or words that
 * somebody else has chosen, such as a provider, a person or a former release.
 */
export type Said = string | Phrase;

export interface Phrase {
  readonly code: string;
  readonly [parameter: string]: ParameterValue;
}

export type ParameterValue = string | number | Phrase | readonly Said[];

export const LANGUAGES = ["en", "pt-BR"] as const;

export type Language = (typeof LANGUAGES)[number];

/** Who is told something: in which language, and in whose time. A null zone is UTC, as times are written where nobody has chosen one. */
export interface Reader {
  readonly language: Language;
  readonly timeZone: string | null;
}

/** Whoever has chosen nothing. */
export const ANYBODY: Reader = { language: "en", timeZone: null };

/** What is told at most by one phrase: what is stored of it stays small, whoever has a word in it. */
const DEEPEST = 8;
const PARAMETERS = 16;
const CHARACTERS = 4000;

/** Whether it is a phrase within bounds, perhaps of a newer release. */
function isPhrase(value: unknown, depth = 0): value is Phrase {
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth > DEEPEST) return false;
  const parameters = Object.entries(value);
  return (
    "code" in value &&
    typeof value.code === "string" &&
    parameters.length <= PARAMETERS &&
    parameters.every(([, parameter]) => isParameter(parameter, depth + 1))
  );
}

function isParameter(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.length <= CHARACTERS;
  if (typeof value === "number") return true;
  if (!Array.isArray(value)) return isPhrase(value, depth);
  return (
    value.length <= PARAMETERS &&
    value.every((each) => (typeof each === "string" ? each.length <= CHARACTERS : isPhrase(each, depth)))
  );
}

/** A phrase as it is stored. */
export const phraseSchema = z.custom<Phrase>((value) => isPhrase(value), "expected a phrase");
