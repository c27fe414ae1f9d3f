import { expect, it } from "vitest";
import { isUnderWay } from "../../src/lifecycle/rules/order.ts";
import { at, Timeline } from "./timeline.ts";

it("a wake that hangs at its provider is told of as failed, and still stands when it is time to cancel it", () => {
  const line = new Timeline();
  line.heartbeat();
  line.command({ type: "hibernate.requested" });
  line.accept();
  line.succeed();
  line.until(at("1:00:00"));
  line.command({ type: "wake.requested" });
  const { actionId } = line;
  line.accept();
  // The workflow looks for half an hour, in vain: the start waits in a queue.
  line.until(at("1:31:00"));
  expect(isUnderWay(line.state, actionId)).toBe(true);
  line.command({
    type: "action.failed",
    actionId,
    because: "it is still shown as starting after half an hour",
  });
  expect(line.kinds).toContain("wake_failed");
});
