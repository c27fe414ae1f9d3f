import { computed } from "@preact/signals";
import { language } from "./language.ts";
import { english } from "./words/english.ts";
import { portuguese } from "./words/portuguese.ts";

export { chooseLanguage, isLanguage, LANGUAGES, language, suggestLanguage } from "./language.ts";

/** What the page says, in the reader's language. */
export const words = computed(() => (language.value === "pt-BR" ? portuguese : english));
