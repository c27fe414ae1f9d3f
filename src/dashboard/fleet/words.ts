import { computed } from "@preact/signals";
import { language } from "../words.ts";
import { englishFleet } from "./words/english.ts";
import { portugueseFleet } from "./words/portuguese.ts";

/** What the list of instances says. */
export const fleetWords = computed(() => (language.value === "pt-BR" ? portugueseFleet : englishFleet));
