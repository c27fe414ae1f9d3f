import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LateReading } from "../../../src/lifecycle/model/heartbeat.ts";
import { historyOf, late } from "../late-readings.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const MINUTE = 60_000;

/** How many readings the history holds or will hold. */
const kept = (line: Timeline) => line.state.agent.nextInHistory - 1;

function agentLine(): Timeline {
  return new Timeline({ provider: "agent" });
}

const BUSY = { gpu_utilization: 90 };

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
    for (let minute = 0; minute <= 31; minute++) {
      line.until(at("0:00") + minute * MINUTE);
      line.heartbeat({ boot_id: "b", sequence: minute, backlog: [] });
    }
    const sizes = line.effects.flatMap((effect) =>
      effect.type === "chunk" ? [effect.heartbeats.length] : [],
    );
    expect(sizes).toEqual([1, 30]);
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

describe("readings that come late", () => {
  it("fill the history, and change neither what was missed nor how long the silence was", () => {
    const line = agentLine();
    line.heartbeat({ gpu_utilization: 90, boot_id: "b", sequence: 1 });
    line.until(at("11:00"));
    const backlog = Array.from({ length: 10 }, (_, index) => late(index + 2, (10 - index) * 60));
    line.heartbeat({ gpu_utilization: 90, boot_id: "b", sequence: 12, backlog });
    expect(historyOf(line).map((heartbeat) => (heartbeat.at - at("0:00")) / MINUTE)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ]);
    expect(historyOf(line).map((heartbeat) => heartbeat.sequence)).toEqual(
      Array.from({ length: 12 }, (_, index) => index + 1),
    );
    expect(line.view).toMatchObject({ status: "running", total_heartbeats: 2, missed_heartbeats: 10 });
    expect(line.kinds).toEqual(["registered", "first_heartbeat", "orphaned", "recovered"]);
  });

  it("that were heard before, or come from nowhere, are left out", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 5 });
    line.until(at("5:00"));
    line.heartbeat({
      boot_id: "b",
      sequence: 9,
      backlog: [late(4, 250), late(5, 240), late(6, 180), late(9, 0), late(12, 0)],
    });
    expect(historyOf(line)).toHaveLength(3);
    line.until(at("6:00"));
    line.heartbeat({ sequence: 10, backlog: [late(7, 60)] });
    line.heartbeat({ boot_id: "b", backlog: [late(8, 60)] });
    expect(historyOf(line)).toHaveLength(5);
  });

  it("in any number and order are kept in order, in chunks short enough, each once", () => {
    const reading = fc.tuple(fc.nat(400), fc.nat(20_000)).map(([sequence, age]) => late(sequence, age));
    fc.assert(
      fc.property(fc.array(fc.array(reading, { maxLength: 240 }), { maxLength: 4 }), (backlogs) => {
        const line = agentLine();
        line.heartbeat({ boot_id: "b", sequence: 0 });
        for (const [index, backlog] of backlogs.entries()) {
          line.until(line.now + 200 * MINUTE);
          line.heartbeat({ boot_id: "b", sequence: 401 + index, backlog });
        }
        const kept = historyOf(line);
        expect(kept.map((heartbeat) => heartbeat.at)).toEqual(
          kept.map((heartbeat) => heartbeat.at).toSorted((a, b) => a - b),
        );
        expect(kept.map((heartbeat) => heartbeat.sequence)).toEqual(kept.map((_, index) => index + 1));
        expect(line.view.total_heartbeats).toBe(backlogs.length + 1);
        for (const effect of line.effects) {
          if (effect.type !== "chunk") continue;
          const [first] = effect.heartbeats;
          const last = effect.heartbeats.at(-1);
          expect(effect.heartbeats.length).toBeLessThanOrEqual(10);
          expect((last?.at ?? 0) - (first?.at ?? 0)).toBeLessThanOrEqual(60 * MINUTE);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("that show work end the idle run into which they fall, and the order that it led to", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");
    line.until(at("5:10"));
    line.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(7, 130, 1), late(8, 70, 98)] });
    expect(line.view.status).toBe("running");
    expect(line.kinds.at(-1)).toBe("hibernate_cancelled");
    line.beatUntil(at("9:00"), IDLE);
    expect(line.kinds.filter((kind) => kind === "hibernating")).toHaveLength(1);
  });

  it("that could not be read count as work, and those from before the run as nothing", () => {
    const unknown = new Timeline().beatUntil(at("2:00"), IDLE);
    unknown.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 60, null)] });
    expect(unknown.state.phase).toMatchObject({ idle: { since: at("2:00") } });

    const before = new Timeline().beatUntil(at("2:00"), IDLE);
    before.heartbeat({ ...IDLE, boot_id: "b", sequence: 9, backlog: [late(8, 600, 98)] });
    expect(before.state.phase).toMatchObject({ idle: { since: at("0:00") } });
  });

  it("never make the history grow faster than time passes", () => {
    const backlog = Array.from({ length: 240 }, (_, index) => late(index, 240 - index, 50));
    const line = new Timeline({ provider: "agent" });
    for (let beat = 0; beat < 60; beat++) {
      line.until(at("0:00") + beat * 60_000);
      line.heartbeat({ ...BUSY, boot_id: `run-${beat}`, sequence: 1000, backlog });
    }
    // Half an interval apart at the closest, and nothing before what is known: but for the first beat's own past.
    expect(line.state.agent.nextInHistory).toBeLessThanOrEqual(60 * 2 + 8);
  });
});

describe("readings that come late, at their edges", () => {
  const timesOf = (line: Timeline) => historyOf(line).map((heartbeat) => (heartbeat.at - at("0:00")) / 1000);

  it("are kept half an interval apart, and not in the future", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 1 });
    line.until(at("5:00"));
    const backlog = [late(2, 270.001), late(3, 270), late(4, 240.5), late(5, 240), late(6, 0)];
    line.heartbeat({ boot_id: "b", sequence: 7, backlog });
    expect(timesOf(line)).toEqual([0, 30, 60, 300, 300]);
  });

  it("keep all that they say", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 1 });
    line.until(at("2:00"));
    line.heartbeat({ boot_id: "b", sequence: 3, backlog: [[2, 60, 1, 2, 3, 4, 5, 6]] });
    expect(line.view.recent_heartbeats).toHaveLength(3);
    expect(line.view.recent_heartbeats[1]).toMatchObject({
      timestamp: "2025-12-19T00:01:00Z",
      gpu_utilization: 1,
      vram_used_gb: 2,
      cpu_utilization: 3,
      ram_used_gb: 4,
      disk_used_gb: 5,
      cost_accumulated: 6,
      uptime_seconds: null,
      status: null,
    });
    line.until(at("4:00"));
    const unknown: LateReading = [4, 60, null, null, null, null, null, null];
    line.heartbeat({ boot_id: "b", sequence: 5, backlog: [unknown] });
    expect(line.view.recent_heartbeats[1]).toMatchObject({
      timestamp: "2025-12-19T00:03:00Z",
      gpu_utilization: null,
      vram_used_gb: null,
      cpu_utilization: null,
      ram_used_gb: null,
      disk_used_gb: null,
      cost_accumulated: null,
      uptime_seconds: null,
      status: null,
    });
    // Counters go by what came in time.
    expect(line.view).toMatchObject({ total_heartbeats: 3, cost_accumulated: null });
  });

  it("of a counter that began anew within the run are new as well", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 100 });
    line.until(at("5:00"));
    line.heartbeat({ boot_id: "b", sequence: 4, backlog: [late(2, 120), late(3, 60)] });
    expect(timesOf(line)).toEqual([0, 180, 240, 300]);
  });

  it("never push the newest of the live state beyond forty", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 1 });
    line.until(at("1:00:00"));
    const backlog = Array.from({ length: 58 }, (_, index) => late(index + 2, (59 - index) * 60 - 30));
    line.heartbeat({ boot_id: "b", sequence: 60, backlog });
    expect(line.state.recent).toHaveLength(20);
    expect(line.view.recent_heartbeats).toHaveLength(20);
    expect(line.view.recent_heartbeats[0]?.timestamp).toBe("2025-12-19T01:00:00Z");
    expect(historyOf(line)).toHaveLength(60);
    const sizes = line.effects.flatMap((effect) =>
      effect.type === "chunk" ? [effect.heartbeats.length] : [],
    );
    expect(sizes).toEqual([1, 30, 28, 1]);
  });

  it("say why the run into which they fall has ended", () => {
    const line = agentLine().beatUntil(at("4:00"), { gpu_utilization: 1 });
    const backlog: LateReading[] = [[8, 60, 98, null, null, null, null, null]];
    line.until(at("4:30")).heartbeat({ gpu_utilization: 1, boot_id: "b", sequence: 9, backlog });
    expect(line.events.find((event) => event.kind === "busy")?.message).toBe(
      "No longer idle (GPU at 98% at 2025-12-19T00:03:30Z)",
    );
  });
});
