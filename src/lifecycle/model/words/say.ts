import { DAY_MS } from "../time.ts";
import { ENGLISH } from "./english.ts";
import type { PlainCode, Together } from "./phrase.ts";
import { PORTUGUESE } from "./portuguese.ts";
import type { Language, ParameterValue, Phrase, Reader, Said } from "./said.ts";
import { SPEECH } from "./speech.ts";
import { type Part, partsOf } from "./template.ts";

/** Words what is said, in the language of whoever reads it. */

const TEMPLATES: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  en: ENGLISH,
  "pt-BR": PORTUGUESE,
};

/** The words of a code without parameters, which stand for it wherever only text is kept. */
export function text(code: PlainCode): string {
  return ENGLISH[code];
}

/** It in this language, or in the language and the time of this reader. */
export function say(to: Language | Reader, said: Said): string {
  const reader = readerOf(to);
  return trySay(reader, said) ?? trySay({ ...reader, language: "en" }, said) ?? "";
}

/** A message in this language: by its phrase, where that is kept and known here, else as it was said in English. */
export function wordMessage(to: Language | Reader, message: string, said: Phrase | undefined): string {
  const reader = readerOf(to);
  if (reader.language === "en" && reader.timeZone === null) return message;
  return (said === undefined ? null : trySay(reader, said)) ?? recognized(reader.language, message);
}

function readerOf(to: Language | Reader): Reader {
  return typeof to === "string" ? { language: to, timeZone: null } : to;
}

/** Null where a code is not known, as that of a newer release, or lacks a parameter. */
function trySay(reader: Reader, said: Said): string | null {
  const { language } = reader;
  if (typeof said === "string") return recognized(language, said);
  const join = Object.hasOwn(JOINS, said.code) ? JOINS[said.code] : undefined;
  if (join !== undefined) return joined(reader, said, join);
  const template = templateOf(language, said.code);
  if (template === null) return null;
  const parts = template.map((part) => sayPart(reader, part, said));
  return parts.includes(null) ? null : parts.join("");
}

type Join = (all: readonly string[], and: string) => string;

const JOINS: Readonly<Record<string, Join | undefined>> = {
  sentences: (all) =>
    all.map((each, index) => (index < all.length - 1 && !/[.?!]$/.test(each) ? `${each}.` : each)).join(" "),
  and: (all, and) => (all.length < 2 ? all.join() : `${all.slice(0, -1).join(", ")} ${and} ${all.at(-1)}`),
  commas: (all) => all.join(", "),
  semicolons: (all) => all.join("; "),
  numbered: (all) => all.map((each, index) => `(${index + 1}) ${each}`).join("; "),
} satisfies Readonly<Record<Together, Join>>;

function joined(reader: Reader, { said }: Phrase, join: Join): string | null {
  if (!Array.isArray(said)) return null;
  const all = said.map((each: Said) => trySay(reader, each));
  return all.includes(null)
    ? null
    : join(
        all.filter((each) => each !== null),
        SPEECH[reader.language].and,
      );
}

/** Beyond it there are no dates; and a day before, none in every time zone. */
const LAST_MOMENT_MS = 8.64e15 - DAY_MS;

function sayPart(reader: Reader, part: Part, said: Phrase): string | null {
  if (part.is === "text") return part.text;
  const value = Object.hasOwn(said, part.name) ? said[part.name] : undefined;
  const speech = SPEECH[reader.language];
  switch (part.is) {
    case "said":
      return isSaid(value) ? trySay(reader, value) : null;
    case "name":
      return typeof value === "string" ? value : null;
    case "choice":
      return typeof value === "number" ? (speech.isOne(value) ? part.one : part.other) : null;
    case "time":
      return isFigure(value) && Math.abs(value) <= LAST_MOMENT_MS
        ? speech.time(value, reader.timeZone)
        : null;
    case "number":
    case "day":
    case "month":
    case "monthname":
    case "short":
    case "long":
    case "dollars":
      return isFigure(value) ? speech[part.is](value) : null;
  }
}

function isFigure(value: ParameterValue | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isSaid(value: ParameterValue | undefined): value is Said {
  return typeof value === "string" || (typeof value === "object" && "code" in value);
}

const parsed = new Map<string, readonly Part[]>();

function templateOf(language: Language, code: string): readonly Part[] | null {
  const templates = TEMPLATES[language];
  const template = Object.hasOwn(templates, code) ? templates[code] : undefined;
  if (template === undefined) return null;
  const known = parsed.get(template);
  if (known !== undefined) return known;
  const parts = partsOf(template);
  parsed.set(template, parts);
  return parts;
}

/** Words that are kept as text and are those of a code without parameters are that code's. Any others stay as they are. */
function recognized(language: Language, words: string): string {
  if (language === "en") return words;
  const code = codes().get(words);
  return code === undefined ? words : (TEMPLATES[language][code] ?? words);
}

let codesByWords: ReadonlyMap<string, string> | undefined;

function codes(): ReadonlyMap<string, string> {
  codesByWords ??= new Map(
    Object.entries(ENGLISH).flatMap(([code, words]) => (words.includes("{") ? [] : [[words, code]])),
  );
  return codesByWords;
}
