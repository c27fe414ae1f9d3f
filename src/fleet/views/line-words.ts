import { z } from "zod";
import { jsonText } from "../../lifecycle/model/stored.ts";
import { ANYBODY, type Phrase, phraseSchema, type Reader } from "../../lifecycle/model/words/said.ts";
import { say, wordMessage } from "../../lifecycle/model/words/say.ts";
import type { LineWords, LiveView } from "../../lifecycle/views/instance-view.ts";

/** The words of a line of the list. A view is kept as it is said in English, with its phrases beside it. */

const phraseOrNothing = phraseSchema.optional().catch(undefined);

const phrases = z.object({ because: phraseOrNothing, alert: phraseOrNothing });

/** As it is kept; what can't be read of it, or is no phrase, is left out. */
export const storedWords = z.string().pipe(jsonText(phrases)).nullable().catch(null);

export type StoredWords = z.infer<typeof storedWords>;

/** The same of what an instance says right now. */
export function wordsOf(words: LineWords | undefined): StoredWords {
  return phrases
    .nullable()
    .catch(null)
    .parse(words ?? null);
}

/** Whether what is kept of a line is what this reader is told. */
export function isAnybody({ language, timeZone }: Reader): boolean {
  return language === ANYBODY.language && timeZone === null;
}

/** The view, worded for this reader. */
export function wordedView<View extends LiveView>(view: View, words: StoredWords, reader: Reader): View {
  if (isAnybody(reader)) return view;
  const { lifecycle, alert } = view;
  return {
    ...view,
    ...(alert === undefined ? {} : { alert: wordMessage(reader, alert, phraseOf(alert, words?.alert)) }),
    lifecycle: {
      ...lifecycle,
      because: wordMessage(reader, lifecycle.because, phraseOf(lifecycle.because, words?.because)),
    },
  };
}

/** The phrase that says this. The former release writes a view and leaves the phrases of the one before it. */
function phraseOf(text: string, phrase: Phrase | undefined): Phrase | undefined {
  return phrase !== undefined && say(ANYBODY, phrase) === text ? phrase : undefined;
}
