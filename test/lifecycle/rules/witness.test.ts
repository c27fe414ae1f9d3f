import { describe, expect, it } from "vitest";
import { costsOf } from "../../../src/lifecycle/model/hibernated-cost.ts";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import { witnessListed, witnessVanished } from "../../../src/lifecycle/rules/witness.ts";
import { IN_STATUS, idle, orphaned, silent } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A list that began `ago` shows the machine. */
function listed(
  line: Timeline,
  shown: "running" | "stopped" | "terminated" | null,
  more: { ago?: number; credentialsSetAt?: number; stoppedUntil?: number; hourlyCost?: number } = {},
): Timeline {
  const { ago = 0, credentialsSetAt = 1, stoppedUntil = null, hourlyCost = null } = more;
  const sighted = { at: line.now - ago, credentialsSetAt, gpus: 2 };
  line.command({ type: "machine.listed", shown, stoppedUntil, hourlyCost, sighted });
  return line;
}

const lastEvent = (line: Timeline) => line.events.at(-1);

describe("a machine that is listed as stopped", () => {
  it("counts as hibernated without an order, once its heartbeats ended well before", () => {
    const line = new Timeline().beatUntil(at("10:00")).until(at("14:30"));
    expect(listed(line, "stopped").state.phase).toMatchObject({ status: "running" });
    line.until(at("16:00"));
    expect(line.state.phase.status).toBe("orphaned");
    expect(listed(line, "stopped", { ago: 2 * MINUTE }).state.phase.status).toBe("orphaned");
    listed(line, "stopped");
    expect(line.state.phase).toEqual({
      status: "hibernated",
      since: line.now,
      unsavedFrom: line.now,
      reason: "owner",
      orphan: null,
    });
    expect(lastEvent(line)).toMatchObject({
      kind: "hibernated",
      severity: "warning",
      detail: { by_hand: true },
    });
    expect(line.effects.filter(({ type }) => type === "action")).toEqual([]);
  });

  it("is not deleted, nor told of again, and comes back by a heartbeat", () => {
    const line = listed(orphaned(), "stopped");
    line.until(at("0:00") + 30 * DAY).command({ type: "cleanup" });
    expect(line.state.phase.status).toBe("hibernated");
    const events = line.events.length;
    expect(listed(line, "stopped").events).toHaveLength(events);
    line.heartbeat();
    expect(line.state.phase.status).toBe("running");
  });

  it("whose heartbeat is later than the list runs", () => {
    const line = orphaned();
    line.heartbeat();
    expect(listed(line, "stopped", { ago: 4 * MINUTE }).state.phase.status).toBe("running");
  });

  it("waits for two intervals of a slow agent", () => {
    const line = new Timeline({
      overrides: { heartbeat_interval_seconds: 600, orphan: { orphan_after_seconds: 1800 } },
    });
    line.heartbeat();
    expect(listed(line.until(at("19:00")), "stopped").state.phase.status).toBe("running");
    expect(listed(line.until(at("20:00")), "stopped").state.phase.status).toBe("hibernated");
  });
});

describe("what its provider lists that a stopped machine costs", () => {
  const listedAt = (line: Timeline, stoppedHourlyCost: number | null) => {
    const sighted = { at: line.now, credentialsSetAt: 1, gpus: 2 };
    line.command({
      type: "machine.listed",
      shown: "stopped",
      stoppedUntil: null,
      hourlyCost: 2,
      stoppedHourlyCost,
      sighted,
    });
    return line;
  };
  const stopped = (stoppedHourlyCost: number | null) =>
    listedAt(
      new Timeline({ profile: { hourlyCost: null, hibernatedHourlyCost: null } })
        .beatUntil(at("10:00"))
        .until(at("30:00")),
      stoppedHourlyCost,
    );

  it("is what one costs that was stopped by hand, where its owner names no price", () => {
    const line = stopped(0.1);
    expect(line.view).toMatchObject({ hibernated_cost: 0.1, hibernated_cost_source: "provider", rate: 0.1 });
    line.until(at("10:30:00"));
    expect(line.view.cost_today).toBe(1);
    // The fleet is told of another one, too.
    line.drain();
    listedAt(line, 0.2);
    expect(line.effects.at(-1)).toEqual({ type: "projection" });
    expect(line.view.rate).toBe(0.2);
  });

  it("counts as not said where it is no price, and stays as it was where it is said no more", () => {
    for (const price of [-1, Number.NaN, 1e9, null]) expect(stopped(price).view.rate).toBeNull();
    expect(listedAt(stopped(0.1), null).view.rate).toBe(0.1);
  });
});

describe("a machine that was never heard and is listed as stopped", () => {
  it("counts as hibernated, whether or not its owner was told of it, once that was well before", () => {
    for (const moment of ["20:00", "120:00"]) {
      const line = new Timeline();
      listed(line.until(at("4:00")), "stopped");
      expect(line.state.phase.status).toBe("pending");
      line.until(at(moment));
      listed(line, "stopped");
      expect(line.state.phase).toMatchObject({ status: "hibernated", reason: "owner", orphan: null });
      expect(lastEvent(line)).toMatchObject({ kind: "hibernated", detail: { by_hand: true } });
      expect(line.effects.filter(({ type }) => type === "action")).toEqual([]);
    }
  });

  it("after it was found running, does not stay pending", () => {
    const line = idle().succeed();
    listed(line.until(line.now + 20 * MINUTE), "running");
    expect(line.state.phase.status).toBe("pending");
    expect(listed(line.until(line.now + 4 * MINUTE), "stopped").state.phase.status).toBe("pending");
    expect(listed(line.until(line.now + 15 * MINUTE), "stopped").state.phase.status).toBe("hibernated");
    expect(listed(line.until(line.now + 15 * MINUTE), "running").state.phase.status).toBe("pending");
  });
});

describe("a machine that is listed as destroyed", () => {
  it("is gone, unless it was heard since, or an order is under way", () => {
    const gone = { pending: true, running: true, orphaned: true, hibernated: true };
    for (const status of STATUSES) {
      const line = IN_STATUS[status]();
      listed(line, "terminated", { ago: -20 * MINUTE });
      const isGone = status in gone;
      expect([status, line.state.phase.status]).toEqual([status, isGone ? "deleted" : status]);
      if (isGone) expect(lastEvent(line)).toMatchObject({ kind: "gone", detail: { was: status } });
    }
    const heard = new Timeline().beatUntil(at("10:00"));
    expect(listed(heard, "terminated").state.phase.status).toBe("running");
  });
});

describe("a machine that is listed no more", () => {
  /** The list began now, and showed it `ago` for the last time. */
  function missed(line: Timeline, more: { ago?: number; credentialsSetAt?: number } = {}): Timeline {
    const { ago = 15 * MINUTE, credentialsSetAt = 1 } = more;
    line.command({ type: "machine.vanished", listedAt: line.now, seenAt: line.now - ago, credentialsSetAt });
    return line;
  }
  const kinds = (line: Timeline) => line.events.map(({ kind }) => kind);

  it("is told once, and keeps its status: that it is gone is not proven", () => {
    const alerted = ["pending", "running", "orphaned", "hibernated"];
    for (const status of STATUSES) {
      const line = IN_STATUS[status]();
      listed(line, null);
      const { phase } = line.state;
      const event = {
        type: "machine.vanished",
        listedAt: line.now + 20 * MINUTE,
        seenAt: line.now,
        credentialsSetAt: 1,
      } as const;
      line.command(event);
      const once = line.state;
      const isTold = alerted.includes(status);
      expect([status, once.phase.status, kinds(line).at(-1) === "vanished"]).toEqual([
        status,
        phase.status,
        isTold,
      ]);
      expect(once.sighted?.vanishedAt !== undefined).toBe(isTold);
      const events = line.events.length;
      line.command({ ...event, listedAt: event.listedAt + MINUTE });
      expect(line.events).toHaveLength(events);
    }
  });

  it("says nothing by credentials that never showed it, nor while it beats, nor for a suspended user", () => {
    const line = orphaned();
    listed(line, null);
    missed(line.until(line.now + 20 * MINUTE), { credentialsSetAt: 2 });
    expect(kinds(line)).not.toContain("vanished");
    const beats = new Timeline().beatUntil(at("30:00"));
    missed(beats);
    expect(kinds(beats)).not.toContain("vanished");
    const { state, now } = orphaned();
    const event = {
      type: "machine.vanished",
      listedAt: now + DAY,
      seenAt: now,
      credentialsSetAt: 1,
    } as const;
    expect(witnessVanished(state, event, compilePolicy(DEFAULT_POLICY, 1, true), now + DAY)).toBe(state);
  });

  it("is listed again: then it is told anew should it vanish once more", () => {
    const line = orphaned();
    listed(line, null);
    missed(line.until(line.now + 20 * MINUTE));
    listed(line.until(line.now + 15 * MINUTE), null);
    expect(line.state.sighted?.vanishedAt).toBeUndefined();
    missed(line.until(line.now + 15 * MINUTE));
    expect(kinds(line).filter((kind) => kind === "vanished")).toHaveLength(2);
  });

  it("saves nothing from when it was last seen, while its provider is asked for it itself", () => {
    const hibernated = () => {
      const line = idle().succeed();
      const since = line.now;
      listed(line.until(since + 15 * MINUTE), null);
      missed(line.until(since + 60 * MINUTE), { ago: 30 * MINUTE });
      expect(line.state.counters.saved.totalMs).toBe(30 * MINUTE);
      line.until(since + DAY);
      expect(line.state.counters.saved.totalMs).toBe(30 * MINUTE);
      expect(line.view.lifecycle.because).toContain("lists it no more");
      expect(line.view.alert).toContain("Was it deleted there?");
      return line;
    };
    const answer = (line: Timeline, shows: "running" | "stopped" | "gone") => {
      line.command({
        type: "looked",
        machine: { provider: line.state.profile.provider, providerRef: line.state.profile.providerRef },
        answer: { shows },
        sighted: shows === "gone" ? null : { at: line.now, credentialsSetAt: 1, gpus: null },
      });
      return line;
    };
    const unknown = hibernated();
    unknown.command({
      type: "looked",
      machine: { provider: unknown.state.profile.provider, providerRef: unknown.state.profile.providerRef },
      answer: { shows: "unknown", because: "it does not show it", isPassing: false },
      sighted: null,
    });
    expect(unknown.state.phase.status).toBe("hibernated");
    // Its owner was told already that nobody knows.
    expect(kinds(unknown)).not.toContain("unwatched");
    const stopped = answer(hibernated(), "stopped");
    expect(stopped.state.sighted?.vanishedAt).toBeUndefined();
    expect(stopped.state.phase).toMatchObject({ status: "hibernated", unsavedFrom: stopped.now });
    expect(answer(hibernated(), "running").events.at(-1)).toMatchObject({
      kind: "found_running",
      message: expect.stringMatching(/^It was hibernated, and/),
    });
    expect(answer(hibernated(), "gone").state.phase.status).toBe("deleted");
  });
});

describe("a machine that is listed as running", () => {
  it("and counts as hibernated is told to its owner, and nothing is ordered for it", () => {
    for (const line of [idle().succeed(), silent().succeed()]) {
      const since = line.now;
      listed(line.until(since + 4 * MINUTE), "running");
      expect(line.state.phase.status).toBe("hibernated");
      listed(line.until(since + 20 * MINUTE), "running", { stoppedUntil: since + 15 * MINUTE });
      expect(line.state.phase).toMatchObject({ status: "pending" });
      expect(lastEvent(line)).toMatchObject({ kind: "found_running", severity: "critical" });
      expect(line.state.counters.saved.totalMs).toBe(15 * MINUTE);
      const orders = line.effects.filter(({ type }) => type === "action").length;
      line.until(since + 2 * DAY);
      expect(line.state.phase.status).toBe("pending");
      expect(line.effects.filter(({ type }) => type === "action")).toHaveLength(orders);
    }
  });

  it("saves nothing where nobody knows how long it was stopped", () => {
    const line = idle().succeed();
    listed(line.until(line.now + 20 * MINUTE), "running");
    expect(line.state.counters.saved.totalMs).toBe(0);
  });
});

describe("a list", () => {
  it("changes nothing in any other status, nor during an order, nor for a suspended user", () => {
    const changing: Partial<Record<string, readonly (string | null)[]>> = {
      pending: ["stopped"],
      running: ["stopped"],
      orphaned: ["stopped"],
      hibernated: ["running"],
    };
    for (const status of STATUSES) {
      for (const shown of ["running", "stopped", null] as const) {
        const { state, policy, now } = IN_STATUS[status]();
        const later = now + 20 * MINUTE;
        const event = {
          type: "machine.listed",
          shown,
          stoppedUntil: null,
          hourlyCost: null,
          sighted: { at: later, credentialsSetAt: 1, gpus: 2 },
        } as const;
        const { phase, outbox } = witnessListed(state, event, policy, later);
        const isChanged = changing[status]?.includes(shown) ?? false;
        expect([status, shown, phase !== state.phase, outbox !== state.outbox]).toEqual([
          status,
          shown,
          isChanged,
          isChanged,
        ]);
        const suspended = compilePolicy(DEFAULT_POLICY, 1, true);
        expect(witnessListed(state, event, suspended, later)).toBe(state);
      }
    }
  });

  it("is proof that these credentials show the machine, noted once", () => {
    const line = IN_STATUS.running();
    listed(line, null);
    expect(line.state.sighted).toEqual({ at: line.now, credentialsSetAt: 1, gpus: 2 });
    const { state } = line;
    listed(line.until(line.now + MINUTE / 2), null);
    expect(line.state.sighted).toBe(state.sighted);
    listed(line, null, { credentialsSetAt: 2 });
    expect(line.state.sighted).toMatchObject({ credentialsSetAt: 2 });
    expect(line.events.filter(isAlert)).toEqual([]);
  });

  it("says what a machine costs whose owner did not say it, and no more than that", () => {
    const unpriced = () => {
      const line = idle().succeed();
      line.command({
        type: "changed",
        changes: { hourlyCost: null, hibernatedHourlyCost: 0.1 },
        sighted: null,
      });
      return line;
    };
    const line = unpriced();
    expect(costsOf(line.state).hourlyCost).toBeNull();
    listed(line, null, { hourlyCost: 1.1 });
    expect(costsOf(line.state).hourlyCost).toBe(1.1);
    line.until(line.now + 2 * HOUR);
    expect(line.view.lifecycle.next_step).toBeNull();
    // A new price counts from here on; one that is not said changes nothing.
    listed(line, null, { hourlyCost: 2.1 });
    expect(line.state.counters.saved.totalDollars).toBeCloseTo(2);
    listed(line.until(line.now + HOUR), null);
    line.command({ type: "wake.requested" });
    expect(line.state.counters.saved.totalDollars).toBeCloseTo(4);
    // What the owner says counts before it.
    line.command({ type: "changed", changes: { hourlyCost: 0.5 }, sighted: null });
    expect(costsOf(line.state).hourlyCost).toBe(0.5);
    // Another machine has another price.
    const other = listed(unpriced(), null, { hourlyCost: 1.1 });
    other.command({ type: "changed", changes: { providerRef: "other" }, sighted: null });
    expect(costsOf(other.state).hourlyCost).toBeNull();
    const running = listed(new Timeline({ profile: { hourlyCost: null } }), null, { hourlyCost: 1.1 });
    expect(running.view).toMatchObject({ hourly_cost: null, rate: 1.1, rate_source: "provider" });
  });
});
