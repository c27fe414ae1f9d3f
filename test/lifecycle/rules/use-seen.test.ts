import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import { looksStuck } from "../../../src/lifecycle/rules/use-seen.ts";
import { at, Timeline } from "../timeline.ts";

const sources = (values: Readonly<Record<string, number | null>>): HeartbeatReport => ({
  gpu_utilization: 1,
  sources: Object.entries(values).map(([name, value]) => ({ name, value })),
});

const seen = (line: Timeline) =>
  Object.fromEntries((line.view.use?.sources ?? []).map(({ name, quiet_since }) => [name, quiet_since]));

describe("what was seen of an instance's use", () => {
  it("says of each source since when it is quiet, and of the whole since when nothing works", () => {
    const line = new Timeline();
    line.beatUntil(at("2:00"), sources({ ssh_connections: 0, cpu_cores: 3 }));
    expect(seen(line)).toEqual({ ssh_connections: "2025-12-19T00:00:00Z", cpu_cores: null });
    expect(line.view.use?.without_work_since).toBeNull();
    line.until(at("3:00")).beatUntil(at("4:00"), sources({ ssh_connections: 0, cpu_cores: 0 }));
    expect(seen(line)).toEqual({
      ssh_connections: "2025-12-19T00:00:00Z",
      cpu_cores: "2025-12-19T00:03:00Z",
    });
    expect(line.view.use).toMatchObject({
      at: "2025-12-19T00:04:00Z",
      without_work_since: "2025-12-19T00:03:00Z",
    });
    line.heartbeat(sources({ ssh_connections: null, cpu_cores: 0 }));
    expect(seen(line)).toEqual({ ssh_connections: null, cpu_cores: "2025-12-19T00:03:00Z" });
    expect(line.view.use?.without_work_since).toBeNull();
  });

  it("begins anew after a gap in the heartbeats", () => {
    const line = new Timeline();
    const gpus = [{ index: 0, utilization: 1 }];
    line.heartbeat({ ...sources({ cpu_cores: 0 }), gpus });
    line.until(at("3:00")).heartbeat({ ...sources({ cpu_cores: 0 }), gpus });
    expect(line.view).toMatchObject({
      use: { without_work_since: "2025-12-19T00:00:00Z", sources: [{ quiet_since: "2025-12-19T00:00:00Z" }] },
      gpus: [{ quiet_since: "2025-12-19T00:00:00Z" }],
    });
    line.until(at("6:00.001")).heartbeat({ ...sources({ cpu_cores: 0 }), gpus });
    expect(line.view).toMatchObject({
      use: { without_work_since: "2025-12-19T00:06:00Z", sources: [{ quiet_since: "2025-12-19T00:06:00Z" }] },
      gpus: [{ quiet_since: "2025-12-19T00:06:00Z" }],
    });
  });

  it("says of each GPU since when its highest utilization is under the threshold", () => {
    const line = new Timeline();
    const beat = (first: number, second: number | null) =>
      line.heartbeat({
        gpus: [
          { index: 0, utilization: 0, utilization_max: first },
          { index: 1, utilization: second },
        ],
      });
    const since = () => line.view.gpus.map(({ quiet_since }) => quiet_since);
    beat(80, 1);
    line.until(at("1:00"));
    beat(4, 1);
    expect(since()).toEqual(["2025-12-19T00:01:00Z", "2025-12-19T00:00:00Z"]);
    // A heartbeat without a list says nothing of them.
    line.until(at("2:00")).heartbeat({ gpu_utilization: 4 });
    expect(since()).toEqual(["2025-12-19T00:01:00Z", "2025-12-19T00:00:00Z"]);
    line.until(at("3:00"));
    beat(4, null);
    expect(since()).toEqual(["2025-12-19T00:01:00Z", null]);
  });

  it("is nothing of another machine", () => {
    const line = new Timeline();
    line.heartbeat(sources({ cpu_cores: 0 }));
    line.command({ type: "changed", changes: { providerRef: "other" }, sighted: null });
    expect(line.state.use).toBeUndefined();
  });

  it("is not shown of one that does not run", () => {
    const line = new Timeline({ provider: "agent" });
    line.beatUntil(at("5:00"), { gpu_utilization: 1 });
    expect(line.view.use).not.toBeNull();
    line.until(at("9:00"));
    expect(line.view).toMatchObject({ status: "hibernated", use: null });
  });
});

describe("a change of the policy", () => {
  const NOW = "2025-12-19T00:02:30Z";

  it("lets what is ignored, or quiet, by the new one alone count from the change", () => {
    for (const idle of [
      { sources: { cpu_cores: null, ssh_connections: 9 } },
      { respect_activity: false },
    ] as const) {
      const line = new Timeline({ provider: "agent" });
      line.beatUntil(at("2:30"), sources({ cpu_cores: 3, ssh_connections: 2 }));
      line.changePolicy({ idle });
      expect(line.view.use?.without_work_since).toBe(NOW);
      line.until(at("3:00")).beatUntil(at("5:59"), sources({ cpu_cores: 3, ssh_connections: 2 }));
      expect(line.kinds).not.toContain("idle");
      line.until(at("6:00")).beatUntil(at("8:00"), sources({ cpu_cores: 3, ssh_connections: 2 }));
      expect(line.kinds).toContain("idle");
      expect(line.view.status).toBe("hibernating");
    }
  });

  it("shows a source by its new threshold at once", () => {
    const line = new Timeline();
    line.beatUntil(at("2:30"), sources({ cpu_cores: 3, ssh_connections: 0, script_a: null }));
    line.changePolicy({ idle: { sources: { cpu_cores: 4, ssh_connections: 0, scripts: null } } });
    expect(line.view.use?.sources).toEqual([
      { name: "cpu_cores", value: 3, threshold: 4, state: "quiet", quiet_since: NOW, note: null },
      {
        name: "ssh_connections",
        value: 0,
        threshold: 0,
        state: "active",
        quiet_since: null,
        note: null,
      },
      {
        name: "script_a",
        value: null,
        threshold: null,
        state: "ignored",
        quiet_since: null,
        note: null,
      },
    ]);
  });

  it("that makes a source count for more ends an idle run, and calls off the hibernation for it", () => {
    const ended = [
      [{ sources: { cpu_cores: 1 } }, { sources: { cpu_cores: 0.2 } }],
      [{ sources: { cpu_cores: null } }, {}],
      [{ respect_activity: false }, {}],
    ] as const;
    for (const [before, after] of ended) {
      const line = new Timeline({ overrides: { idle: before } });
      line.beatUntil(at("5:00"), sources({ cpu_cores: 0.1 }));
      expect(line.view.status).toBe("hibernating");
      line.changePolicy({ idle: after });
      expect(line.state.phase).toMatchObject({ status: "running", idle: null });
    }
  });

  it("of a source that is not reported, or for less, leaves an idle run as it is", () => {
    for (const sourcesAfter of [{ work: 0.1 }, { cpu_cores: 0.9 }, { cpu_cores: null }] as const) {
      const line = new Timeline();
      line.beatUntil(at("4:00"), sources({ cpu_cores: 0.1 }));
      const { phase } = line.state;
      line.changePolicy({ idle: { sources: sourcesAfter } });
      expect(line.state.phase).toEqual(phase);
    }
  });
});

describe("a GPU looks stuck", () => {
  it("at 90% and 30% of its power's limit, where all three are known", () => {
    const gpu = { index: 0, utilization: 90, power_watts: 210, power_limit_watts: 700 };
    expect(looksStuck(gpu)).toBe(true);
    expect(looksStuck({ ...gpu, utilization: 89.9 })).toBe(false);
    expect(looksStuck({ ...gpu, power_watts: 211 })).toBe(false);
    for (const unknown of [null, undefined]) {
      expect(looksStuck({ ...gpu, utilization: unknown })).toBe(false);
      expect(looksStuck({ ...gpu, power_watts: unknown })).toBe(false);
      expect(looksStuck({ ...gpu, power_limit_watts: unknown })).toBe(false);
    }
  });
});
