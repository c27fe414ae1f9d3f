import { describe, expect, it } from "vitest";
import type { HeartbeatReport, LateReading } from "../../../src/lifecycle/model/heartbeat.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };
const MINUTE = 60_000;

const late = (sequence: number, ageSeconds: number, gpu: number | null = 50): LateReading => [
  sequence,
  ageSeconds,
  gpu,
  null,
  null,
  null,
  null,
  null,
];

/** How many readings the history holds or will hold. */
const kept = (line: Timeline) => line.state.agent.nextInHistory - 1;

describe("a last word", () => {
  it("of an instance that others hibernate means nothing", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("1:00")).heartbeat({ gpu_utilization: 90, status: "hibernating" });
    expect(line.view.status).toBe("running");
    expect(line.kinds).not.toContain("hibernating");
  });
});

describe("a GPU that can't be read", () => {
  const unread = (report: HeartbeatReport): HeartbeatReport => ({
    ...report,
    gpus: [{ index: 0, utilization: null }],
  });

  it("never hands over to the CPU, though no GPU was ever read", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("10:00"), unread({ cpu_utilization: 1 }));
    expect(line.kinds).not.toContain("idle");
  });

  it("and is only listed by its name, never hands over to the CPU either", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("10:00"), { cpu_utilization: 1, gpus: [{ index: 0, name: "H100" }] });
    expect(line.kinds).not.toContain("idle");
    const none = new Timeline({ overrides: { idle: { metric: "auto" } } });
    none.beatUntil(at("4:00"), { cpu_utilization: 1, gpus: [] });
    expect(none.kinds).toContain("idle");
  });

  it("is of no interest where idleness is judged by the CPU", () => {
    const line = new Timeline({ overrides: { idle: { metric: "cpu" } } });
    line.beatUntil(at("4:00"), unread({ cpu_utilization: 1, gpu_utilization: 99 }));
    expect(line.kinds).toContain("idle");
  });

  it("leaves the others to prove that the instance is used", () => {
    for (const [percent, because] of [
      [90, "GPU at 90%"],
      [5, "GPU at 5%"],
      [4, "no reading"],
      [null, "no reading"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      line.heartbeat({
        gpus: [
          { index: 0, utilization: percent },
          { index: 1, utilization: null },
        ],
      });
      expect(line.events.at(-1)?.message).toBe(`No longer idle (${because})`);
    }
  });

  it("among others that are read is one whose reading is missing", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    line.heartbeat({ gpus: [{ index: 0, utilization: 1 }, { index: 1 }] });
    expect(line.events.at(-1)?.message).toBe("No longer idle (no reading)");
  });
});

describe("a heartbeat that ends an idle run", () => {
  it("tells why", () => {
    for (const [report, because] of [
      [{ gpu_utilization: 5 }, "GPU at 5%"],
      [{ gpu_utilization: 1, activity: { ssh_sessions: 2 } }, "2 ssh_sessions"],
      [{ gpu_utilization: 99, activity: { ssh_sessions: 2 } }, "GPU at 99%"],
      [{}, "no reading"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      line.heartbeat(report);
      expect(line.events.at(-1)).toMatchObject({
        kind: "busy",
        severity: "info",
        message: `No longer idle (${because})`,
        detail: { idle_since: "2025-12-19T00:00:00Z" },
      });
    }
  });

  it("calls off the hibernation that it led to, and says so, but none that the owner asked for", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.heartbeat();
    expect(line.events.at(-1)).toMatchObject({
      kind: "hibernate_cancelled",
      message: "Hibernation called off: it is busy again",
      detail: { reason: "idle" },
    });
    const asked = new Timeline();
    asked.heartbeat();
    asked.command({ type: "hibernate.requested" });
    asked.until(at("1:00")).heartbeat();
    expect(asked.view.status).toBe("hibernating");
  });
});

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

describe("late readings", () => {
  it("of no run, or with no number to come before, are left out", () => {
    const line = new Timeline();
    line.heartbeat({ boot_id: "b", sequence: 1 });
    line.until(at("10:00")).heartbeat({ sequence: 10, backlog: [late(7, 300)] });
    expect(kept(line)).toBe(2);
    line.until(at("20:00")).heartbeat({ boot_id: "b", backlog: [late(8, 300)] });
    expect(kept(line)).toBe(3);
    line.until(at("30:00")).heartbeat({ boot_id: "b", sequence: 10, backlog: [late(8, 300)] });
    expect(kept(line)).toBe(5);
  });

  it("of a count that began anew are kept from number 0 on", () => {
    const line = new Timeline();
    line.heartbeat({ boot_id: "b", sequence: 100 });
    line.until(at("10:00"));
    line.heartbeat({ boot_id: "b", sequence: 2, backlog: [late(0, 120), late(1, 60)] });
    expect(kept(line)).toBe(4);
  });

  it("of a first heartbeat are kept as well, from number 0 on", () => {
    const line = new Timeline();
    line.until(at("10:00")).heartbeat({ boot_id: "b", sequence: 2, backlog: [late(0, 120), late(1, 60)] });
    expect(kept(line)).toBe(3);
  });

  it("that are none let no chunk travel early", () => {
    const line = new Timeline();
    for (let minute = 0; minute <= 10; minute++) {
      line.until(at("0:00") + minute * MINUTE);
      line.heartbeat({ boot_id: "b", sequence: minute, backlog: [] });
    }
    const sizes = line.effects.flatMap((effect) =>
      effect.type === "chunk" ? [effect.heartbeats.length] : [],
    );
    expect(sizes).toEqual([1, 10]);
  });

  it("that are idle end no run, and one from its very beginning that is not ends it", () => {
    const idle = new Timeline().beatUntil(at("2:00"), IDLE);
    idle.until(at("2:30")).heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 60, 1)] });
    expect(idle.state.phase).toMatchObject({ idle: { since: at("0:00"), heartbeats: 4 } });

    const used = new Timeline().beatUntil(at("2:00"), IDLE);
    used.until(at("2:30")).heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 150, 98)] });
    expect(used.state.phase).toMatchObject({ idle: { since: at("2:30"), heartbeats: 1 } });
  });

  it("that show work call off only the hibernation that idleness led to", () => {
    const line = new Timeline().beatUntil(at("2:00"), IDLE);
    line.command({ type: "hibernate.requested" });
    line.until(at("2:30")).heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 60, 98)] });
    expect(line.view.status).toBe("hibernating");
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
