import { z } from "zod";
import { LANGUAGES, type Reader } from "../../lifecycle/model/words/said.ts";

/** In whose words and time a fleet tells. As all of its state: fields are only added, with defaults. */

const addresseeSchema = z.object({
  language: z.enum(LANGUAGES).nullable().catch(null),
  timeZone: z.string().nullable().catch(null),
  /** When D1 said so; 0: the account has changed since. */
  asOf: z.number(),
});

export type Addressee = Readonly<z.infer<typeof addresseeSchema>>;

/** Null: D1 was never asked. */
export const storedAddresseeSchema = addresseeSchema.nullable().catch(null).default(null);

/** What is chosen of it. */
export function readerOf(
  chosen: {
    readonly language: string | null;
    readonly timeZone: string | null;
  } | null,
): Reader {
  const language = LANGUAGES.find((each) => each === chosen?.language) ?? "en";
  return { language, timeZone: chosen?.timeZone ?? null };
}

/** As it is until D1 says otherwise. */
export function doubted(addressee: Addressee | null): Addressee | null {
  return addressee && { ...addressee, asOf: 0 };
}
