import { answerOr } from "../platform/former-object.ts";
import { unavailable } from "./errors.ts";

/** By then an object of the former release mostly runs this one. */
export const FORMER_RETRY_SECONDS = 60;

const FORMER: unique symbol = Symbol("former");

/** The answer of an object; 503 while it runs the former release, which does not know the question. */
export async function answerOrUnavailable<Answer>(answer: PromiseLike<Answer>): Promise<Answer> {
  const answered = await answerOr<Answer | typeof FORMER>(answer, FORMER);
  if (answered === FORMER) throw unavailable(FORMER_RETRY_SECONDS);
  return answered;
}
