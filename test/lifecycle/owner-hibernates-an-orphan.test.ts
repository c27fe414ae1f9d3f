import { expect, it } from "vitest";
import { at, Timeline } from "./timeline.ts";

it("a machine that its owner had hibernated is not deleted for the silence before", () => {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("10:00"));
  expect(line.view.status).toBe("orphaned");
  expect(line.command({ type: "hibernate.requested" })).toBeNull();
  line.accept();
  line.succeed();
  line.until(at("0:00") + 8 * 24 * 60 * 60_000);
  line.command({ type: "cleanup" });
  line.permit();
  expect(line.orders).not.toContain("delete");
});
