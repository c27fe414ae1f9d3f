import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishWhy } from "./words/english.ts";
import { portugueseWhy } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const whyWords = computed(() => (language.value === "pt-BR" ? portugueseWhy : englishWhy));
