import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishReplay } from "./words/english.ts";
import { portugueseReplay } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const replayWords = computed(() => (language.value === "pt-BR" ? portugueseReplay : englishReplay));
