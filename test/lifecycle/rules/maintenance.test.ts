import { describe, expect, test } from "vitest";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { silentSince } from "../../../src/lifecycle/rules/outage-guard.ts";
import { at, START, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

/** From one to two o'clock on the day on which the tests' clock starts. */
const FROM_ONE_TO_TWO: PolicyOverrides = {
  maintenance: { windows: [{ from: "2025-12-19T01:00:00Z", to: "2025-12-19T02:00:00Z" }] },
};
const of = (line: Timeline, kind: string) => line.events.filter((event) => event.kind === kind);

describe("within maintenance", () => {
  test("silence moves nobody, and counts from its end", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("58:00")).until(at("1:59:00"));
    expect(line.kinds).toEqual(["registered", "first_heartbeat"]);
    expect(line.view.status).toBe("running");
    expect(line.view.lifecycle).toMatchObject({
      next_step: "orphan",
      at: "2025-12-19T02:05:00Z",
      blocked_by: "maintenance",
    });
    line.until(at("2:05:00"));
    expect(of(line, "orphaned")).toMatchObject([
      { at: at("2:05:00"), message: expect.stringContaining("no heartbeat for 5 minutes") },
    ]);
    line.until(at("2:30:00"));
    expect(of(line, "silent").map((event) => event.at)).toEqual([at("2:30:00")]);
    line.permit();
    expect(line.orders).toEqual(["hibernate"]);
  });

  test("one that is heard again is as if nothing had been", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("58:00")).until(at("2:02:00"));
    line.heartbeat();
    expect(line.beatUntil(at("3:00:00")).kinds).toEqual(["registered", "first_heartbeat"]);
    // It was not heard all the same: nobody can say that its heartbeats came.
    expect(line.view.missed_heartbeats).toBe(63);
  });

  test("whoever is on the ladder is held, and counts anew from its end", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("35:00")).until(at("1:30:00"));
    expect(line.view.status).toBe("orphaned");
    expect(line.view.lifecycle).toMatchObject({
      next_step: "hibernate",
      at: "2025-12-19T02:30:00Z",
      blocked_by: "maintenance",
    });
    line.until(at("2:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("2:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    expect(line.view.orphaned_since).toBe("2025-12-19T00:40:00Z");
  });

  test("a guard's permission comes too late", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("29:00")).until(at("59:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("1:00:00")).permit();
    expect(line.orders).toEqual([]);
    line.until(at("2:00:00")).permit();
    expect(line.orders).toEqual([]);
    line.until(at("2:30:00")).permit();
    expect(line.orders).toEqual(["hibernate"]);
  });

  test("an answer of the guard at its very end finds no old silence", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("29:00")).until(at("59:00"));
    line.now = at("2:00:00");
    line.permit();
    expect(line.orders).toEqual([]);
  });

  test("nobody counts as never heard", () => {
    const line = new Timeline({
      overrides: { maintenance: { windows: [{ from: "2025-12-19T00:10:00Z", to: "2025-12-19T01:00:00Z" }] } },
    }).until(at("59:00"));
    expect(line.kinds).not.toContain("never_heard");
    expect(line.view.lifecycle).toMatchObject({
      next_step: "never_heard",
      at: "2025-12-19T01:30:00Z",
      blocked_by: "maintenance",
    });
    line.until(at("1:30:00"));
    expect(of(line, "never_heard").map((event) => event.at)).toEqual([at("1:30:00")]);
  });

  test("nothing is deleted, and what was hibernated by us counts on", () => {
    const overrides: PolicyOverrides = {
      maintenance: { windows: [{ from: "2025-12-26T00:00:00Z", to: "2025-12-27T00:00:00Z" }] },
    };
    const line = new Timeline({ overrides }).beatUntil(at("0:00")).until(at("30:00"));
    line.permit();
    line.succeed().until(START + 7.5 * DAY);
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    expect(line.view.lifecycle).toMatchObject({
      next_step: "delete",
      at: "2025-12-27T00:00:00Z",
      blocked_by: "maintenance",
    });
    line.until(START + 8 * DAY + 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  test("idleness goes on as ever", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("1:00:00"));
    line.beatUntil(at("1:10:00"), { gpu_utilization: 2 });
    expect(line.orders).toEqual(["hibernate"]);
  });

  test("a late alarm within it tells of no orphan", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("50:00"));
    line.now = at("1:30:00");
    line.armedAt = null;
    line.apply({ type: "alarm", dueAt: at("55:00") });
    line.drain();
    expect(line.until(at("2:04:00")).kinds).not.toContain("orphaned");
    expect(line.until(at("2:05:00")).kinds).toContain("orphaned");
  });

  test("short windows between two steps let silence count from the last end", () => {
    const overrides: PolicyOverrides = {
      maintenance: { windows: [{ from: "2025-12-19T00:02:00Z", to: "2025-12-19T00:03:00Z" }] },
    };
    const line = new Timeline({ overrides }).beatUntil(at("1:00")).until(at("7:59"));
    expect(line.kinds).not.toContain("orphaned");
    expect(line.until(at("8:00")).kinds).toContain("orphaned");
  });

  test("without an end it holds for good", () => {
    const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
    const overrides: PolicyOverrides = {
      maintenance: { windows: [{ days: [...days], from: "00:00", to: "00:00" }] },
    };
    const line = new Timeline({ overrides }).beatUntil(at("1:00")).until(START + 3 * DAY);
    expect(line.view.status).toBe("running");
    expect(line.view.lifecycle).toMatchObject({ next_step: "orphan", at: null, blocked_by: "maintenance" });
  });
});

describe("a change of policy", () => {
  test("does not count the past as maintenance", () => {
    const line = new Timeline().beatUntil(at("55:00")).until(at("1:27:00"));
    line.permit();
    expect(line.orders).toEqual(["hibernate"]);
    line.until(at("3:00:00")).fail();
    line.changePolicy(FROM_ONE_TO_TWO);
    expect(line.state.phase).toMatchObject({ orphan: { step: "force_hibernate" } });
  });

  test("that ends it ends it then", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("58:00")).until(at("1:30:00"));
    line.changePolicy({}).until(at("1:34:00"));
    expect(line.kinds).not.toContain("orphaned");
    expect(line.until(at("1:35:00")).kinds).toContain("orphaned");
  });

  test("that begins it calls off what was ordered for silence", () => {
    const line = new Timeline().beatUntil(at("58:00")).until(at("1:28:00"));
    line.permit();
    line.changePolicy(FROM_ONE_TO_TWO);
    expect(line.state.phase.status).toBe("orphaned");
    expect(line.until(at("1:59:00")).orders).toEqual(["hibernate"]);
  });
});

describe("for the guard against mass outages", () => {
  test("whoever is silent from its end on was last heard when it was", () => {
    const line = new Timeline({ overrides: FROM_ONE_TO_TWO }).beatUntil(at("58:00")).until(at("2:05:00"));
    expect(line.view.status).toBe("orphaned");
    expect(silentSince(line.state)).toBe(at("58:00"));
  });
});
