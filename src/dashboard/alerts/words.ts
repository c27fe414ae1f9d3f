import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishAlerts } from "./words/english.ts";
import { portugueseAlerts } from "./words/portuguese.ts";

/** Loaded with the page that says them. */
export const alertWords = computed(() => (language.value === "pt-BR" ? portugueseAlerts : englishAlerts));
