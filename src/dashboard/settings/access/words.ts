import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishAccess } from "./words/english.ts";
import { portugueseAccess } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const accessWords = computed(() => (language.value === "pt-BR" ? portugueseAccess : englishAccess));
