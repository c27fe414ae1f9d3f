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

describe("a change of policy while an order is under way", () => {
  it("does not let an orphan be deleted for the days before the change", () => {
    const line = new Timeline({ overrides: { orphan: { delete_after_days: null } } });
    line.heartbeat();
    line.until(at("30:00"));
    line.permit();
    // Its provider refuses for 30 days: it is tried again and again.
    while (line.now < at("0:00") + 30 * DAY) {
      if (line.view.status === "hibernating") {
        line.fail();
      }
      line.until(line.now + 60 * 60_000);
      line.permit();
    }
    while (line.view.status !== "hibernating") {
      line.until(line.now + 60 * 60_000);
      line.permit();
    }
    const changedAt = line.now;
    change(line, { orphan: { delete_after_days: 7 } });
    line.accept();
    line.succeed();
    line.until(changedAt + 60_000);
    line.command({ type: "cleanup" });
    line.permit();
    expect(line.orders.filter((kind) => kind === "delete")).toEqual([]);
  });

  it("leaves silence the time that the new policy gives, once the order has failed", () => {
    const patient = {
      orphan_after_seconds: 10_800,
      hibernate_after_seconds: 14_400,
      force_hibernate_after_seconds: 18_000,
    };
    const line = new Timeline({ overrides: { orphan: patient } });
    line.heartbeat();
    line.until(at("1:00"));
    line.command({ type: "hibernate.requested" });
    line.until(at("45:00"));
    change(line, {});
    line.until(at("46:00"));
    line.fail();
    line.until(at("47:00"));
    // Were the order not there, the ladder would count from the change: orphaned at 50:00, hibernated at 75:00.
    expect(line.guardQuestions).toEqual([]);
    expect(line.view.status).toBe("running");
  });
});
