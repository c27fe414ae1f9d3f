/**
 * The answer of an object to a question that the release before this one did not know. During a deployment in stages the object
 * may still run that one: then it is `unasked`, which is what that release went by.
 */
export async function answerOr<Answer>(answer: PromiseLike<Answer>, unasked: Answer): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof TypeError && error.message.includes("does not implement the method")) return unasked;
    throw error;
  }
}
