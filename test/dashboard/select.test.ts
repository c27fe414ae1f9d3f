import { describe, expect, it } from "vitest";
import { type Selection, select, summarize } from "../../src/dashboard/fleet/select.ts";
import type { LiveView } from "../../src/lifecycle/views/instance-view.ts";
import { live } from "./live-view.ts";

const ALL: Selection = { group: null, status: null, search: "", sort: "name", descending: false };

const ids = (instances: readonly LiveView[], selection: Partial<Selection> = {}) =>
  select(instances, { ...ALL, ...selection }).map((each) => each.instance_id);

describe("the table", () => {
  const fleet = [
    live("rig-10", { gpu_utilization: 5, cost_today: 3 }),
    live("rig-2", { gpu_utilization: 90, cost_today: 3 }),
    live("cold", { status: "hibernated", health: "inactive" }),
    live("lost", {
      status: "orphaned",
      health: "unhealthy",
      lifecycle: {
        next_step: "hibernate",
        at: "2030-01-07T00:30:00Z",
        in_seconds: 9,
        because: "",
        blocked_by: null,
      },
    }),
    live("lazy", {
      health: "idle",
      lifecycle: {
        next_step: "hibernate",
        at: "2030-01-07T00:10:00Z",
        in_seconds: 9,
        because: "",
        blocked_by: null,
      },
    }),
  ];

  it("sorts names as people count, and ties by name", () => {
    expect(ids(fleet)).toEqual(["cold", "lazy", "lost", "rig-2", "rig-10"]);
    expect(ids(fleet, { sort: "cost", descending: true }).slice(0, 2)).toEqual(["rig-2", "rig-10"]);
  });

  it("puts first what most wants a look, and what is due soonest", () => {
    expect(ids(fleet, { sort: "status" })[0]).toBe("lost");
    expect(ids(fleet, { sort: "next" }).slice(0, 2)).toEqual(["lazy", "lost"]);
  });

  it("is narrowed by group, status and search together", () => {
    expect(ids(fleet, { group: "active" })).toEqual(["rig-2", "rig-10"]);
    expect(ids(fleet, { group: "idle" })).toEqual(["lazy"]);
    expect(ids(fleet, { status: "hibernated" })).toEqual(["cold"]);
    expect(ids(fleet, { search: " RIG-1 " })).toEqual(["rig-10"]);
    expect(ids(fleet, { group: "active", search: "lazy" })).toEqual([]);
  });

  it("does not disturb the list that it is given", () => {
    const given = [...fleet];
    ids(given, { sort: "gpu" });
    expect(given).toEqual(fleet);
  });
});

it("the summary counts every group, and the dollars an hour that are being spent now", () => {
  const costs = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01, hibernated_cost: 0.01 };
  const summary = summarize([
    live("a", costs),
    live("b", { ...costs, health: "late" }),
    live("c", { ...costs, health: "idle" }),
    live("d", { ...costs, status: "orphaned" }),
    live("e", { ...costs, status: "hibernated" }),
    live("f", { ...costs, status: "pending" }),
    live("g", { ...costs, status: "deleted" }),
    live("h"),
  ]);
  expect(summary).toEqual({
    active: 3,
    idle: 1,
    orphaned: 1,
    hibernated: 1,
    dollarsAnHour: expect.closeTo(1.61),
  });
});
