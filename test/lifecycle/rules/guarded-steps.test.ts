import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
function silent(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  expect(line.view.status).toBe("hibernating");
  return line;
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
    line.changePolicy({ orphan: { delete_after_days: null } });
    line.permit();
    expect(line.orders).not.toContain("delete");
  });

  it("does not hibernate for silence once silence is not acted upon", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    line.changePolicy({ orphan: { enabled: false } });
    line.permit();
    expect(line.orders).toEqual([]);
  });
});

describe("a question to the guard that nobody answers", () => {
  it("is asked again, one at a time, and does not hold the delete up for good", () => {
    const line = silent();
    line.succeed();
    line.until(at("5:00") + 7 * DAY);
    line.command({ type: "cleanup" });
    line.until(line.now + 10 * 60_000);
    expect(line.guardQuestions.filter((step) => step === "delete")).toHaveLength(2);
    line.permit();
    expect(line.view.status).toBe("deleting");
  });

  it("waits once in the outbox, however long nothing can be delivered", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00"));
    for (let minutes = 40; minutes < 120; minutes += 10) {
      line.now = at("0:00") + minutes * 60_000;
      line.apply({ type: "alarm", dueAt: line.now });
    }
    expect(line.state.outbox.filter(({ effect }) => effect.type === "guard")).toHaveLength(1);
  });

  it("is not answered by what was said of another step", () => {
    const line = silent();
    line.fail();
    line.until(at("2:00:00"));
    line.command({ type: "guard.permitted", step: "hibernate", openedAt: null });
    line.command({ type: "guard.deferred", step: "delete" });
    expect(line.orders).toEqual(["hibernate"]);
    line.command({ type: "guard.permitted", step: "force_hibernate", openedAt: null });
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
  });
});
