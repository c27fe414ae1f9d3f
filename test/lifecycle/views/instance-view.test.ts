import { describe, expect, it } from "vitest";
import { liveView } from "../../../src/lifecycle/views/instance-view.ts";
import { metricsSample } from "../../../src/lifecycle/views/metrics-sample.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };
const DAY = 24 * 60 * 60_000;

const FULL = {
  gpu_utilization: 87.5,
  vram_used_gb: 18.4,
  cpu_utilization: 45,
  ram_used_gb: 12,
  disk_used_gb: 45.2,
  cost_accumulated: 2.4,
  uptime_seconds: 7200,
  status: "running",
};

describe("one line of the live list", () => {
  it("holds what is known of an instance at work", () => {
    const line = new Timeline();
    line.heartbeat(FULL);
    line.until(at("0:59.999"));
    expect(liveView("28864630", line.state, line.policy, line.now)).toEqual({
      instance_id: "28864630",
      name: "Rig",
      status: "running",
      last_heartbeat: "2025-12-19T00:00:00Z",
      seconds_since_heartbeat: 59,
      health: "healthy",
      gpu_utilization: 87.5,
      gpu_trend: [87.5],
      // Its uptime lies in the day before.
      cost_today: 0,
      cost_source: "computed",
      rate: 0.4,
      rate_source: "registered",
      wasted_today: 0,
      provider: "webhook",
      connection: "webhook",
      provider_ref: null,
      hourly_cost: 0.4,
      hibernated_hourly_cost: 0.01,
      running_cost: 0.4,
      hibernated_cost: 0.01,
      hibernated_cost_source: "registered",
      tags: {},
      registered_at: "2025-12-19T00:00:00Z",
      orphaned_since: null,
      hibernated_since: null,
      keep_alive_until: null,
      mode: "act",
      lifecycle: expect.objectContaining({ because: "Heartbeats arrive; GPU at 87.5%" }),
    });
  });

  it("shows no reading of an instance that is not running: it would be history", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE).succeed();
    expect(line.view).toMatchObject({
      status: "hibernated",
      health: "inactive",
      gpu_utilization: null,
      hibernated_since: "2025-12-19T00:05:00Z",
    });
    expect(line.view).not.toHaveProperty("alert");
    line.until(at("1:00:00")).heartbeat();
    expect(line.view).toMatchObject({ gpu_utilization: 87, hibernated_since: null });
  });

  it("is late after two intervals without a sign of life, a keep-alive being one", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("2:00"));
    expect(line.view.health).toBe("healthy");
    line.until(at("2:00.001"));
    expect(line.view.health).toBe("late");
    line.command({ type: "keep_alive", durationMs: 60_000 });
    line.until(at("5:00"));
    expect(line.view.health).toBe("healthy");
    line.until(at("5:00.002"));
    expect(line.view.health).toBe("late");
  });

  it("has an alert for an orphan in minutes, and in seconds under one", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("5:59"));
    expect(line.view.alert).toBe("No heartbeat for 5 minutes. May be stuck.");
    line.until(at("25:00:00"));
    expect(line.view.alert).toBe("No heartbeat for 1500 minutes. May be stuck.");
    for (const [orphanAfterSeconds, alert] of [
      [30, "No heartbeat for 30 seconds. May be stuck."],
      [60, "No heartbeat for 1 minute. May be stuck."],
    ] as const) {
      const quick = new Timeline({
        overrides: {
          heartbeat_interval_seconds: 10,
          orphan: { orphan_after_seconds: orphanAfterSeconds },
        },
      });
      quick.heartbeat();
      quick.until(quick.now + orphanAfterSeconds * 1000);
      expect(quick.view.alert).toBe(alert);
    }
  });

  it("has an alert for an idle instance that was warned, and for no other", () => {
    const line = new Timeline().beatUntil(at("2:59"), IDLE);
    expect(line.view).not.toHaveProperty("alert");
    line.until(at("4:00"));
    expect(line.view.alert).toBe("GPU <5% utilization for 4min. Hibernating in 1min.");
    line.heartbeat();
    expect(line.view).not.toHaveProperty("alert");
  });

  it("is inactive whenever nothing is expected of the instance", () => {
    const line = new Timeline();
    expect(line.view.health).toBe("inactive");
    line.heartbeat();
    line.command({ type: "hibernate.requested" });
    expect(line.view).toMatchObject({ status: "hibernating", health: "inactive" });
    line.succeed();
    line.command({ type: "wake.requested" });
    expect(line.view).toMatchObject({ status: "waking", health: "inactive" });
  });
});

describe("an instance in full", () => {
  it("lists its newest twenty heartbeats, the newest first, with all that they said", () => {
    const line = new Timeline();
    line.heartbeat({
      ...FULL,
      gpu_utilization_max: 99,
      sources: [
        { name: "work_vllm", value: 3 },
        { name: "work_tgi", value: 7, note: "requests" },
        { name: "cpu_cores", value: null },
        { name: "disk_kb_per_second", value: 0 },
      ],
      preparation: { state: "succeeded", seconds: 3 },
    });
    expect(line.view.recent_heartbeats).toEqual([
      {
        timestamp: "2025-12-19T00:00:00Z",
        ...FULL,
        gpu_utilization_max: 99,
        activity: null,
        sources: { work: 7, disk_kb_per_second: 0 },
        unread: ["cpu_cores"],
        preparation: "succeeded",
        late: false,
      },
    ]);
    line.until(at("1:00")).heartbeat({});
    expect(line.view.recent_heartbeats[0]).toEqual({
      timestamp: "2025-12-19T00:01:00Z",
      gpu_utilization: null,
      gpu_utilization_max: null,
      vram_used_gb: null,
      cpu_utilization: null,
      ram_used_gb: null,
      disk_used_gb: null,
      cost_accumulated: null,
      uptime_seconds: null,
      status: null,
      activity: null,
      sources: {},
      unread: [],
      preparation: null,
      late: false,
    });
    line.until(at("2:00")).beatUntil(at("25:00"));
    expect(line.view.recent_heartbeats.map(({ timestamp }) => timestamp).slice(0, 2)).toEqual([
      "2025-12-19T00:25:00Z",
      "2025-12-19T00:24:00Z",
    ]);
    expect(line.view.recent_heartbeats).toHaveLength(20);
  });

  it("lists its GPUs as last reported, whole", () => {
    const line = new Timeline();
    const reported = {
      index: 1,
      name: "H100",
      utilization: 50,
      utilization_max: 99,
      vram_used_gb: 10,
      vram_total_gb: 80,
      power_watts: 650.5,
      power_limit_watts: 700,
      compute_processes: 2,
    };
    line.heartbeat({ gpus: [{ index: 0 }, reported] });
    const whole = { ...reported, quiet_since: null };
    const empty = {
      index: 0,
      name: null,
      utilization: null,
      utilization_max: null,
      quiet_since: null,
      vram_used_gb: null,
      vram_total_gb: null,
      power_watts: null,
      power_limit_watts: null,
      compute_processes: null,
    };
    expect(line.view.gpus).toEqual([empty, whole]);
    line.until(at("1:00")).heartbeat({ gpu_utilization: 3 });
    expect(line.view).toMatchObject({ gpus: [empty, whole], gpu_utilization: 3 });
    line.until(at("2:00")).heartbeat({ gpus: [] });
    expect(line.view.gpus).toEqual([]);
  });

  it("says what is in use only where something is", () => {
    const line = new Timeline();
    line.heartbeat({ ...IDLE, activity: { ssh_sessions: 2, jupyter: 0, users: 1 } });
    expect(line.state.recent.at(-1)?.activity).toBe("2 ssh_sessions, 1 users");
    line.heartbeat({ ...IDLE, activity: { ssh_sessions: 0 } });
    expect(line.state.recent.at(-1)?.activity).toBeNull();
    line.heartbeat({ ...IDLE, activity: null });
    expect(line.state.recent.at(-1)?.activity).toBeNull();
  });
});

describe("the sample for the metrics", () => {
  const sample = (line: Timeline) => metricsSample("28864630", line.state, line.policy, line.now);

  it("holds the newest readings of a running instance, and its counters", () => {
    const line = new Timeline();
    line.heartbeat(FULL);
    line.until(at("3:00.500")).heartbeat({ ...FULL, gpu_utilization: 50, cost_accumulated: 2.5 });
    line.until(at("4:10"));
    expect(sample(line)).toEqual({
      instanceId: "28864630",
      name: "Rig",
      status: "running",
      isNeverHeard: false,
      gpuPercent: 50,
      vramUsedGb: 18.4,
      cpuPercent: 45,
      ramUsedGb: 12,
      diskUsedGb: 45.2,
      costAccumulated: 2.5,
      costToday: 0.1,
      rate: 0.4,
      isWasted: false,
      secondsSinceHeartbeat: 69,
      heartbeats: 2,
      missed: 2,
      uptimePercent: 50,
      savedDollars: 0,
      hourlyCost: 0.4,
      hibernatedCost: null,
      waitingHeartbeats: 1,
    });
  });

  it("knows nothing of an instance that was never heard", () => {
    expect(sample(new Timeline({ profile: { hourlyCost: null } }))).toEqual({
      instanceId: "28864630",
      name: "Rig",
      status: "pending",
      isNeverHeard: false,
      gpuPercent: null,
      vramUsedGb: null,
      cpuPercent: null,
      ramUsedGb: null,
      diskUsedGb: null,
      costAccumulated: null,
      costToday: 0,
      rate: null,
      isWasted: false,
      secondsSinceHeartbeat: null,
      heartbeats: 0,
      missed: 0,
      uptimePercent: null,
      savedDollars: 0,
      hourlyCost: null,
      hibernatedCost: null,
      waitingHeartbeats: 0,
    });
  });

  it("gives no readings of one that is not running, and what it saves", () => {
    const line = new Timeline().beatUntil(at("5:00"), { ...FULL, ...IDLE }).succeed();
    line.until(at("1:05:00"));
    expect(sample(line)).toMatchObject({
      status: "hibernated",
      gpuPercent: null,
      vramUsedGb: null,
      cpuPercent: null,
      ramUsedGb: null,
      diskUsedGb: null,
      costAccumulated: 2.4,
      secondsSinceHeartbeat: 3600,
      savedDollars: 0.39,
    });
  });
});

describe("the savings shown", () => {
  it("grow while the instance is hibernated, and while its delete is under way", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
    line.permit();
    const before = savingsView(line.state, line.now).hibernated_seconds_total;
    line.until(line.now + 90_000);
    expect(savingsView(line.state, line.now).hibernated_seconds_total).toBe(before + 90);
  });

  it("are none while the instance is not known to be hibernated", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.until(at("1:00:00"));
    expect(line.view.status).toBe("hibernating");
    expect(savingsView(line.state, line.now)).toEqual({
      saved_this_month: 0,
      saved_total: 0,
      hibernated_seconds_this_month: 0,
      hibernated_seconds_total: 0,
    });
  });
});

describe("the answer to a heartbeat", () => {
  it("asks for the next after the interval of the policy", () => {
    const line = new Timeline({ overrides: { heartbeat_interval_seconds: 30 } });
    expect(line.heartbeat()).toEqual({
      message: "Heartbeat received",
      actions: [],
      nextHeartbeatInSeconds: 30,
    });
  });

  it("says that the instance is being hibernated, or counts as such, and orders it only by answer", () => {
    const called = new Timeline().beatUntil(at("5:00"), IDLE);
    expect(called.heartbeat(IDLE)).toEqual({
      message: "Hibernating",
      actions: [{ type: "hibernating", message: "Hibernation is under way" }],
      nextHeartbeatInSeconds: 60,
    });
    called.succeed();
    expect(called.heartbeat(IDLE)).toEqual({
      message: "Hibernating",
      actions: [{ type: "hibernating", message: "The instance counts as hibernated" }],
      nextHeartbeatInSeconds: 60,
    });
    const agent = new Timeline({ provider: "agent" }).beatUntil(at("4:30"), IDLE).until(at("5:00"));
    expect(agent.heartbeat(IDLE)).toMatchObject({
      message: "Hibernating",
      actions: [{ type: "hibernating" }, { type: "hibernate", action_id: agent.actionId }],
    });
    agent.heartbeat({ status: "hibernating" });
    agent.until(at("7:00"));
    expect(agent.view.status).toBe("hibernated");
    expect(agent.heartbeat(IDLE).actions).toEqual([
      { type: "hibernating", message: "The instance counts as hibernated" },
    ]);
  });

  it("counts down to zero and no further", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.fail();
    line.until(at("6:00"));
    expect(line.heartbeat(IDLE).actions).toMatchObject([
      {
        message: "GPU <5% utilization for 6min. Hibernating in 4min.",
        countdown_seconds: 240,
      },
    ]);
    const waiting = new Timeline({ overrides: { heartbeat_interval_seconds: 30 } });
    waiting.beatUntil(at("4:00"), IDLE);
    expect(waiting.view.health).toBe("idle");
  });

  it("warns nobody of what nobody will do", () => {
    const line = new Timeline({ provider: "none" }).beatUntil(at("4:00"), IDLE);
    expect(line.view.health).toBe("idle");
    expect(line.heartbeat(IDLE)).toMatchObject({ message: "Heartbeat received", actions: [] });
  });
});
