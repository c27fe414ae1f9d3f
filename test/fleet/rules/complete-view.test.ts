import { expect, it } from "vitest";
import { completeView } from "../../../src/fleet/report.ts";
import { live } from "../../dashboard/live-view.ts";

/** As an instance of another release reported it: without what that did not know. */
function without(field: "running_cost") {
  return JSON.parse(
    JSON.stringify(live("rig", { hourly_cost: 2, running_cost: 3 }), (key, value) =>
      key === field ? undefined : value,
    ),
  );
}

it("an instance that did not say what it costs while it runs costs what was registered, if anything was", () => {
  expect(completeView(without("running_cost")).running_cost).toBe(2);
  expect(completeView({ ...without("running_cost"), hourly_cost: null }).running_cost).toBeNull();
  expect(completeView(live("rig", { hourly_cost: 2, running_cost: 3 })).running_cost).toBe(3);
});
