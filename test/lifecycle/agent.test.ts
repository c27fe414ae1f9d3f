import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LateReading } from "../../src/lifecycle/model/heartbeat.ts";
import { at, Timeline } from "./timeline.ts";

const MINUTE = 60_000;

function agentLine(): Timeline {
  return new Timeline({ provider: "agent" });
}

/** Everything that was handed to the history, and what still waits for it, by its time. */
function historyOf(line: Timeline) {
  const { recent, unflushed } = line.state;
  return [
    ...line.effects.flatMap((effect) => (effect.type === "chunk" ? effect.heartbeats : [])),
    ...(unflushed === 0 ? [] : recent.slice(-unflushed)),
  ];
}

const late = (sequence: number, ageSeconds: number): LateReading => [
  sequence,
  ageSeconds,
  50,
  null,
  null,
  null,
  null,
  null,
];

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
});

describe("several GPUs", () => {
  it("are as busy as the busiest, and each is shown", () => {
    const line = agentLine();
    line.heartbeat({
      gpus: [
        { index: 0, name: "H100", utilization: 3, vram_used_gb: 1, vram_total_gb: 80 },
        { index: 1, utilization: 71 },
      ],
    });
    expect(line.view.gpu_utilization).toBe(71);
    expect(line.view.gpus).toEqual([
      { index: 0, name: "H100", utilization: 3, vram_used_gb: 1, vram_total_gb: 80 },
      { index: 1, name: null, utilization: 71, vram_used_gb: null, vram_total_gb: null },
    ]);
  });
});

describe("activity", () => {
  const idle = (activity: Record<string, number>) => ({ gpu_utilization: 1, activity });

  it("keeps an instance with an idle GPU from being idle, and the view says so", () => {
    const line = agentLine().beatUntil(at("10:00"), idle({ ssh_sessions: 2, busy_jupyter_kernels: 0 }));
    expect(line.view).toMatchObject({
      status: "running",
      health: "healthy",
      lifecycle: {
        next_step: null,
        because: "GPU at 1%, but in use: 2 ssh_sessions",
        blocked_by: "activity",
      },
    });
    line.beatUntil(at("14:30"), idle({ ssh_sessions: 0 })).until(at("16:00"));
    expect(line.view.status).toBe("hibernating");
    expect(line.heartbeat(idle({ ssh_sessions: 1 })).actions).toEqual([]);
    expect(line.view.status).toBe("running");
  });

  it("does not count where the policy says so", () => {
    const line = new Timeline({ provider: "agent", overrides: { idle: { respect_activity: false } } });
    line.beatUntil(at("5:00"), idle({ ssh_sessions: 2 }));
    expect(line.view.status).toBe("hibernating");
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
    expect(line.view.recent_heartbeats[1]).toEqual({
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
    expect(line.view.recent_heartbeats[1]).toEqual({
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

  it("never push the newest of the live state beyond twenty", () => {
    const line = agentLine();
    line.heartbeat({ boot_id: "b", sequence: 1 });
    line.until(at("40:00"));
    const backlog = Array.from({ length: 38 }, (_, index) => late(index + 2, (39 - index) * 60 - 30));
    line.heartbeat({ boot_id: "b", sequence: 40, backlog });
    expect(line.view.recent_heartbeats).toHaveLength(20);
    expect(line.view.recent_heartbeats[0]?.timestamp).toBe("2025-12-19T00:40:00Z");
    expect(historyOf(line)).toHaveLength(40);
    const sizes = line.effects.flatMap((effect) =>
      effect.type === "chunk" ? [effect.heartbeats.length] : [],
    );
    expect(sizes).toEqual([1, 10, 10, 10, 8, 1]);
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
