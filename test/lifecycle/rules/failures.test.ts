import { describe, expect, it } from "vitest";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { deleting, silent } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

describe("an order that keeps failing", () => {
  const fail = (line: Timeline) => {
    line.fail();
  };

  it("for idleness is tried ever more seldom, and its owner is told once, until the instance was busy", () => {
    const line = new Timeline().beatUntil(at("5:00"), { gpu_utilization: 1 });
    for (let minute = 6; minute <= 24 * 60; minute++) {
      if (line.view.status === "hibernating") fail(line);
      line.beatUntil(at("0:00") + minute * 60_000, { gpu_utilization: 1 });
    }
    // 5, 10, 20 … minutes, at last six hours apart.
    expect(line.orders.length).toBeGreaterThanOrEqual(8);
    expect(line.orders.length).toBeLessThanOrEqual(10);
    const told = line.events.filter(isAlert).map((event) => event.kind);
    expect(told.filter((kind) => kind === "idle")).toHaveLength(1);
    expect(told.filter((kind) => kind === "hibernate_failed")).toHaveLength(1);

    if (line.view.status === "hibernating") fail(line);
    line.heartbeat({ gpu_utilization: 90 });
    line.beatUntil(line.now + 6 * 60_000, { gpu_utilization: 1 });
    if (line.view.status === "hibernating") fail(line);
    const again = line.events.filter(isAlert).map((event) => event.kind);
    expect(again.filter((kind) => kind === "hibernate_failed")).toHaveLength(2);
  });

  it("of an agent that has no command to hibernate makes one alert of idleness a day, not hundreds", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("24:00:00"), { gpu_utilization: 1 });
    const told = line.events.filter(isAlert).map((event) => event.kind);
    expect(told).toEqual(["idle", "hibernate_failed"]);
    expect(line.kinds.filter((kind) => kind === "hibernating").length).toBeLessThanOrEqual(10);
  });

  it("to force-hibernate is given again until it is done, backing off", () => {
    const line = silent();
    fail(line);
    while (line.armedAt !== null && line.armedAt <= at("24:00:00")) {
      line.until(line.armedAt);
      line.permit();
      if (line.view.status === "hibernating") fail(line);
    }
    const forced = line.orders.filter((order) => order === "force_hibernate");
    expect(forced.length).toBeGreaterThanOrEqual(6);
    expect(forced.length).toBeLessThanOrEqual(9);
    expect(line.kinds.filter((kind) => kind === "abandoned")).toHaveLength(1);
    expect(line.events.filter(isAlert).filter((event) => event.kind === "hibernate_failed")).toHaveLength(1);
    line.until(line.armedAt ?? line.now);
    line.permit();
    line.succeed();
    expect(line.view.status).toBe("hibernated");
    line.until(line.now + DAY);
    expect(line.orders.filter((order) => order === "force_hibernate")).toHaveLength(forced.length + 1);
  });

  it("to delete is told once", () => {
    const line = deleting();
    for (let day = 0; day < 5; day++) {
      fail(line);
      line.until(line.now + DAY);
      line.command({ type: "cleanup" });
      line.permit();
    }
    expect(line.kinds.filter((kind) => kind === "delete_failed")).toHaveLength(5);
    expect(line.events.filter(isAlert).filter((event) => event.kind === "delete_failed")).toHaveLength(1);
  });
});
