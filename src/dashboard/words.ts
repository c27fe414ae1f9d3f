import { computed, signal } from "@preact/signals";
import { english } from "./words/english.ts";
import { portuguese } from "./words/portuguese.ts";

/** What the page says, in the browser's language unless the user chose another. */

export const LANGUAGES = { en: "English", "pt-BR": "Português" } as const;

type Language = keyof typeof LANGUAGES;

const KEY = "dumont.language";

export const language = signal<Language>(initialLanguage());

export const words = computed(() => (language.value === "pt-BR" ? portuguese : english));

export function chooseLanguage(chosen: Language): void {
  localStorage.setItem(KEY, chosen);
  language.value = chosen;
}

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(LANGUAGES, text);
}

function initialLanguage(): Language {
  const chosen = localStorage.getItem(KEY);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages[0]?.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}
