import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishPolicyEditor } from "./words/english.ts";
import { portuguesePolicyEditor } from "./words/portuguese.ts";

/** Loaded with the part of the page that says them. */
export const policyEditorWords = computed(() =>
  language.value === "pt-BR" ? portuguesePolicyEditor : englishPolicyEditor,
);
