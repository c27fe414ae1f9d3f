import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishOperator } from "./words/english.ts";
import { portugueseOperator } from "./words/portuguese.ts";

/** Loaded with the page that says them. */
export const operatorWords = computed(() =>
  language.value === "pt-BR" ? portugueseOperator : englishOperator,
);
