import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishAdd } from "./words/english.ts";
import { portugueseAdd } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const addWords = computed(() => (language.value === "pt-BR" ? portugueseAdd : englishAdd));
