import { describe, expect, it } from "vitest";
import {
  isDescendingFirst,
  type Selection,
  type SortKey,
  select,
  selectUnreadable,
  summarize,
} from "../../src/dashboard/fleet/select.ts";
import type { ShownView } from "../../src/lifecycle/views/instance-view.ts";
import { live } from "./live-view.ts";

const ALL: Selection = {
  group: null,
  status: null,
  connection: null,
  tags: [],
  search: "",
  sort: "name",
  descending: false,
};

const NOW = Date.parse("2030-01-07T00:00:00Z");

const ids = (instances: readonly ShownView[], selection: Partial<Selection> = {}) =>
  select(instances, { ...ALL, ...selection }, NOW).map((each) => each.instance_id);

const next = (
  next_step: ShownView["lifecycle"]["next_step"],
  at: string | null,
  blocked_by: ShownView["lifecycle"]["blocked_by"] = null,
): Pick<ShownView, "lifecycle"> => ({
  lifecycle: { next_step, at, in_seconds: null, because: "", blocked_by },
});

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

  it("is narrowed to what nobody can stop, and to a connection", () => {
    const control = {
      nobody_can_stop: true,
      can_hibernate: false,
      can_wake: false,
      why_not: "refused",
    } as const;
    const rented = [
      live("a", { provider: "vast", connection: "vast", control }),
      live("b", { provider: "vast", connection: "c-1" }),
      live("c"),
    ];
    expect(ids(rented, { group: "unstoppable" })).toEqual(["a"]);
    expect(ids(rented, { connection: "c-1" })).toEqual(["b"]);
    expect(ids(rented, { group: "unstoppable", connection: "c-1" })).toEqual([]);
  });

  it("is narrowed to what has all of the chosen tags", () => {
    const team = { key: "team", value: "vision" };
    const tagged = [
      live("a", { tags: { team: "vision", env: "prod" } }),
      live("b", { tags: { team: "vision" } }),
      live("c", { tags: { team: "Vision" } }),
      live("d"),
    ];
    expect(ids(tagged, { tags: [team] })).toEqual(["a", "b"]);
    expect(ids(tagged, { tags: [team, { key: "env", value: "prod" }] })).toEqual(["a"]);
    expect(ids(tagged, { tags: [{ key: "constructor", value: "x" }] })).toEqual([]);
    expect(selectUnreadable([{ instance_id: "x" }], { ...ALL, tags: [team] })).toEqual([]);
  });

  it("is narrowed by group, status and search together", () => {
    expect(ids(fleet, { group: "active" })).toEqual(["rig-2", "rig-10"]);
    expect(ids(fleet, { group: "idle" })).toEqual(["lazy"]);
    expect(ids(fleet, { status: "hibernated" })).toEqual(["cold"]);
    expect(ids(fleet, { search: " RIG-1 " })).toEqual(["rig-10"]);
    expect(ids(fleet, { group: "active", search: "lazy" })).toEqual([]);
  });

  it("puts what costs and wastes most first, and what nobody knows after what is known", () => {
    const costly = [
      live("unpriced"),
      live("hibernated", { rate: 0.01, cost_source: "computed", cost_today: 2 }),
      live("free", { rate: 0, cost_source: "computed" }),
      live("wasting", { rate: 2.5, cost_source: "computed", cost_today: 1, wasted_today: 0.5 }),
    ];
    const first = (sort: SortKey) => ids(costly, { sort, descending: isDescendingFirst(sort) });
    expect(first("rate")).toEqual(["wasting", "hibernated", "free", "unpriced"]);
    expect(first("cost")).toEqual(["hibernated", "wasting", "free", "unpriced"]);
    expect(first("wasted")).toEqual(["wasting", "free", "hibernated", "unpriced"]);
  });

  it("does not disturb the list that it is given", () => {
    const given = [...fleet];
    ids(given, { sort: "gpu" });
    expect(given).toEqual(fleet);
  });
});

describe("what needs an eye", () => {
  const orphan = (id: string, rate: number | null) =>
    live(id, { status: "orphaned", health: "unhealthy", rate });
  const fleet = [
    live("steady", { rate: 9 }),
    live("asleep", { status: "hibernated", health: "inactive", ...next("delete", "2030-01-12T00:00:00Z") }),
    orphan("lost-cheap", 0.5),
    orphan("lost-dear", 3),
    orphan("lost-unpriced", null),
    live("idle-free", { health: "idle", rate: 0 }),
    live("due-later", { health: "idle", rate: 1, ...next("hibernate", "2030-01-07T00:20:00Z") }),
    live("due", { health: "idle", rate: 0.1, ...next("hibernate", "2030-01-07T00:02:00Z") }),
    live("held", { health: "idle", rate: 2, ...next("hibernate", "2030-01-07T00:01:00Z", "keep_alive") }),
    live("late", { health: "late", rate: 5, ...next("orphan", "2030-01-07T00:01:00Z") }),
  ];

  it("is first what changes what is paid within the hour, then what wastes most, then what comes later", () => {
    expect(ids(fleet, { sort: "attention" })).toEqual([
      "due",
      "due-later",
      "lost-dear",
      "held",
      "lost-cheap",
      "lost-unpriced",
      "asleep",
      "idle-free",
      "late",
      "steady",
    ]);
  });

  it("is among what runs well what has wasted most today", () => {
    const wasted = (id: string, wasted_today: number, more: Partial<ShownView> = {}) =>
      live(id, { rate: 1, cost_source: "computed", wasted_today, ...more });
    const calm = [
      wasted("a", 0),
      wasted("b", 900),
      wasted("c", 2),
      wasted("waking", 0, { status: "waking" }),
    ];
    expect(ids(calm, { sort: "attention" })).toEqual(["waking", "b", "c", "a"]);
  });

  it("orders ten thousand the same, however they came", () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      live(`rig-${index}`, { rate: index % 7, health: index % 5 === 0 ? "idle" : "healthy" }),
    );
    expect(ids([...many].reverse(), { sort: "attention" })).toEqual(ids(many, { sort: "attention" }));
  });
});

it("the table sorts names without regard to case and accents", () => {
  const fleet = ["Órbita 10", "orbita 9", "Zeta", "alfa", "Água"].map((name, index) =>
    live(`id-${index}`, { name }),
  );
  expect(select(fleet, ALL, NOW).map(({ name }) => name)).toEqual([
    "Água",
    "alfa",
    "orbita 9",
    "Órbita 10",
    "Zeta",
  ]);
});

it("the summary counts every group", () => {
  const summary = summarize([
    live("a"),
    live("b", { health: "late" }),
    live("c", { health: "idle" }),
    live("d", { status: "orphaned", health: "unhealthy" }),
    live("e", { status: "hibernated" }),
    live("f", { status: "pending" }),
    live("g", { status: "deleted" }),
    live("h", {
      rate: 0.2,
      control: { nobody_can_stop: true, can_hibernate: false, can_wake: false, why_not: "silent" },
    }),
  ]);
  expect(summary).toEqual({
    counts: {
      active: 3,
      idle: 1,
      unstoppable: 1,
      orphaned: 1,
      hibernated: 1,
      costing: 1,
      wasting: 2,
      unpriced: 7,
    },
    unstoppableAnHour: { dollars: 0.2, isMore: false },
  });
});
