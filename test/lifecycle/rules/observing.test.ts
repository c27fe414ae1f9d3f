import { describe, expect, it } from "vitest";
import type { HibernationRound } from "../../../src/lifecycle/model/instance-event.ts";
import { at, START, Timeline } from "../timeline.ts";

/** A policy that only observes: each step is decided and told, and none is taken. */

const IDLE = { gpu_utilization: 2 };
const DAY = 24 * 60 * 60_000;

function observed(options: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  return new Timeline({ ...options, overrides: { ...options.overrides, mode: "observe" } });
}

function would(line: Timeline) {
  return line.events
    .filter(({ kind }) => kind.startsWith("would_"))
    .map(({ at: moment, kind, message }) => [(moment - START) / 1000, kind, message]);
}

function round(line: Timeline, asked: Partial<HibernationRound>) {
  const all = { askedAt: line.now, onlyIdle: false, status: null, keepAliveUpTo: 0 } as const;
  return line.command({ type: "hibernate.requested", round: { by: "budget", ...all, ...asked } });
}

describe("an idle instance under a policy that observes", () => {
  it("is told of as one that would be hibernated, when it would be, and goes on", () => {
    const line = observed().beatUntil(at("10:00"), IDLE);
    expect(would(line)).toEqual([
      [
        300,
        "would_hibernate",
        "Would hibernate: GPU <5% utilization for 5min. Nothing is done: the policy only observes",
      ],
    ]);
    expect(line.events.at(-1)).toMatchObject({
      severity: "warning",
      detail: { rule: "idle", reason: "idle", mode: "observe" },
    });
    expect(line.view).toMatchObject({ status: "running", health: "idle" });
    expect(line.orders).toEqual([]);
  });

  it("is warned of without a promise to hibernate it", () => {
    const line = observed().beatUntil(at("3:00"), IDLE);
    expect(line.events.at(-1)).toMatchObject({
      kind: "idle",
      message: "GPU <5% utilization for 3min. It would be hibernated in 2min, but the policy only observes.",
    });
  });

  it.each(["agent", "webhook"] as const)(
    "of provider %s is not told to prepare for it, nor to do it",
    (provider) => {
      const line = observed({ provider });
      for (let minute = 0; minute <= 10; minute++) {
        line.until(START + minute * 60_000);
        expect(line.heartbeat(IDLE)).toMatchObject({ message: "Heartbeat received", actions: [] });
      }
    },
  );

  it("is told of once for each idle run, and again only after some hours", () => {
    const line = observed().beatUntil(at("4:10:00"), IDLE);
    expect(would(line).map(([second]) => second)).toEqual([300, 300 + 4 * 3600]);
    line.beatUntil(at("4:12:00")).beatUntil(at("4:30:00"), IDLE);
    expect(would(line)).toHaveLength(3);
  });

  it("is explained as blocked by it, but for the warning, which comes", () => {
    const line = observed().beatUntil(at("2:00"), IDLE);
    expect(line.view.lifecycle).toMatchObject({ next_step: "warn", blocked_by: null });
    line.beatUntil(at("4:00"), IDLE);
    expect(line.view.lifecycle).toMatchObject({
      next_step: "hibernate",
      at: "2025-12-19T00:05:00Z",
      blocked_by: "observe",
    });
  });
});

describe("a silent instance under a policy that observes", () => {
  it("is told of at each step that would be ordered, once the guard has permitted it", () => {
    const line = observed().beatUntil(at("0:00"));
    line.until(at("30:00"));
    expect(line.view.lifecycle).toMatchObject({ next_step: "force_hibernate", blocked_by: "observe" });
    expect(would(line)).toEqual([]);
    line.permit();
    line.until(at("2:00:00")).permit();
    line.until(at("20:00:00"));
    expect(would(line)).toEqual([
      [1800, "would_hibernate", "Would hibernate: no heartbeat. Nothing is done: the policy only observes"],
      [
        7200,
        "would_hibernate",
        "Would force-hibernate: no heartbeat. Nothing is done: the policy only observes",
      ],
    ]);
    expect(line.kinds.filter((kind) => ["orphaned", "silent", "abandoned"].includes(kind))).toEqual([
      "orphaned",
      "silent",
      "abandoned",
    ]);
    expect(line.events.find(({ kind }) => kind === "silent")?.message).toBe(
      "No heartbeat for 30 minutes. It would be hibernated now, but the policy only observes.",
    );
    expect(line.view.status).toBe("orphaned");
    expect(line.orders).toEqual([]);
  });

  it("is held back by the guard as ever", () => {
    const line = observed().beatUntil(at("0:00"));
    line.until(at("30:00")).defer();
    expect(line.view.lifecycle.blocked_by).toBe("guard");
    expect(would(line)).toEqual([]);
  });

  it("would be deleted by the cleanup, which tells so a day at a time", () => {
    const line = observed({ overrides: { guard: { enabled: false } } }).beatUntil(at("0:00"));
    line.until(START + 8 * DAY).command({ type: "cleanup" });
    line.until(line.now + 60_000).command({ type: "cleanup" });
    line.until(START + 9 * DAY).command({ type: "cleanup" });
    expect(would(line).slice(2)).toEqual([
      [8 * 86_400, "would_delete", expect.stringContaining("the policy only observes")],
      [9 * 86_400, "would_delete", expect.stringContaining("the policy only observes")],
    ]);
    expect(line.view.status).toBe("orphaned");
    expect(line.orders).toEqual([]);
  });

  it("that was never heard would be hibernated where the policy would act on it", () => {
    const line = observed({ overrides: { orphan: { act_on_never_heard: true } } });
    line.until(at("35:00")).permit();
    expect(would(line)).toEqual([[2100, "would_hibernate", expect.stringContaining("never heard")]]);
    expect(line.events.find(({ kind }) => kind === "never_heard")?.message).toContain("only observes");
  });

  it("whose order had failed before is not tried again", () => {
    const line = new Timeline({ overrides: { guard: { enabled: false } } }).beatUntil(at("0:00"));
    line.until(at("30:00")).fail();
    line.until(at("2:00:00")).fail();
    line.changePolicy({ mode: "observe", guard: { enabled: false } });
    line.until(at("48:00:00"));
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
    expect(would(line)).toEqual([]);
  });
});

describe("a hibernation of many under a policy that observes", () => {
  it("is only told of where the budget asks for it, and not at each of its looks", () => {
    const line = observed().beatUntil(at("1:00"));
    expect(round(line, {})).toBeNull();
    expect(round(line, {})).toBeNull();
    expect(would(line)).toEqual([
      [
        60,
        "would_hibernate",
        "Would hibernate: the budget is used up. Nothing is done: the policy only observes",
      ],
    ]);
    expect(line.view.status).toBe("running");
  });

  it("is done where a person asks for it", () => {
    const line = observed().beatUntil(at("1:00"));
    round(line, { by: "kill_switch" });
    expect(line.orders).toEqual(["hibernate"]);
  });
});

describe("what a person asks for by name", () => {
  it("is done under a policy that observes", () => {
    const line = observed().beatUntil(at("1:00"));
    line.command({ type: "hibernate.requested" });
    line.succeed();
    line.command({ type: "wake.requested" });
    expect(line.orders).toEqual(["hibernate", "wake"]);
  });
});

describe("a change to a policy that observes", () => {
  it.each([
    ["idleness", () => new Timeline().beatUntil(at("5:00"), IDLE), "running"],
    [
      "silence",
      () =>
        new Timeline({ overrides: { guard: { enabled: false } } }).beatUntil(at("0:00")).until(at("30:00")),
      "orphaned",
    ],
  ])("calls off what was ordered for %s", (_, ordered, status) => {
    const line = ordered();
    expect(line.view.status).toBe("hibernating");
    line.changePolicy({ mode: "observe" });
    expect(line.kinds).toContain("hibernate_cancelled");
    expect(line.view.status).toBe(status);
  });

  it("calls off a deletion, and not what a person has asked for", () => {
    const line = new Timeline({ overrides: { guard: { enabled: false } } }).beatUntil(at("0:00"));
    line.until(at("30:00")).succeed();
    line.until(START + 8 * DAY).command({ type: "cleanup" });
    expect(line.view.status).toBe("deleting");
    line.changePolicy({ mode: "observe" });
    expect(line.view.status).toBe("hibernated");

    const asked = new Timeline().beatUntil(at("1:00"));
    asked.command({ type: "hibernate.requested" });
    asked.changePolicy({ mode: "observe" });
    expect(asked.view.status).toBe("hibernating");
  });

  it.each([
    ["budget", false, "running"],
    ["budget", true, "running"],
    ["kill_switch", false, "hibernating"],
    ["kill_switch", true, "hibernating"],
  ] as const)(
    "after a hibernation of many by %s (only the idle: %s) leaves it %s",
    (by, onlyIdle, status) => {
      const line = new Timeline().beatUntil(at("4:00"), IDLE);
      round(line, { by, onlyIdle });
      expect(line.view.status).toBe("hibernating");
      line.changePolicy({ mode: "observe" });
      expect(line.view.status).toBe(status);
    },
  );

  it("leaves alone what was accepted already", () => {
    const line = new Timeline().beatUntil(at("5:00"), IDLE);
    line.accept();
    line.changePolicy({ mode: "observe" });
    line.succeed();
    expect(line.view.status).toBe("hibernated");
  });
});

describe("a change from observing to acting", () => {
  it("warns of an idle run anew, and hibernates after that", () => {
    const line = observed().beatUntil(at("1:00:00"), IDLE);
    line.changePolicy({});
    line.beatUntil(at("1:04:59"), IDLE);
    expect(line.orders).toEqual([]);
    line.until(at("1:05:00")).heartbeat(IDLE);
    expect(line.orders).toEqual(["hibernate"]);
    expect(line.events.filter(({ kind }) => kind === "idle").map(({ at: moment }) => moment)).toEqual([
      at("3:00"),
      at("1:03:00"),
    ]);
  });

  it("climbs the ladder of a silent one anew", () => {
    const guard = { enabled: false };
    const line = observed({ overrides: { guard } }).beatUntil(at("0:00"));
    line.until(at("5:00:00")).changePolicy({ guard });
    line.until(at("5:29:59"));
    expect(line.orders).toEqual([]);
    line.until(at("5:30:00"));
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("counts the days before a deletion anew", () => {
    const guard = { enabled: false };
    const line = new Timeline({ overrides: { guard } }).beatUntil(at("0:00"));
    line.until(at("30:00")).succeed();
    line.changePolicy({ mode: "observe", guard });
    line.until(START + 20 * DAY).changePolicy({ guard });
    line.command({ type: "cleanup" });
    line.until(START + 26 * DAY).command({ type: "cleanup" });
    expect(line.orders).toEqual(["hibernate"]);
    line.until(START + 27 * DAY + 60_000).command({ type: "cleanup" });
    expect(line.orders).toEqual(["hibernate", "delete"]);
  });
});

it("hears a machine that hibernates itself, which nobody has ordered", () => {
  const line = new Timeline({ provider: "agent", overrides: { mode: "observe" } });
  line.heartbeat({ gpu_utilization: 1, status: "hibernating" });
  line.until(at("2:00"));
  expect(line.state.phase).toMatchObject({ status: "hibernated", reason: "instance" });
});
