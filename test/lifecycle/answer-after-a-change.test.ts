import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../src/lifecycle/model/policy-settings.ts";
import { at, Timeline } from "./timeline.ts";

const DAY = 24 * 60 * 60_000;

function change(line: Timeline, overrides: PolicyOverrides): void {
  const former = line.policy;
  line.policy = compilePolicy(mergePolicy(overrides));
  line.command({ type: "policy.changed", former });
}

describe("the guard's answer to a question of before a change of policy", () => {
  it("does not delete what the owner has said must never be deleted", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.accept();
    line.succeed();
    line.until(at("5:00") + 7 * DAY);
    line.command({ type: "cleanup" });
    // The database is away, and the question waits; meanwhile:
    change(line, { orphan: { delete_after_days: null } });
    line.permit();
    expect(line.orders).not.toContain("delete");
  });

  it("does not hibernate for silence once silence is not acted upon", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    change(line, { orphan: { enabled: false } });
    line.permit();
    expect(line.orders).toEqual([]);
  });
});
