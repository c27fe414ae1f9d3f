import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishInstance } from "./words/english.ts";
import { portugueseInstance } from "./words/portuguese.ts";

/** What the page of one instance says. Loaded with it. */
export const instanceWords = computed(() =>
  language.value === "pt-BR" ? portugueseInstance : englishInstance,
);
