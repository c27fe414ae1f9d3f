import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishAccount } from "./words/english.ts";
import { portugueseAccount } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const accountWords = computed(() => (language.value === "pt-BR" ? portugueseAccount : englishAccount));
