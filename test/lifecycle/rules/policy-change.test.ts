import { describe, expect, it } from "vitest";
import type { PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE = { gpu_utilization: 2 };

const DAY = 24 * 60 * 60_000;

const HOUR = 60 * 60_000;

describe("a change of the heartbeat interval", () => {
  it("counts what was missed so far by the former interval, and goes on by the new one", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } });
    line.heartbeat();
    line.until(at("10:00"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.changePolicy({ heartbeat_interval_seconds: 300, orphan: { enabled: false } });
    expect(line.view.missed_heartbeats).toBe(9);
    // The gap goes on where the last missed heartbeat was due, at 9:00.
    line.until(at("16:29"));
    expect(line.view.missed_heartbeats).toBe(9);
    line.until(at("16:30"));
    expect(line.view.missed_heartbeats).toBe(10);
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(10);
  });

  it("to a shorter one never makes of one gap the many that the new interval would have missed", () => {
    const line = new Timeline({
      overrides: { heartbeat_interval_seconds: 3600, orphan: { enabled: false } },
    });
    line.heartbeat();
    line.until(at("2:00:00"));
    expect(line.view.missed_heartbeats).toBe(1);
    line.changePolicy({ orphan: { enabled: false } });
    // From 1:00:00 on one is missed each minute.
    expect(line.view.missed_heartbeats).toBe(1 + 59);
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(60);
  });

  it("counts nothing for an instance that was never heard", () => {
    const line = new Timeline();
    line.until(at("10:00"));
    line.changePolicy({ heartbeat_interval_seconds: 30 });
    line.until(at("20:00"));
    expect(line.view).toMatchObject({ status: "pending", missed_heartbeats: 0 });
    line.heartbeat();
    expect(line.view.missed_heartbeats).toBe(0);
  });

  it("to a shorter one expects nothing before the heartbeat that the agent was told to send", () => {
    const line = new Timeline({ overrides: { heartbeat_interval_seconds: 240 } });
    line.heartbeat();
    line.until(at("1:00"));
    line.changePolicy({});
    line.until(at("8:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("9:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("to a longer one makes nobody an orphan later", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("1:00"));
    line.changePolicy({ heartbeat_interval_seconds: 100 });
    line.until(at("4:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("5:00"));
    expect(line.view.status).toBe("orphaned");
  });
});

describe("a change of what idleness is judged by", () => {
  it("from the CPU to the GPU ends the run, and the next begins with the next heartbeat", () => {
    const both = { gpu_utilization: 1, cpu_utilization: 2 };
    const line = new Timeline({ overrides: { idle: { metric: "cpu" } } }).beatUntil(at("2:00"), both);
    expect(line.state.phase).toMatchObject({ idle: { metric: "CPU", since: at("0:00"), highestPercent: 2 } });
    line.changePolicy({ idle: { metric: "gpu" } });
    line.until(at("3:00")).beatUntil(at("5:00"), both).until(at("5:59.999"));
    expect(line.kinds).not.toContain("idle");
    line.until(at("6:00"));
    expect(line.events.at(-1)).toMatchObject({
      kind: "idle",
      message: "GPU <5% utilization for 3min. Hibernating in 2min.",
      detail: { metric: "GPU", highest_percent: 1, heartbeats: 3 },
    });
  });

  it("by the instance's own readings, from the CPU to a GPU that it begins to report, is another run", () => {
    const line = new Timeline({ overrides: { idle: { metric: "auto" } } });
    line.beatUntil(at("2:00"), { cpu_utilization: 3 });
    line.until(at("2:30")).beatUntil(at("4:30"), { gpu_utilization: 1, cpu_utilization: 3 });
    expect(line.kinds).not.toContain("idle");
    expect(line.state.phase).toMatchObject({
      idle: { metric: "GPU", since: at("2:30"), highestPercent: 1, heartbeats: 3 },
    });
    line.until(at("5:30"));
    expect(line.kinds).toContain("idle");
  });

  it("that changes nothing of it leaves the run, and its warning, as they are", () => {
    const line = new Timeline().beatUntil(at("4:00"), IDLE);
    const { phase } = line.state;
    line.changePolicy({ keep_alive_minutes: 5 });
    expect(line.state.phase).toEqual(phase);
    line.until(at("4:59.999"));
    expect(line.view.status).toBe("running");
    line.until(at("5:00"));
    expect(line.view.status).toBe("hibernating");

    const young = new Timeline().beatUntil(at("2:00"), IDLE);
    const before = young.state.phase;
    young.changePolicy({ keep_alive_minutes: 5 });
    expect(young.state.phase).toEqual(before);
  });

  it("tells the owner why a run of which it was warned has ended", () => {
    for (const [overrides, because] of [
      [{ idle: { enabled: false } }, "idle policy switched off"],
      [{ idle: { metric: "auto" } }, "policy changed"],
      [{ heartbeat_interval_seconds: 30 }, "policy changed"],
      [{ idle: { threshold_percent: 2 } }, "GPU was at 2%"],
    ] as const) {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      line.changePolicy(overrides);
      expect(line.events.slice(-2)).toMatchObject([
        { kind: "busy", message: `No longer idle (${because})`, severity: "info" },
        { kind: "policy_changed", message: "Policy changed", severity: "info" },
      ]);
    }
  });
});

describe("a change of the ladder's times", () => {
  const hibernatedOrphan = () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    return line.until(at("3:00:00"));
  };
  const DAY = 24 * 60 * 60_000;

  it("that leaves a delete in the future moves it by nothing but the change", () => {
    const line = hibernatedOrphan();
    line.changePolicy({ orphan: { delete_after_days: 3 } });
    const due = at("5:00") + 3 * DAY;
    line.until(due - 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(due).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that leaves a delete overdue that was due before, does not put it off", () => {
    const line = hibernatedOrphan();
    line.until(at("5:00") + 8 * DAY);
    line.changePolicy({ orphan: { delete_after_days: 6 } });
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that makes a delete due which was not lets it count from the change", () => {
    const line = hibernatedOrphan();
    line.until(at("5:00") + 6 * DAY);
    line.changePolicy({ orphan: { delete_after_days: 2 } });
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("5:00") + 8 * DAY - 1).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("5:00") + 8 * DAY).command({ type: "cleanup" });
    expect(line.guardQuestions).toEqual(["hibernate", "delete"]);
  });

  it("that switches the ladder off stops an orphan's, and on again begins it anew", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("10:00"));
    line.changePolicy({ orphan: { enabled: false } });
    line.until(at("10:00:00"));
    expect(line.guardQuestions).toEqual([]);
    expect(line.view.lifecycle).toMatchObject({ blocked_by: "policy_disabled" });
    line.changePolicy({});
    line.until(at("10:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("10:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("leaves the ladder of an orphan that it would not have moved as it is", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("10:00"));
    line.changePolicy({ orphan: { hibernate_after_seconds: 1200 } });
    line.until(at("19:59.999"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("20:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });
});

describe("a change of policy while an order is under way", () => {
  it("does not let an orphan be deleted for the days before the change", () => {
    const line = new Timeline({ overrides: { orphan: { delete_after_days: null } } });
    line.heartbeat();
    line.until(at("30:00"));
    line.permit();
    // Its provider refuses for 30 days: it is tried again and again.
    while (line.now < at("0:00") + 30 * DAY) {
      if (line.view.status === "hibernating") {
        line.fail();
      }
      line.until(line.now + 60 * 60_000);
      line.permit();
    }
    while (line.view.status !== "hibernating") {
      line.until(line.now + 60 * 60_000);
      line.permit();
    }
    const changedAt = line.now;
    line.changePolicy({ orphan: { delete_after_days: 7 } });
    line.accept();
    line.succeed();
    line.until(changedAt + 60_000);
    line.command({ type: "cleanup" });
    line.permit();
    expect(line.orders.filter((kind) => kind === "delete")).toEqual([]);
  });

  it("leaves silence the time that the new policy gives, once the order has failed", () => {
    const patient = {
      orphan_after_seconds: 10_800,
      hibernate_after_seconds: 14_400,
      force_hibernate_after_seconds: 18_000,
    };
    const line = new Timeline({ overrides: { orphan: patient } });
    line.heartbeat();
    line.until(at("1:00"));
    line.command({ type: "hibernate.requested" });
    line.until(at("45:00"));
    line.changePolicy({});
    line.until(at("46:00"));
    line.fail();
    line.until(at("47:00"));
    // Were the order not there, the ladder would count from the change: orphaned at 50:00, hibernated at 75:00.
    expect(line.guardQuestions).toEqual([]);
    expect(line.view.status).toBe("running");
  });
});

describe("a change of policy", () => {
  const hourly = {
    heartbeat_interval_seconds: 3600,
    orphan: {
      orphan_after_seconds: 10_800,
      hibernate_after_seconds: 14_400,
      force_hibernate_after_seconds: 20_000,
    },
  };

  it("never acts on the past: an instance that was told to beat hourly is not silent before it was to beat", () => {
    const line = new Timeline({ overrides: hourly });
    line.heartbeat({ gpu_utilization: 98 });
    line.until(at("45:00"));
    line.changePolicy({});
    expect(line.view.status).toBe("running");
    line.until(at("1:04:59"));
    expect(line.view.status).toBe("running");
    expect(line.guardQuestions).toEqual([]);
  });

  it("lets the step of an orphan that it would have taken count from the change", () => {
    const line = new Timeline({
      overrides: { orphan: { hibernate_after_seconds: 36_000, force_hibernate_after_seconds: 72_000 } },
    });
    line.heartbeat();
    line.until(at("3:00:00"));
    line.changePolicy({});
    expect(line.guardQuestions).toEqual([]);
    line.until(at("3:29:59"));
    expect(line.guardQuestions).toEqual([]);
    line.until(at("3:30:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
  });

  it("lets a delete that it would have ordered count from the change", () => {
    const line = new Timeline({ overrides: { orphan: { delete_after_days: null } } });
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    line.until(at("0:00") + 20 * 24 * HOUR);
    line.changePolicy({});
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).not.toContain("delete");
    line.until(line.now + 7 * 24 * HOUR);
    line.command({ type: "cleanup" });
    expect(line.guardQuestions).toContain("delete");
  });

  it("that switches the ladder on lets it begin then", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } });
    line.heartbeat();
    line.until(at("0:00") + 30 * 24 * HOUR);
    line.changePolicy({});
    expect(line.view.status).toBe("running");
    line.until(line.now + 30 * 60_000 - 1);
    expect(line.view.status).toBe("orphaned");
    expect(line.guardQuestions).toEqual([]);
  });

  it("lets a warning and a hibernation for idleness that it would have taken count from the change", () => {
    const slow = { idle: { warn_after_seconds: 3600, hibernate_after_seconds: 7200 } };
    const line = new Timeline({ overrides: slow }).beatUntil(at("50:00"), IDLE);
    line.changePolicy({});
    expect(line.kinds).not.toContain("idle");
    line.until(at("51:00")).beatUntil(at("53:00"), IDLE);
    expect(line.events.at(-1)).toMatchObject({ kind: "idle", at: at("53:00") });

    const warned = new Timeline({ overrides: slow }).beatUntil(at("1:30:00"), IDLE);
    warned.changePolicy({});
    expect(warned.kinds).not.toContain("hibernating");
    warned.until(at("1:31:00")).beatUntil(at("1:31:00"), IDLE).until(at("1:32:00"));
    expect(warned.kinds).toContain("hibernating");
  });

  it("ends a run that it would judge otherwise: by another metric, threshold or interval", () => {
    for (const overrides of [
      { idle: { metric: "cpu" as const } },
      { idle: { threshold_percent: 1 } },
      { heartbeat_interval_seconds: 30 },
      { idle: { enabled: false } },
    ]) {
      const line = new Timeline().beatUntil(at("2:30"), IDLE);
      line.changePolicy(overrides);
      expect(line.state.phase).toMatchObject({ status: "running", idle: null });
    }
  });
});

describe("a change of the interval after heartbeats were missed", () => {
  it("counts those once", () => {
    const overrides = { orphan: { enabled: false } };
    const line = new Timeline({ overrides });
    line.heartbeat();
    line.until(at("3:00")).heartbeat();
    line.until(at("10:00"));
    expect(line.view.missed_heartbeats).toBe(8);
    const former = line.policy;
    line.policy = new Timeline({ overrides: { ...overrides, heartbeat_interval_seconds: 300 } }).policy;
    line.command({ type: "policy.changed", former });
    line.until(at("16:29"));
    expect(line.view.missed_heartbeats).toBe(8);
    line.until(at("16:30"));
    expect(line.view.missed_heartbeats).toBe(9);
  });
});

describe("an order from silence that waits, and that the new policy would not give", () => {
  function deleting(overrides: PolicyOverrides = {}): Timeline {
    const line = new Timeline({ overrides });
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
    line.permit();
    expect(line.view.status).toBe("deleting");
    return line;
  }

  it.each<PolicyOverrides>([
    { orphan: { delete_after_days: null } },
    { orphan: { delete_after_days: 30 } },
    { orphan: { enabled: false } },
  ])("is called off: a delete, by %j", (overrides) => {
    const line = deleting().changePolicy(overrides);
    expect(line.view.status).toBe("hibernated");
    expect(line.events.map(({ kind }) => kind)).toContain("delete_cancelled");
  });

  it("is called off: a delete without the snapshot that it now asks for, and is given anew with one", () => {
    const line = deleting({ orphan: { snapshot_before_delete: false } }).changePolicy({});
    expect(line.view.status).toBe("hibernated");
    line.command({ type: "cleanup" });
    line.permit();
    expect(line.view.status).toBe("deleting");
  });

  it("is called off: a hibernation, which comes when the new policy says", () => {
    const line = new Timeline();
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.until(at("31:00")).changePolicy({ orphan: { hibernate_after_seconds: 3600 } });
    expect(line.view.status).toBe("orphaned");
    line.until(at("59:59"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    line.until(at("1:00:00"));
    expect(line.guardQuestions).toEqual(["hibernate", "hibernate"]);
  });

  it("goes on where it would be given all the same", () => {
    expect(deleting().changePolicy({ idle: { threshold_percent: 9 } }).view.status).toBe("deleting");
    const asked = deleting({ orphan: { snapshot_before_delete: false } });
    asked.changePolicy({ orphan: { snapshot_before_delete: false, delete_after_days: 5 } });
    expect(asked.view.status).toBe("deleting");
  });

  it("ends as called off where a try is on its way that fails", () => {
    const line = deleting();
    line.command({ type: "action.tried", actionId: line.actionId });
    line.changePolicy({ orphan: { delete_after_days: null } });
    expect(line.view.status).toBe("deleting");
    line.command({ type: "action.refused", actionId: line.actionId });
    expect(line.view.status).toBe("hibernated");
  });
});

describe("a hibernation for idleness that waits, and that the new policy would not order", () => {
  function hibernating(): Timeline {
    const line = new Timeline();
    line.beatUntil(at("5:00"), IDLE);
    expect(line.view.status).toBe("hibernating");
    return line;
  }

  it.each<PolicyOverrides>([
    { idle: { enabled: false } },
    { idle: { threshold_percent: 1 } },
    { idle: { hibernate_after_seconds: 1800 } },
  ])("is called off, by %j", (overrides) => {
    expect(hibernating().changePolicy(overrides).view.status).toBe("running");
  });

  it("goes on where it would be ordered all the same", () => {
    const line = hibernating();
    for (const threshold_percent of [9, 8, 7]) {
      expect(line.changePolicy({ idle: { threshold_percent } }).view.status).toBe("hibernating");
    }
  });
});
