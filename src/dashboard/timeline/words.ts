import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishTimeline } from "./words/english.ts";
import { portugueseTimeline } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const timelineWords = computed(() =>
  language.value === "pt-BR" ? portugueseTimeline : englishTimeline,
);
