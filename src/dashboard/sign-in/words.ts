import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishSignIn } from "./words/english.ts";
import { portugueseSignIn } from "./words/portuguese.ts";

export const signInWords = computed(() => (language.value === "pt-BR" ? portugueseSignIn : englishSignIn));
