import { describe, expect, it } from "vitest";
import type { HibernationRound } from "../../../src/lifecycle/model/instance-event.ts";
import { IN_STATUS } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

/** A hibernation that is asked of many at once, as one of them decides about it. */

const IDLE = { gpu_utilization: 1 };

function ask(line: Timeline, round: Partial<HibernationRound> = {}) {
  const asked = {
    by: "kill_switch",
    askedAt: line.now,
    onlyIdle: false,
    status: null,
    keepAliveUpTo: 0,
  } as const;
  return line.command({ type: "hibernate.requested", round: { ...asked, ...round } });
}

/** Idle, and its owner was warned. */
function warned(overrides: ConstructorParameters<typeof Timeline>[0] = {}): Timeline {
  return new Timeline(overrides).beatUntil(at("3:00"), IDLE);
}

describe("a hibernation of many", () => {
  it("is its owner's order, which work does not call off", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    expect(ask(line)).toBeNull();
    expect(line.events.at(-1)).toMatchObject({ kind: "hibernating", detail: { rule: "kill_switch" } });
    line.until(at("2:00")).heartbeat();
    expect(line.view.status).toBe("hibernating");
    expect(line.orders).toEqual(["hibernate"]);
    line.succeed();
    expect(line.events.at(-1)).toMatchObject({ kind: "hibernated", detail: { reason: "owner" } });
  });

  it("is ordered once, however often it is asked", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    const askedAt = line.now;
    ask(line);
    for (const status of ["hibernating", "hibernated"]) {
      expect(ask(line, { askedAt })).toMatchObject({ code: status });
      if (status === "hibernating") line.succeed();
    }
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("asked before a wake, or before another instance of its id was registered, is void", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    const askedAt = line.now;
    ask(line);
    line.succeed().until(at("2:00"));
    line.command({ type: "wake.requested" });
    line.succeed().until(at("4:00")).heartbeat();
    expect(line.view.status).toBe("running");
    expect(ask(line, { askedAt })).toMatchObject({ code: "changed" });
    expect(ask(line)).toBeNull();

    const started = new Timeline().beatUntil(at("1:00"));
    ask(started, { askedAt });
    started.succeed().until(at("5:00")).heartbeat();
    expect(started.view.status).toBe("running");
    expect(ask(started, { askedAt })).toMatchObject({ code: "changed" });

    const young = new Timeline().beatUntil(at("1:00"));
    expect(ask(young, { askedAt: at("0:00") - 1 })).toMatchObject({ code: "changed" });
  });

  it("spares one that is kept alive for longer than whoever asked knew of", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    line.command({ type: "keep_alive", durationMs: 60 * 60_000 });
    expect(ask(line)).toMatchObject({ code: "kept_alive" });
    expect(ask(line, { keepAliveUpTo: at("1:00:59") })).toMatchObject({ code: "kept_alive" });
    expect(line.orders).toEqual([]);
    expect(ask(line, { keepAliveUpTo: at("1:01:00") })).toBeNull();
    const over = new Timeline().beatUntil(at("1:00"));
    over.command({ type: "keep_alive", durationMs: 60_000 });
    over.beatUntil(at("2:00"));
    expect(ask(over)).toBeNull();
  });

  it("spares one of another status than was asked for, and one that was never heard", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    expect(ask(line, { status: "orphaned" })).toMatchObject({ code: "changed" });
    expect(ask(line, { status: "running" })).toBeNull();
    expect(ask(IN_STATUS.pending())).toMatchObject({ code: "pending" });
  });

  it("reaches a silent one where its provider does", () => {
    expect(ask(IN_STATUS.orphaned())).toBeNull();
    const agent = new Timeline({ provider: "agent" });
    agent.heartbeat();
    expect(ask(agent.until(at("10:00")))).toMatchObject({ code: "no_provider" });
  });
});

describe("a hibernation of the idle ones", () => {
  it("is of those alone whose owner was warned, with fresh evidence", () => {
    const busy = new Timeline().beatUntil(at("3:00"));
    expect(ask(busy, { onlyIdle: true })).toMatchObject({ code: "not_idle" });
    const unwarned = new Timeline().beatUntil(at("2:00"), IDLE);
    expect(ask(unwarned, { onlyIdle: true })).toMatchObject({ code: "not_idle" });
    const never = warned({ overrides: { idle: { enabled: false } } });
    expect(ask(never, { onlyIdle: true })).toMatchObject({ code: "not_idle" });
    const late = warned({ overrides: { idle: { hibernate_after_seconds: 3600 } } }).until(at("5:01"));
    expect(ask(late, { onlyIdle: true })).toMatchObject({ code: "not_idle" });
    const idle = warned();
    expect(ask(idle, { onlyIdle: true, by: "budget" })).toBeNull();
    expect(idle.events.at(-1)).toMatchObject({ kind: "hibernating", detail: { rule: "budget" } });
  });

  it("is called off by work that begins before anybody took the order", () => {
    const line = warned();
    ask(line, { onlyIdle: true, by: "budget" });
    line.until(at("3:10")).heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.kinds.slice(-2)).toContain("hibernate_cancelled");
  });
});
