import { computed } from "@preact/signals";
import { language } from "../../words.ts";
import { englishChannels } from "./words/english.ts";
import { portugueseChannels } from "./words/portuguese.ts";

export const channelWords = computed(() =>
  language.value === "pt-BR" ? portugueseChannels : englishChannels,
);
