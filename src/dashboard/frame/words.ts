import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishFrame } from "./words/english.ts";
import { portugueseFrame } from "./words/portuguese.ts";

/** What stands around each place of the page. */
export const frameWords = computed(() => (language.value === "pt-BR" ? portugueseFrame : englishFrame));
