import type { Context } from "hono";
import { LANGUAGES, type Language, type Reader } from "../lifecycle/model/words/said.ts";
import { isKnownZone } from "../lifecycle/model/zone.ts";
import type { ApiEnvironment } from "./environment.ts";

/** More than any browser sends. */
const RANGES = 20;

/** The language in which a request is answered, which its answer depends on. */
export function languageOf(c: Context<ApiEnvironment>): Language {
  c.header("Vary", "Accept-Language", { append: true });
  return preferredLanguage(c.req.header("Accept-Language"));
}

/** For whom a request is answered: in which language, and in whose time, by the header `Time-Zone` that the page sends. */
export function readerOfRequest(c: Context<ApiEnvironment>): Reader {
  c.header("Vary", "Time-Zone", { append: true });
  return { language: languageOf(c), timeZone: knownZone(c.req.header("Time-Zone")) };
}

/** A zone as a reader names it; null, which is UTC, for one that this runtime does not know. */
export function knownZone(name: string | undefined): string | null {
  return name !== undefined && /^[\w+/-]{1,64}$/.test(name) && isKnownZone(name) ? name : null;
}

/** The best of the languages that there are, as `Accept-Language` has it (RFC 9110, 12.5.4); English where it names none of them. */
export function preferredLanguage(accepted: string | undefined): Language {
  let best: { readonly language: Language; readonly quality: number } = { language: "en", quality: 0 };
  for (const range of (accepted ?? "").split(",", RANGES)) {
    const [tag = "", ...settings] = range.trim().toLowerCase().split(";");
    const language = tag === "*" ? "en" : LANGUAGES.find((each) => primaryOf(each) === primaryOf(tag));
    const quality = qualityOf(settings);
    if (language !== undefined && quality > best.quality) best = { language, quality };
  }
  return best.language;
}

function primaryOf(tag: string): string | undefined {
  return tag.toLowerCase().split("-")[0];
}

function qualityOf(settings: readonly string[]): number {
  const given = settings.map((each) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(each)?.[1]).find(Boolean);
  if (settings.length > 0 && given === undefined) return 0;
  return Number(given ?? 1);
}
