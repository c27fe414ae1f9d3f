import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishProviders } from "./words/english.ts";
import { portugueseProviders } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const providersWords = computed(() =>
  language.value === "pt-BR" ? portugueseProviders : englishProviders,
);
