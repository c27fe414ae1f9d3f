import { computed } from "@preact/signals";
import { language } from "../language.ts";
import { englishDocs } from "./words/english.ts";
import { portugueseDocs } from "./words/portuguese.ts";

/** The frame's words. The descriptions themselves are the document's, in English. */
export const docsWords = computed(() => (language.value === "pt-BR" ? portugueseDocs : englishDocs));
