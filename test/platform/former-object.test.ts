import { expect, it } from "vitest";
import { answerOr } from "../../src/platform/former-object.ts";

const refused = (error: Error) => Promise.reject<boolean>(error);

it("answers for an object of the release before, and for no other failure", async () => {
  const unknown = new TypeError('The RPC receiver does not implement the method "isSuspended".');
  expect(await answerOr(refused(unknown), false)).toBe(false);
  expect(await answerOr(Promise.resolve(true), false)).toBe(true);
  await expect(answerOr(refused(new Error("away")), false)).rejects.toThrow("away");
  await expect(answerOr(refused(new TypeError("null is no object")), false)).rejects.toThrow("no object");
});
