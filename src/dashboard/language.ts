import { signal } from "@preact/signals";
import type { Language } from "../lifecycle/model/words/said.ts";

/** The reader's language: the browser's, unless the reader chose another. */

/** Each that the service speaks, as its readers call it. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", "pt-BR": "Português" };

const KEY = "dumont.language";
const SUGGESTED_KEY = "dumont.account-language";

export const language = signal<Language>(initialLanguage());

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(KEY, chosen);
  language.value = chosen;
}

/** Speaks the account's language to who has not chosen another in this browser. */
export function suggestLanguage(suggested: string | null): void {
  if (!isLanguage(suggested)) {
    localStorage.removeItem(SUGGESTED_KEY);
    return;
  }
  // The next time it is known before anybody has signed in.
  localStorage.setItem(SUGGESTED_KEY, suggested);
  if (!isLanguage(localStorage.getItem(KEY))) language.value = suggested;
}

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(LANGUAGES, text);
}

let timezone: string | undefined;

/** In which the page shows times; the service words its sentences in it, too. Looked up once, since each request names it. */
export function browserTimezone(): string {
  timezone ??= new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return timezone;
}

function initialLanguage(): Language {
  const chosen = localStorage.getItem(KEY);
  if (isLanguage(chosen)) return chosen;
  const suggested = localStorage.getItem(SUGGESTED_KEY);
  if (isLanguage(suggested)) return suggested;
  return navigator.languages[0]?.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}
