import { describe, expect, it } from "vitest";
import { isLeaving } from "../../../src/lifecycle/model/outbox.ts";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

/** Silent, hibernated, and after seven days deleted at its provider. */
function deleted(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  line.succeed();
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  line.succeed("snap-1");
  expect(line.view.status).toBe("deleted");
  return line;
}

const departures = (line: Timeline) => line.effects.filter(({ type }) => type === "forget").length;

describe("a deleted instance", () => {
  it("is listed for thirty days, and leaves by its own alarm then", () => {
    const line = deleted();
    const deletedAt = line.now;
    line.until(deletedAt + 30 * DAY - 1);
    expect(departures(line)).toBe(0);
    line.until(deletedAt + 30 * DAY);
    expect(departures(line)).toBe(1);
  });

  it("leaves once, whatever comes before it is gone", () => {
    const line = deleted();
    line.now += 31 * DAY;
    line.apply({ type: "cleanup" });
    expect(isLeaving(line.state)).toBe(true);
    line.apply({ type: "cleanup" });
    line.apply({ type: "alarm", dueAt: line.now });
    expect(line.state.outbox.filter(({ effect }) => effect.type === "forget")).toHaveLength(1);
  });

  it("comes back by a heartbeat, and then stays", () => {
    const line = deleted();
    line.until(line.now + 29 * DAY).heartbeat();
    expect(line.view.status).toBe("running");
    line.until(line.now + 5 * DAY);
    expect(departures(line)).toBe(0);
  });
});
