import { describe, expect, it } from "vitest";
import { errorOf } from "../../src/providers/answer.ts";
import { AzureError } from "../../src/providers/azure/api.ts";
import { afterTrial, isRefused, type Standing, trialOf, UNTRIED } from "../../src/providers/connections.ts";
import { GcpError } from "../../src/providers/gcp/api.ts";
import { ProviderError, type ProviderErrorCode } from "../../src/providers/provider.ts";

const answered = (status: number, code: ProviderErrorCode | null = null) =>
  errorOf({ provider: "Vast.ai", status, text: "no", retryAfterSeconds: null }, code);

const CALL = { setAt: 1, isCheck: false };
const CHECK = { setAt: 1, isCheck: true };

const standing = (trials: readonly ReturnType<typeof trialOf>[], from: Standing = UNTRIED) =>
  trials.reduce(afterTrial, from);

describe("what an error says of the credentials", () => {
  it.each<[string, ProviderError | null, string]>([
    ["no error", null, "accepted"],
    ["401", answered(401), "refused"],
    ["401, by the provider's own word", answered(401, "unauthorised"), "refused"],
    ["403: it may not do this", answered(403), "failed"],
    ["403, by the provider's own word", answered(403, "unauthorised"), "failed"],
    ["404", answered(404, "not_found"), "failed"],
    ["500", answered(500), "failed"],
    ["a permission that a driver finds missing", new ProviderError("unauthorised", "may not stop"), "failed"],
    [
      "a key that can't be read",
      new ProviderError("unauthorised", "bad key", null, "credentials"),
      "refused",
    ],
  ])("%s", (_, error, outcome) => {
    expect(trialOf(error, CALL).outcome).toBe(outcome);
  });

  it("is the same whether a driver gives the error a name of its own", () => {
    for (const [status, denied] of [
      [401, "credentials"],
      [403, "call"],
      [500, null],
    ] as const) {
      expect(new AzureError("X", status, answered(status)).denied).toBe(denied);
      expect(new GcpError(["x"], answered(status)).denied).toBe(denied);
    }
  });

  it("is kept in bounds", () => {
    expect(trialOf(new ProviderError("refused", "x".repeat(9000)), CALL).problem).toHaveLength(500);
  });
});

describe("a connection", () => {
  const refused = trialOf(answered(401), CALL);
  const accepted = trialOf(null, CALL);
  const failed = trialOf(answered(500), CALL);

  it("is refused after three refusals in a row, whatever fails in between", () => {
    expect(isRefused(standing([refused, refused, failed]))).toBe(false);
    expect(isRefused(standing([refused, refused, failed, refused]))).toBe(true);
  });

  it("is cleared by a success", () => {
    expect(standing([refused, refused, accepted, refused])).toMatchObject({ refusals: 1 });
    expect(standing([refused, accepted])).toEqual(UNTRIED);
  });

  it("keeps the problem that a check has found, and when", () => {
    const check = trialOf(answered(500), CHECK);
    expect(standing([check, failed])).toEqual({ refusals: 0, problem: check.problem, checkedAt: check.at });
    const good = trialOf(null, CHECK);
    expect(standing([check, good])).toEqual({ refusals: 0, problem: null, checkedAt: good.at });
  });
});
