import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import { historyOf, late } from "../late-readings.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const MINUTE = 60_000;

function agentLine(): Timeline {
  return new Timeline({ provider: "agent" });
}

const BUSY = { gpu_utilization: 90 };

describe("a heartbeat's number", () => {
  const beat = (line: Timeline, report: HeartbeatReport) =>
    line.until(line.now + MINUTE).heartbeat({ gpu_utilization: 90, ...report });

  it("that belongs to no run is not remembered, nor does it make the others forgotten", () => {
    const line = new Timeline();
    beat(line, { boot_id: "b", sequence: 5 });
    beat(line, { sequence: 7 });
    beat(line, { boot_id: "b" });
    expect(line.view.total_heartbeats).toBe(3);
    beat(line, { boot_id: "b", sequence: 5 });
    expect(line.view.total_heartbeats).toBe(3);
    beat(line, { boot_id: "b", sequence: 7 });
    expect(line.view.total_heartbeats).toBe(4);
  });

  it("below the newest begins a new count, and is remembered in it", () => {
    const line = new Timeline();
    beat(line, { boot_id: "b", sequence: 5 });
    beat(line, { boot_id: "b", sequence: 3 });
    expect(line.view.total_heartbeats).toBe(2);
    beat(line, { boot_id: "b", sequence: 3 });
    expect(line.view.total_heartbeats).toBe(2);
    beat(line, { boot_id: "b", sequence: 5 });
    expect(line.view.total_heartbeats).toBe(3);
  });
});

describe("a heartbeat of an instance that is hibernated", () => {
  it("right after the order begins no gap: nothing is missed in its sleep", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.succeed();
    line.until(at("6:00")).heartbeat(IDLE);
    expect(line.view.status).toBe("hibernated");
    line.until(at("9:00:00"));
    expect(line.view.missed_heartbeats).toBe(0);
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", missed_heartbeats: 0 });
    line.until(at("9:03:00"));
    expect(line.view.missed_heartbeats).toBe(2);
  });
});

describe("a first heartbeat while the owner's hibernation is under way", () => {
  it("is one of an instance that runs, should it not be hibernated", () => {
    const line = new Timeline();
    line.command({ type: "hibernate.requested" });
    expect(line.view.status).toBe("hibernating");
    line.until(at("1:00")).heartbeat();
    expect(line.view.status).toBe("hibernating");
    line.fail();
    expect(line.view.status).toBe("running");
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernate_failed",
      detail: { reason: "owner" },
    });
    expect(line.events.at(-1)?.detail).not.toHaveProperty("failures");

    const never = new Timeline();
    never.command({ type: "hibernate.requested" });
    never.fail();
    expect(never.view.status).toBe("pending");
  });
});

describe("the trend", () => {
  it("leaves a slot for each heartbeat that was missed", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("3:00")).heartbeat({ gpu_utilization: 50 });
    expect(line.view.gpu_trend).toEqual([87, null, null, 50]);
    line.until(at("5:00"));
    expect(line.view.gpu_trend).toEqual([87, null, null, 50, null]);
    line.heartbeat({});
    expect(line.view.gpu_trend).toEqual([87, null, null, 50, null, null]);
  });
});

describe("a heartbeat that is sent again", () => {
  it("counts once, and its answer is the same", () => {
    const line = agentLine();
    const first = line.heartbeat({ gpu_utilization: 90, boot_id: "b", sequence: 7 });
    line.until(at("0:05"));
    expect(line.heartbeat({ gpu_utilization: 90, boot_id: "b", sequence: 7 })).toEqual(first);
    expect(line.view).toMatchObject({ total_heartbeats: 1, seconds_since_heartbeat: 0 });
    expect(historyOf(line)).toHaveLength(1);
    line.until(at("1:05"));
    line.heartbeat({ gpu_utilization: 90, boot_id: "b", sequence: 8 });
    expect(line.view).toMatchObject({ total_heartbeats: 2, missed_heartbeats: 0 });
  });

  it("after a restart of the machine is another one, and the restart is told from a cut of the network", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "a", sequence: 7 });
    line.until(at("10:00"));
    line.heartbeat({ boot_id: "b", sequence: 1 });
    expect(line.view.total_heartbeats).toBe(2);
    expect(line.kinds).toContain("rebooted");

    const cut = agentLine();
    cut.heartbeat({ boot_id: "a", sequence: 7 });
    cut.until(at("10:00"));
    cut.heartbeat({ boot_id: "a", sequence: 17 });
    expect(cut.kinds).not.toContain("rebooted");
    expect(cut.kinds).toContain("recovered");
  });
});

describe("a restart of the machine", () => {
  it("lets the numbers of the former run say nothing of the late readings of this one", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "a", sequence: 3 });
    line.until(at("10:00"));
    const backlog = [late(1, 240), late(2, 180), late(3, 120), late(4, 60)];
    line.heartbeat({ boot_id: "b", sequence: 5, backlog });
    expect(historyOf(line).map((heartbeat) => (heartbeat.at - at("0:00")) / MINUTE)).toEqual([
      0, 6, 7, 8, 9, 10,
    ]);
  });

  it("lets no number of the former run be a repeat in this one", () => {
    const line = agentLine();
    for (let sequence = 1; sequence <= 5; sequence++) {
      line.until(line.now + MINUTE).heartbeat({ boot_id: "a", sequence });
    }
    line.until(line.now + MINUTE).heartbeat({ boot_id: "b", sequence: 6 });
    line.until(line.now + MINUTE).heartbeat({ boot_id: "b", sequence: 5 });
    expect(line.view.total_heartbeats).toBe(7);
  });

  it("is told once the agent has named its run before, an hour apart at the least", () => {
    const line = agentLine();
    line.heartbeat({ gpu_utilization: 50 });
    line.heartbeat({ boot_id: "a", sequence: 1 });
    expect(line.kinds).not.toContain("rebooted");
    const told = () => line.events.filter((event) => event.kind === "rebooted");
    for (const [clock, run, times] of [
      ["1:00", "b", 1],
      ["1:00:59.999", "c", 1],
      ["1:01:00", "d", 2],
      ["1:01:30", "d", 2],
    ] as const) {
      line.until(at(clock)).heartbeat({ boot_id: run, sequence: 1 });
      expect(told()).toHaveLength(times);
    }
    expect(told()[0]).toMatchObject({
      severity: "info",
      message: "The instance or its agent was restarted",
      at: at("1:00"),
    });
  });
});

it("an agent that restarts within sixteen beats under an unchanged boot id loses no heartbeat that was acknowledged", () => {
  const line = new Timeline();
  for (let beat = 0; beat < 20; beat += 1) {
    line.until(at(`${beat}:00`));
    line.heartbeat({ gpu_utilization: 50, boot_id: "kernel-1", sequence: 1 + (beat % 10) });
  }
  expect(line.state.counters.totalHeartbeats).toBe(20);
});

describe("every heartbeat is a sign of life, whatever its number", () => {
  it.each([
    ["a forged number above all others", [Number.MAX_SAFE_INTEGER, 2, 3, 4]],
    ["a number that is capped", [2_147_483_647, 2_147_483_647, 2_147_483_647, 2_147_483_647]],
    ["a counter that began anew", [9000, 1, 2, 3]],
  ])("after %s", (_, numbers) => {
    const line = new Timeline();
    for (let beat = 0; beat < 180; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: "b", sequence: numbers[beat] ?? numbers.at(-1) ?? 0 });
      expect(line.view).toMatchObject({ status: "running", seconds_since_heartbeat: 0 });
    }
    expect(line.kinds).toEqual(["registered", "first_heartbeat"]);
  });

  it("and a forged number costs at most that one reading its place in the history", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, boot_id: "b", sequence: Number.MAX_SAFE_INTEGER });
    for (let beat = 1; beat <= 30; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: "b", sequence: beat });
    }
    expect(line.view).toMatchObject({ total_heartbeats: 31, missed_heartbeats: 0 });
  });

  it("and a number without a run that it belongs to says nothing", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, sequence: 7 });
    line.until(at("1:00")).heartbeat({ ...BUSY, sequence: 7 });
    line.until(at("2:00")).heartbeat({ ...BUSY, boot_id: "b", sequence: 7 });
    expect(line.view.total_heartbeats).toBe(3);
  });

  it("and one that is sent again ends an idle run if it is busy, and is no second evidence if it is not", () => {
    const repeated = new Timeline();
    repeated.heartbeat({ ...IDLE, boot_id: "b", sequence: 1 });
    for (let second = 1; second <= 5; second++) {
      repeated.until(at("0:00.500") + second * 1000).heartbeat({ ...IDLE, boot_id: "b", sequence: 1 });
    }
    expect(repeated.state.phase).toMatchObject({ idle: { heartbeats: 1 } });
    repeated.heartbeat({ ...BUSY, boot_id: "b", sequence: 1 });
    expect(repeated.state.phase).toMatchObject({ idle: null });
  });
});

describe("a restart", () => {
  it("is told once an hour at most, however often the run changes", () => {
    const line = new Timeline();
    for (let beat = 0; beat < 120; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: `run-${beat}`, sequence: 1 });
    }
    expect(line.kinds.filter((kind) => kind === "rebooted")).toHaveLength(2);
    expect(line.view.total_heartbeats).toBe(120);
  });

  it("starts the numbers anew", () => {
    const line = new Timeline();
    line.heartbeat({ ...BUSY, boot_id: "a", sequence: 5 });
    line.until(at("1:00")).heartbeat({ ...BUSY, boot_id: "b", sequence: 5 });
    expect(line.view.total_heartbeats).toBe(2);
  });
});
