import { describe, expect, it } from "vitest";
import { at, Timeline } from "../timeline.ts";

const HOUR = 60 * 60_000;

const DAY = 24 * 60 * 60_000;

describe("an orphan that nobody can delete", () => {
  const told = (line: Timeline) => line.events.filter((event) => event.kind === "would_delete");

  it("is told of by the clean-up, every four hours at most", () => {
    const line = new Timeline({ provider: "none" });
    line.heartbeat();
    const due = at("5:00") + 7 * DAY;
    line.until(due - 1).command({ type: "cleanup" });
    expect(told(line)).toEqual([]);
    line.until(due).command({ type: "cleanup" });
    expect(told(line)).toMatchObject([
      {
        at: due,
        severity: "warning",
        message: "Would delete: orphaned for 7 days, but no provider can act (provider: none)",
        detail: { rule: "orphan.delete_after_days", orphaned_since: "2025-12-19T00:05:00Z" },
      },
    ]);
    for (let hour = 1; hour < 4; hour++) line.until(due + hour * HOUR).command({ type: "cleanup" });
    line.until(due + 4 * HOUR - 1).command({ type: "cleanup" });
    expect(told(line)).toHaveLength(1);
    line.until(due + 4 * HOUR).command({ type: "cleanup" });
    expect(told(line)).toHaveLength(2);
    line.until(due + 8 * HOUR - 1).command({ type: "cleanup" });
    expect(told(line)).toHaveLength(2);
    line.until(due + 8 * HOUR).command({ type: "cleanup" });
    expect(told(line)).toHaveLength(3);
    expect(line.guardQuestions).toEqual([]);
    expect(line.view.status).toBe("orphaned");
  });
});
