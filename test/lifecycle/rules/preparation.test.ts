import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import type { PreparationReport } from "../../../src/lifecycle/model/heartbeat-use.ts";
import { preparationOf } from "../../../src/lifecycle/model/phase.ts";
import { CALLED_PROVIDERS, type ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { at, Timeline } from "../timeline.ts";

const IDLE: HeartbeatReport = { gpu_utilization: 2, hooks: ["prepare"] };
const BUSY: HeartbeatReport = { gpu_utilization: 90, hooks: ["prepare"] };

/** Idle for five minutes, with hooks: it is to be prepared. */
function preparing(provider: ProviderKind = "webhook", overrides = {}): Timeline {
  const line = new Timeline({ provider, overrides });
  line.until(at("0:00")).heartbeat(IDLE);
  return line.beatUntil(at("5:00"), IDLE);
}

function idOf(line: Timeline): string {
  return preparationOf(line.state.phase)?.id ?? "none";
}

/** A beat of a machine whose hooks run: saving keeps CPU, disk and network busy. */
function hooksAt(line: Timeline, more: Partial<PreparationReport> = {}): HeartbeatReport {
  const state = more.state ?? "running";
  return {
    gpu_utilization: 97,
    hooks: ["prepare"],
    status: state === "succeeded" ? "prepared" : "preparing",
    sources: [
      { name: "cpu_cores", value: 8 },
      { name: "disk_kb_per_second", value: 900_000 },
      { name: "ssh_connections", value: 0 },
    ],
    preparation: { id: idOf(line), state: "running", seconds: 60, line: "step 1200 saved", ...more },
  };
}

const CAN_HIBERNATE: readonly ProviderKind[] = [
  "agent",
  "webhook",
  "vast",
  "runpod",
  "ec2",
  "gcp",
  "azure",
  "hyperstack",
  "scaleway",
  "tensordock",
];
const CANNOT: readonly ProviderKind[] = ["none", "lambda", "digitalocean", "verda"];

/** A minute apart, from now on. */
function beatWhilePreparing(line: Timeline, minutes: number): void {
  for (let minute = 0; minute < minutes; minute++) {
    line.until(line.now + 60_000).heartbeat(hooksAt(line, { seconds: 60 * (minute + 1) }));
  }
}

describe("a hook that takes four minutes to save a checkpoint", () => {
  it.each(CAN_HIBERNATE)("is waited for, and then the machine is stopped (%s)", (provider) => {
    const line = preparing(provider);
    expect(line.view.status).toBe("running");
    expect(line.orders).toEqual([]);
    beatWhilePreparing(line, 3);
    expect(line.view.status).toBe("running");
    line.until(at("9:00"));
    const answer = line.heartbeat(
      hooksAt(line, { state: "succeeded", seconds: 240, line: "saved", log: "step 1\nsaved" }),
    );
    expect(line.view.status).toBe("hibernating");
    if (provider === "agent") {
      expect(answer.actions.map(({ type }) => type)).toEqual(["hibernating", "hibernate"]);
      line.until(at("12:00"));
    } else {
      expect(line.orders).toEqual(["hibernate"]);
      line.succeed();
    }
    expect(line.view.status).toBe("hibernated");
    expect(line.kinds.slice(2)).toEqual(["idle", "preparing", "prepared", "hibernating", "hibernated"]);
    expect(line.state.lastPreparation).toMatchObject({
      outcome: "succeeded",
      because: "idle",
      seconds: 240,
      line: "saved",
      log: "step 1\nsaved",
    });
  });

  it.each(CANNOT)("is never asked for where nobody stops the machine (%s)", (provider) => {
    const line = preparing(provider);
    line.beatUntil(at("20:00"), IDLE);
    expect(line.kinds).not.toContain("preparing");
    expect(line.kinds).not.toContain("hibernating");
    expect(line.orders).toEqual([]);
    expect(line.view.status).toBe("running");
  });

  it("knows each provider", () => {
    expect([...CAN_HIBERNATE, ...CANNOT].toSorted()).toEqual(
      ["agent", "none", ...CALLED_PROVIDERS].toSorted(),
    );
  });
});

describe("a hook that hangs", () => {
  it.each(CAN_HIBERNATE)("is waited for to the limit, with a critical alert (%s)", (provider) => {
    const line = preparing(provider);
    beatWhilePreparing(line, 9);
    line.until(at("14:59"));
    expect(line.view.status).toBe("running");
    line.until(at("15:00"));
    expect(line.view.status).toBe("hibernating");
    expect(line.kinds.slice(2)).toEqual(["idle", "preparing", "preparation_overdue", "hibernating"]);
    expect(line.events.find(({ kind }) => kind === "preparation_overdue")).toMatchObject({
      severity: "critical",
      at: at("15:00"),
    });
    expect(line.state.lastPreparation).toMatchObject({ outcome: "overdue", seconds: 540 });
  });

  it("and an alarm that comes twice or late, an eviction and a repeated heartbeat change nothing of it", () => {
    const line = preparing();
    beatWhilePreparing(line, 9);
    line.until(at("15:00"));
    line.apply({ type: "alarm", dueAt: at("15:00") });
    line.heartbeat(hooksAt(line, { state: "succeeded" }));
    line.drain();
    expect(line.kinds.filter((kind) => kind === "preparation_overdue")).toHaveLength(1);
    expect(line.kinds.filter((kind) => kind === "hibernating")).toHaveLength(1);
    expect(line.orders).toEqual(["hibernate"]);
  });
});

describe("while it is being prepared", () => {
  it("each answer says so, with what is left of the time", () => {
    const line = preparing();
    line.until(at("7:00"));
    const { actions } = line.heartbeat(hooksAt(line));
    expect(actions).toEqual([
      expect.objectContaining({ type: "hibernate_warning", countdown_seconds: 480 }),
      {
        type: "prepare",
        message: "Prepare for hibernation",
        preparation_id: idOf(line),
        deadline_seconds: 480,
        because: "idle",
      },
    ]);
  });

  it("its view says what comes, and why", () => {
    const line = preparing();
    line.until(at("7:00")).heartbeat(hooksAt(line, { seconds: 118 }));
    expect(line.view.lifecycle).toEqual({
      next_step: "hibernate",
      at: "2025-12-19T00:15:00Z",
      in_seconds: 480,
      because: "Hibernating: GPU <5% utilization for 5min; its hooks prepare it: 118 s",
      blocked_by: null,
    });
    expect(line.view.alert).toBe(
      "GPU <5% utilization for 7min. Its hooks prepare it. Hibernating in 8min at the latest.",
    );
  });

  it("saving is no work, but somebody who comes is", () => {
    const line = preparing();
    beatWhilePreparing(line, 2);
    expect(line.view.status).toBe("running");
    expect(preparationOf(line.state.phase)).not.toBeNull();
    line.until(at("8:00"));
    const report = hooksAt(line);
    line.heartbeat({ ...report, sources: [{ name: "ssh_connections", value: 1 }] });
    expect(line.kinds.slice(-2)).toEqual(["busy", "preparation_cancelled"]);
    line.until(at("20:00"));
    expect(line.orders).toEqual([]);
    expect(line.state.lastPreparation?.outcome).toBe("cancelled");
  });

  it("readings that were taken meanwhile and come late are no work either", () => {
    const line = preparing();
    line.until(at("7:00"));
    line.heartbeat({
      ...hooksAt(line),
      boot_id: "b",
      sequence: 9,
      backlog: [[8, 60, 99, null, null, null, null, null]],
    });
    expect(preparationOf(line.state.phase)).not.toBeNull();
  });

  it("a beat that does not say so and shows use calls it off", () => {
    const line = preparing();
    line.until(at("6:00")).heartbeat(BUSY);
    expect(line.kinds.slice(-2)).toEqual(["busy", "preparation_cancelled"]);
    expect(line.heartbeat(BUSY).actions).toEqual([]);
  });

  it("a keep-alive calls it off", () => {
    const line = preparing();
    line.until(at("6:00"));
    expect(line.command({ type: "keep_alive", durationMs: 3_600_000 })).toBeNull();
    expect(line.kinds).toContain("preparation_cancelled");
    line.beatUntil(at("30:00"), IDLE);
    expect(line.orders).toEqual([]);
  });

  it("a wake calls it off, also where no provider could wake it", () => {
    const line = preparing("agent");
    line.until(at("6:00"));
    expect(line.command({ type: "wake.requested" })).toBeNull();
    expect(line.kinds.slice(-2)).toEqual(["preparation_cancelled", "busy"]);
    expect(line.view.status).toBe("running");
  });

  it("a policy that would not order it calls it off, and one that would leaves it as it is", () => {
    const line = preparing();
    line.until(at("6:00")).changePolicy({ idle: { hibernate_after_seconds: 200 } });
    expect(preparationOf(line.state.phase)?.limitAt).toBe(at("15:00"));
    line.changePolicy({ idle: { hibernate_after_seconds: 3600 } });
    expect(line.kinds).toContain("preparation_cancelled");
    expect(preparationOf(line.state.phase)).toBeNull();
  });

  it("silence calls it off, and the ladder goes its way", () => {
    const line = preparing();
    line.until(at("10:00"));
    expect(line.kinds.slice(-2)).toEqual(["orphaned", "preparation_cancelled"]);
    expect(line.view.status).toBe("orphaned");
    line.until(at("20:00"));
    expect(line.orders).toEqual([]);
  });

  it("a removal and another machine call it off", () => {
    const removed = preparing();
    removed.command({ type: "removed" });
    expect(removed.kinds).toContain("preparation_cancelled");
    const moved = preparing();
    moved.command({ type: "changed", changes: { providerRef: "other" }, sighted: null });
    expect(moved.kinds).toContain("preparation_cancelled");
    expect(moved.state.agent.hooks).toBeUndefined();
  });

  it("a suspension calls off whatever it is for", () => {
    const line = preparing();
    line.command({ type: "hibernate.requested" });
    const former = line.policy;
    line.policy = { ...line.policy, suspended: true, idle: { ...line.policy.idle, enabled: false } };
    line.command({ type: "policy.changed", former });
    expect(line.kinds).toContain("preparation_cancelled");
  });

  it("a failing hook is told of once, and waited for to the limit", () => {
    const line = preparing();
    for (let minute = 6; minute < 15; minute++) {
      line.until(at(`${minute}:00`)).heartbeat(hooksAt(line, { state: "failed", line: "no space left" }));
    }
    expect(line.kinds.filter((kind) => kind === "preparation_failed")).toHaveLength(1);
    expect(line.view.status).toBe("running");
    line.until(at("15:00"));
    expect(line.state.lastPreparation).toMatchObject({ outcome: "failed", line: "no space left" });
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("a hook that fails and then succeeds is as good as any", () => {
    const line = preparing();
    line.until(at("6:00")).heartbeat(hooksAt(line, { state: "failed" }));
    line.until(at("7:00")).heartbeat(hooksAt(line, { state: "succeeded" }));
    expect(line.kinds.slice(-3)).toEqual(["preparation_failed", "prepared", "hibernating"]);
  });

  it("a word about another preparation says nothing", () => {
    const line = preparing();
    line.until(at("6:00")).heartbeat({
      ...IDLE,
      status: "prepared",
      preparation: { id: "prepare-old", state: "succeeded", seconds: 3 },
    });
    expect(line.kinds).not.toContain("prepared");
    expect(line.view.status).toBe("running");
  });

  it("missing heartbeats are no idleness: at the limit it waits for one", () => {
    const line = preparing("webhook", { orphan: { orphan_after_seconds: 3000 } });
    beatWhilePreparing(line, 7);
    line.until(at("15:30"));
    expect(line.orders).toEqual([]);
    expect(line.view.lifecycle.blocked_by).toBe("stale_evidence");
    line.heartbeat(hooksAt(line));
    // More than three intervals are missing: nobody knows what happened in them.
    expect(line.kinds).toContain("preparation_cancelled");
  });
});

describe("a round of idle ones during a preparation for idleness", () => {
  const ROUND = { onlyIdle: true, askedAt: at("5:00"), keepAliveUpTo: 0, status: null } as const;
  const AWAKE = { days: ["fri" as const], from: "01:00", to: "02:00" };

  it.each(["kill_switch", "budget"] as const)("is what it is hibernated for from then on (%s)", (by) => {
    const line = preparing("webhook", { schedule: { awake: [AWAKE], wake_at_start: true } });
    const id = idOf(line);
    expect(line.command({ type: "hibernate.requested", round: { ...ROUND, by } })).toBeNull();
    expect(preparationOf(line.state.phase)).toMatchObject({ id, order: { reason: "idle", because: by } });
    line.until(at("6:00")).heartbeat(hooksAt(line, { state: "succeeded" }));
    line.succeed();
    // Its schedule wakes only what it has hibernated itself, or idleness.
    line.until(at("1:30:00"));
    expect(line.view.status).toBe("hibernated");
  });

  it("and work calls it off as before", () => {
    const line = preparing();
    line.command({ type: "hibernate.requested", round: { ...ROUND, by: "budget" } });
    line.until(at("6:00")).heartbeat(BUSY);
    expect(line.kinds).toContain("preparation_cancelled");
  });

  it("outweighs no planned stop", () => {
    const line = preparing();
    line.command({ type: "hibernate.requested" });
    line.command({ type: "hibernate.requested", round: { ...ROUND, by: "kill_switch" } });
    expect(preparationOf(line.state.phase)?.order).toMatchObject({ reason: "owner", because: "owner" });
  });
});

/** Whatever it does, and whatever becomes of its hooks. */
describe("what is to be hibernated in any case", () => {
  const ROUND = { onlyIdle: false, askedAt: at("1:00"), keepAliveUpTo: 0, status: null } as const;
  const asked = [
    ["its owner", {}],
    ["the kill switch", { round: { ...ROUND, by: "kill_switch" } }],
    ["a budget", { round: { ...ROUND, by: "budget" } }],
  ] as const;

  function askedAndSilent(provider: ProviderKind, what: (typeof asked)[number][1]): Timeline {
    const line = new Timeline({ provider }).beatUntil(at("1:00"), BUSY);
    expect(line.command({ type: "hibernate.requested", ...what })).toBeNull();
    line.until(at("2:00")).heartbeat(hooksAt(line));
    return line;
  }

  it.each(asked)("is hibernated where it falls silent meanwhile, asked by %s", (_, what) => {
    const line = askedAndSilent("webhook", what);
    line.until(at("6:59"));
    expect(line.orders).toEqual([]);
    line.until(at("7:00"));
    expect(line.orders).toEqual(["hibernate"]);
    expect(line.state.phase).toMatchObject({ status: "hibernating", reason: "owner" });
    expect(line.events.at(-1)?.detail).toMatchObject({ unprepared: "silent" });
    line.succeed();
    expect(line.kinds.slice(-2)).toEqual(["hibernating", "hibernated"]);
  });

  it.each(asked)("is told of where nobody reaches it any more, asked by %s", (_, what) => {
    const line = askedAndSilent("agent", what);
    line.until(at("7:00"));
    expect(line.view.status).toBe("orphaned");
    expect(line.kinds.slice(-3)).toEqual(["orphaned", "preparation_cancelled", "hibernate_failed"]);
    expect(line.events.at(-1)).toMatchObject({
      severity: "critical",
      message: "Could not hibernate: it fell silent while its hooks prepared it",
    });
  });

  it("is not forgotten while the service is away", () => {
    const line = askedAndSilent("webhook", {});
    line.armedAt = null;
    line.now = at("40:00");
    line.apply({ type: "alarm", dueAt: at("7:00") });
    line.drain();
    expect(line.orders).toEqual([]);
    line.until(at("45:00"));
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is hibernated by its owner's word also where it says that it is taken back, and falls silent", () => {
    const line = new Timeline({ provider: "ec2" }).beatUntil(at("1:00"), BUSY);
    line.command({ type: "hibernate.requested" });
    line.until(at("2:00")).heartbeat({ ...BUSY, status: "reclaimed" });
    line.until(at("4:00"));
    expect(line.orders).toEqual(["hibernate"]);
  });
});

describe("what the owner asks for", () => {
  it("is prepared, whatever the machine does, and work does not call it off", () => {
    const line = new Timeline();
    line.heartbeat(BUSY);
    line.command({ type: "hibernate.requested" });
    expect(line.view.status).toBe("running");
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", at: "2025-12-19T00:10:00Z" });
    line.until(at("1:00")).heartbeat(BUSY);
    line.until(at("2:00")).heartbeat(hooksAt(line, { state: "succeeded" }));
    expect(line.kinds.slice(2)).toEqual(["preparing", "prepared", "hibernating"]);
    expect(line.state.phase).toMatchObject({ status: "hibernating", reason: "owner" });
  });

  it("asked twice begins once", () => {
    const line = new Timeline();
    line.heartbeat(BUSY);
    line.command({ type: "hibernate.requested" });
    const id = idOf(line);
    expect(line.command({ type: "hibernate.requested" })).toBeNull();
    expect(idOf(line)).toBe(id);
    expect(line.kinds.filter((kind) => kind === "preparing")).toHaveLength(1);
  });

  it("outweighs idleness: the same preparation goes on, and work no longer calls it off", () => {
    const line = preparing();
    const id = idOf(line);
    line.command({ type: "hibernate.requested" });
    expect(idOf(line)).toBe(id);
    line.until(at("6:00")).heartbeat(BUSY);
    expect(preparationOf(line.state.phase)).toMatchObject({
      id,
      limitAt: at("15:00"),
      order: { because: "owner" },
    });
  });

  it("is ordered at once where the owner does not want to wait", () => {
    const line = preparing();
    line.command({ type: "hibernate.requested", prepare: false });
    expect(line.view.status).toBe("hibernating");
    expect(line.events.at(-1)?.detail.unprepared).toBe("asked");
    expect(line.state.lastPreparation?.outcome).toBe("cancelled");
  });

  it.each([
    ["there are no hooks", { gpu_utilization: 90 }, 0],
    ["it has not been heard for two intervals", BUSY, 121_000],
  ] as const)("is ordered at once where %s", (_, report, silenceMs) => {
    const line = new Timeline();
    line.heartbeat(report);
    line.until(line.now + silenceMs).command({ type: "hibernate.requested" });
    expect(line.view.status).toBe("hibernating");
  });

  it("is ordered at once where the policy prepares nothing", () => {
    const line = new Timeline({ overrides: { idle: { prepare_max_seconds: 0 } } });
    line.heartbeat(BUSY);
    line.command({ type: "hibernate.requested" });
    expect(line.view.status).toBe("hibernating");
  });

  it("of many is prepared too, and the answer says for what", () => {
    const line = new Timeline();
    line.heartbeat(BUSY);
    line.until(at("1:00"));
    const round = {
      by: "kill_switch",
      askedAt: line.now,
      onlyIdle: false,
      status: null,
      keepAliveUpTo: 0,
    } as const;
    expect(line.command({ type: "hibernate.requested", round })).toBeNull();
    expect(line.heartbeat(BUSY).actions).toMatchObject([{ type: "prepare", because: "kill_switch" }]);
  });
});

describe("silence", () => {
  it("is never prepared: nobody is there", () => {
    const line = new Timeline();
    line.heartbeat(BUSY);
    line.until(at("30:00")).permit();
    expect(line.view.status).toBe("hibernating");
    expect(line.kinds).not.toContain("preparing");
  });
});

describe("an order that fails after a preparation", () => {
  it("is prepared anew before it is tried again, since the machine has gone on", () => {
    const line = preparing();
    line.until(at("6:00")).heartbeat(hooksAt(line, { state: "succeeded" }));
    const first = line.state.lastPreparation?.id;
    line.fail();
    line.until(at("7:00")).beatUntil(at("12:00"), IDLE);
    expect(preparationOf(line.state.phase)).not.toBeNull();
    expect(idOf(line)).not.toBe(first);
  });
});

describe("a service that was away at the limit", () => {
  it("gives the hooks the whole time anew: the machine could not say how far they were", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } });
    line.heartbeat(BUSY);
    line.command({ type: "hibernate.requested" });
    line.armedAt = null;
    line.now = at("40:00");
    line.apply({ type: "alarm", dueAt: at("10:00") });
    expect(line.orders).toEqual([]);
    expect(preparationOf(line.state.phase)?.limitAt).toBe(at("50:00"));
    line.until(at("50:00"));
    expect(line.orders).toEqual(["hibernate"]);
  });
});

describe("an agent that hibernates itself", () => {
  it("and whose hooks run late has not refused, before their time is over", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat({ gpu_utilization: 90 });
    line.command({ type: "hibernate.requested" });
    const late: HeartbeatReport = {
      status: "preparing",
      hooks: ["prepare"],
      preparation: { id: null, state: "running", seconds: 60 },
    };
    line.until(at("1:00")).beatUntil(at("9:00"), late);
    expect(line.view.status).toBe("hibernating");
    line.until(at("10:00")).beatUntil(at("12:00"), late);
    expect(line.kinds.at(-1)).toBe("hibernate_failed");
  });
});
