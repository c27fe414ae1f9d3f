import type { ENGLISH } from "./english.ts";
import type { Phrase, Said } from "./said.ts";
import type { ParametersOf } from "./template.ts";

/** Makes phrases. What words them is apart, as it brings all words of all languages along. */

type English = typeof ENGLISH;

export type Code = keyof English;

/** The codes whose words have no place for anything. */
export type PlainCode = { [Key in Code]: English[Key] extends `${string}{${string}` ? never : Key }[Code];

type Parameters<Key extends Code> = Key extends PlainCode ? [] : [parameters: ParametersOf<English[Key]>];

/** A code with its parameters. */
export function phrase<Key extends Code>(code: Key, ...[parameters]: Parameters<Key>): Phrase {
  return { ...parameters, code };
}

/**
 * Several that are said together, without those that are empty.
 * - `sentences`: one after the other, each ending like a sentence but the last, which ends as it does.
 * - `and`: `a, b and c`. `commas`: `a, b, c`. `semicolons`: `a; b; c`. `numbered`: `(1) a; (2) b`.
 */
export function together(how: Together, said: readonly Said[]): Said {
  const [first = "", ...others] = said.filter((each) => each !== "");
  return others.length === 0 && how !== "numbered" ? first : { code: how, said: [first, ...others] };
}

export type Together = "sentences" | "and" | "commas" | "semicolons" | "numbered";
