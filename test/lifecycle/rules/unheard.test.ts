import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import { awaitHeartbeat } from "../../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { silentSince } from "../../../src/lifecycle/rules/outage-guard.ts";
import { withoutPast } from "../../../src/lifecycle/rules/resumption.ts";
import { at, START, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ACT: PolicyOverrides = { orphan: { act_on_never_heard: true } };

const acting = (provider: ProviderKind = "webhook") => new Timeline({ provider, overrides: ACT });
const warnings = (line: Timeline) => line.events.filter(({ kind }) => kind === "never_heard");
const steps = (line: Timeline) =>
  line.effects.filter(({ type }) => type === "action" || type === "guard" || type === "forget");

function comesBack(line: Timeline, origin: "restore" | "import", later: number): Timeline {
  line.drain();
  line.now = later;
  line.armedAt = null;
  line.state = withoutPast(line.state, 0, later);
  line.apply({ type: "resumed", origin, knownUntil: null });
  line.drain();
  return line;
}

describe("an instance that was registered and never heard", () => {
  it("is told of once, half an hour later, and counts as unhealthy from then on", () => {
    const line = new Timeline().until(at("29:59.999"));
    expect(line.view).toMatchObject({ status: "pending", health: "inactive" });
    expect(line.view.alert).toBeUndefined();
    expect(line.view.lifecycle).toMatchObject({ next_step: "never_heard", in_seconds: 0 });
    line.until(at("30:00"));
    expect(line.view).toMatchObject({
      status: "pending",
      health: "unhealthy",
      orphaned_since: null,
      alert: "Never heard. Is the agent installed?",
      lifecycle: {
        next_step: null,
        at: null,
        because:
          "Never heard since it was registered at 2025-12-19T00:00:00Z. Nothing is done about it by this policy",
        blocked_by: "policy_disabled",
      },
    });
    expect(warnings(line)).toMatchObject([
      {
        at: at("30:00"),
        severity: "warning",
        message:
          "Never heard: no heartbeat for 30 minutes since it was registered. Is the agent installed? Nothing is done about it (orphan.act_on_never_heard): install the agent, hibernate it here, or remove it here if there is no such machine.",
        detail: { rule: "orphan.never_heard_after_seconds", because: "registered", hourly_cost: 0.4 },
      },
    ]);
    expect(warnings(line).every(isAlert)).toBe(true);
    // Nothing to keep alive: no step comes.
    expect(warnings(line)[0]?.detail).not.toHaveProperty("step_at");
    line.until(START + 60 * DAY).command({ type: "cleanup" });
    expect(warnings(line)).toHaveLength(1);
    expect(steps(line)).toEqual([]);
    expect(line.armedAt).toBeNull();
  });

  it("is told that nobody can stop it, where that is so, and shows no countdown", () => {
    for (const provider of ["agent", "none"] as const) {
      const line = acting(provider).until(at("30:00"));
      expect(warnings(line)[0]?.message).toContain("Nobody can stop this machine: connect its provider.");
      expect(line.view.alert).toContain("Nobody can stop this machine");
      expect(line.view.lifecycle).toMatchObject({ next_step: null, at: null, blocked_by: "no_provider" });
      line.until(START + 30 * DAY).command({ type: "cleanup" });
      expect(steps(line)).toEqual([]);
    }
  });

  it("says so where nobody knows what it costs", () => {
    const line = new Timeline({ profile: { hourlyCost: null } }).until(at("30:00"));
    expect(warnings(line)[0]).toMatchObject({
      message: expect.stringContaining("If it runs, it costs money."),
      detail: { hourly_cost: null },
    });
    const cheap = new Timeline({ profile: { hourlyCost: 0.025 } }).until(at("30:00"));
    expect(warnings(cheap)[0]).toMatchObject({
      message: expect.not.stringContaining("it costs"),
      detail: { hourly_cost: 0.025, rate: 0.025 },
    });
  });

  it("recovers with its first heartbeat, and its owner is told", () => {
    const line = new Timeline().until(at("40:00"));
    line.heartbeat();
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
    expect(line.events.slice(-2)).toMatchObject([
      {
        kind: "recovered",
        message: "Recovered: heartbeat received 10 minutes after it counted as never heard",
      },
      { kind: "first_heartbeat" },
    ]);
    expect(line.until(at("45:00")).view.status).toBe("orphaned");
  });

  it("is not told of while the policy for silence is off or the user suspended; then it counts from the change", () => {
    const line = new Timeline({ overrides: { orphan: { enabled: false } } }).until(at("5:00:00"));
    expect(line.view.lifecycle).toMatchObject({ next_step: null, blocked_by: "policy_disabled" });
    line.changePolicy({}).until(at("5:29:59"));
    expect(warnings(line)).toEqual([]);
    line.until(at("5:30:00"));
    expect(warnings(line)).toHaveLength(1);

    const suspended = new Timeline();
    const active = suspended.policy;
    suspended.policy = compilePolicy(mergePolicy({}), 1, true);
    suspended.command({ type: "policy.changed", former: active });
    suspended.until(START + DAY);
    const former = suspended.policy;
    suspended.policy = active;
    suspended.command({ type: "policy.changed", former });
    suspended.until(START + DAY + 29 * MINUTE);
    expect(warnings(suspended)).toEqual([]);
    suspended.until(START + DAY + 30 * MINUTE);
    expect(warnings(suspended)).toHaveLength(1);
  });

  it("is told of by a shorter policy no sooner than that policy says from its change", () => {
    const line = new Timeline().until(at("20:00"));
    line.changePolicy({ orphan: { never_heard_after_seconds: 600 } });
    expect(warnings(line)).toEqual([]);
    line.until(at("30:00"));
    expect(warnings(line)).toHaveLength(1);
    expect(
      new Timeline().changePolicy({ orphan: { never_heard_after_seconds: 600 } }).view.lifecycle.at,
    ).toBe("2025-12-19T00:10:00Z");
  });

  it("counts as watched once it is kept alive, as ever", () => {
    const line = acting().until(at("32:00"));
    line.command({ type: "keep_alive", durationMs: HOUR });
    expect(line.view).toMatchObject({ status: "running", health: "healthy" });
    line.until(at("1:36:59"));
    expect(steps(line)).toEqual([]);
    expect(line.until(at("1:37:00")).view.status).toBe("orphaned");
  });

  it.each(["imported", "started", "unknown"] as const)(
    "is not acted upon because it was kept alive, where nothing is done about it (%s)",
    (because) => {
      const line = acting().until(at("10:00"));
      line.state = { ...line.state, phase: awaitHeartbeat(because, line.now) };
      line.until(at("50:00"));
      line.command({ type: "keep_alive", durationMs: HOUR });
      expect(line.view).toMatchObject({ status: "pending", health: "inactive" });
      line.until(at("2:19:59"));
      expect(warnings(line)).toHaveLength(1);
      line.until(at("2:20:00"));
      expect(warnings(line)).toHaveLength(2);
      line.until(START + 60 * DAY).command({ type: "cleanup" });
      expect(steps(line)).toEqual([]);
      expect(warnings(line)).toHaveLength(2);
      line.heartbeat();
      expect(line.view.status).toBe("running");
    },
  );

  it("that a former release registered is told of, and nothing is done about it", () => {
    const line = acting();
    line.state = { ...line.state, phase: { status: "pending" } };
    line.armedAt = null;
    line.now = START + 3 * DAY;
    line.command({ type: "cleanup" });
    expect(warnings(line)).toMatchObject([{ at: START + 3 * DAY, detail: { because: "unknown" } }]);
    line.until(START + 30 * DAY).command({ type: "cleanup" });
    expect(steps(line)).toEqual([]);
    expect(warnings(line)).toHaveLength(1);
  });

  it("is told of anew for another machine, and after a restore", () => {
    const line = new Timeline().until(at("40:00"));
    line.command({ type: "changed", changes: { providerRef: "i-2" }, sighted: null });
    expect(line.view.health).toBe("inactive");
    line.until(at("1:10:00"));
    expect(warnings(line)).toHaveLength(2);
    expect(warnings(line)[1]?.message).toContain("since another machine is watched");
    comesBack(line, "restore", START + DAY).until(START + DAY + 30 * MINUTE - 1);
    expect(warnings(line)).toHaveLength(2);
    line.until(START + DAY + 30 * MINUTE);
    expect(warnings(line)).toHaveLength(3);
  });

  it("comes from an export: it may be heard elsewhere, and nothing is ever done about it", () => {
    for (const origin of [acting(), acting().until(at("40:00")), acting().beatUntil(at("5:00"))]) {
      const line = comesBack(origin, "import", START + DAY);
      line.effects.length = 0;
      line.until(START + 60 * DAY).command({ type: "cleanup" });
      expect(warnings(line)).toMatchObject([
        {
          at: START + DAY + 30 * MINUTE,
          message: expect.stringContaining("may be heard where it was exported"),
        },
      ]);
      comesBack(line, "restore", START + 61 * DAY).until(START + 90 * DAY);
      expect(steps(line)).toEqual([]);
    }
  });
});

describe("one that is acted upon", () => {
  it("has its provider named by its kind, whichever connection it is called by", () => {
    const line = new Timeline({ overrides: ACT, profile: { provider: "vast@c-1f2e" } }).until(at("30:00"));
    const said = [warnings(line)[0]?.message, line.view.lifecycle.because];
    for (const words of said) expect(words).toMatch(/\bvast (shows it running|is asked first)/);
  });

  it("is hibernated on a ladder that counts from its registration, told of at least five minutes before", () => {
    const line = acting().until(at("30:00"));
    expect(line.view).toMatchObject({
      status: "pending",
      health: "unhealthy",
      lifecycle: {
        next_step: "hibernate",
        at: "2025-12-19T00:35:00Z",
        because:
          "Never heard since it was registered at 2025-12-19T00:00:00Z. webhook is asked first, and nothing is stopped that it does not show running",
        blocked_by: null,
      },
    });
    expect(warnings(line)[0]).toMatchObject({
      message: expect.stringContaining(
        "It is hibernated at 2025-12-19T00:35:00Z if it is not heard by then and webhook shows it running.",
      ),
      detail: { step_at: "2025-12-19T00:35:00Z" },
    });
    line.until(at("34:59.999"));
    expect(steps(line)).toEqual([]);
    line.until(at("35:00"));
    expect(line.guardQuestions).toEqual(["hibernate"]);
    expect(line.orders).toEqual([]);
    line.permit();
    expect(line.orders).toEqual(["hibernate"]);
    const order = line.effects.find((effect) => effect.type === "action");
    expect(order).toMatchObject({ order: { reason: "silence", neverHeard: true } });
    line.fail("unknown").until(at("1:59:59"));
    expect(line.view).toMatchObject({ status: "pending", health: "unhealthy" });
    line.until(at("2:00:00")).permit();
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
  });

  it("counts from its registration where it is told of early", () => {
    const line = new Timeline({
      overrides: { orphan: { act_on_never_heard: true, never_heard_after_seconds: 600 } },
    }).until(at("10:00"));
    expect(line.view.lifecycle.at).toBe("2025-12-19T00:30:00Z");
  });

  it("is never deleted, hibernated or not", () => {
    const stopped = acting().until(at("35:00"));
    stopped.permit();
    stopped.accept();
    stopped.succeed();
    expect(stopped.view).toMatchObject({ status: "hibernated", orphaned_since: null });
    stopped.until(START + 60 * DAY).command({ type: "cleanup" });
    expect(stopped.orders).toEqual(["hibernate"]);
    const failing = acting().until(at("35:00"));
    failing.permit();
    failing.fail();
    for (let day = 1; day < 20; day++) {
      failing.until(START + day * DAY).command({ type: "cleanup" });
      failing.permit();
      failing.fail();
    }
    expect(failing.guardQuestions).not.toContain("delete");
    expect(failing.orders.length).toBeGreaterThan(10);
  });

  it("is spared by a heartbeat and by a keep-alive until the provider has accepted the order", () => {
    for (const spare of [
      (line: Timeline) => void line.heartbeat(),
      (line: Timeline) => void line.command({ type: "keep_alive", durationMs: HOUR }),
    ]) {
      const line = acting().until(at("35:00"));
      line.permit();
      const { actionId } = line;
      line.command({ type: "action.tried", actionId });
      spare(line);
      line.command({ type: "action.refused", actionId });
      expect(line.view).toMatchObject({ status: "running" });
      expect(line.kinds).toContain("hibernate_cancelled");
    }
  });

  it("waits for the guard, and counts anew from when it opened", () => {
    const line = acting().until(at("35:00"));
    line.defer();
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", blocked_by: "guard" });
    line.until(at("40:00")).permit(at("38:00"));
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", at: "2025-12-19T01:08:00Z" });
    expect(line.orders).toEqual([]);
  });

  it("is no silence that the guard counts: it never fell silent, and is not awake either", () => {
    const line = acting().until(at("29:00"));
    expect(silentSince(line.state)).toBeNull();
    line.until(at("35:00"));
    expect(silentSince(line.state)).toBe(START);
    line.permit();
    expect(line.view).toMatchObject({ status: "hibernating", orphaned_since: null });
    expect(silentSince(line.state)).toBe(START);
  });

  it("is told of anew by a policy that begins to act, and let go by one that ends it", () => {
    const line = new Timeline().until(at("3:00:00"));
    line.changePolicy(ACT);
    expect(line.view.health).toBe("inactive");
    line.until(at("3:34:59"));
    expect(warnings(line)).toHaveLength(2);
    expect(steps(line)).toEqual([]);
    line.until(at("3:35:00")).permit();
    expect(line.orders).toEqual(["hibernate"]);
    line.changePolicy({});
    expect(line.view).toMatchObject({ status: "pending", health: "unhealthy" });
    expect(line.kinds).toContain("hibernate_cancelled");
    line.until(START + 30 * DAY);
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is told of and not acted upon for an absence of the service", () => {
    const line = acting();
    line.now = START + DAY;
    line.apply({ type: "alarm", dueAt: at("30:00") });
    line.armedAt = null;
    line.drain();
    expect(warnings(line)).toHaveLength(1);
    expect(line.view.lifecycle.at).toBe("2025-12-20T00:30:00Z");
    expect(steps(line)).toEqual([]);
  });
});

describe("a random life before the first heartbeat", () => {
  const RUNS = Number(process.env.PROPERTY_RUNS ?? 300);

  type Happen = (line: Timeline) => unknown;
  const happening: fc.Arbitrary<Happen> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.integer({ min: 1, max: 50 }).map(
        (minutes): Happen =>
          (line) =>
            line.until(line.now + minutes * MINUTE),
      ),
    },
    fc.integer({ min: 1, max: 9 }).map(
      (days): Happen =>
        (line) =>
          line.until(line.now + days * DAY),
    ),
    fc.constantFrom<Happen>(
      (line) => line.permit(),
      (line) => line.defer(),
      (line) => line.accept(),
      (line) => line.succeed(),
      (line) => line.fail(),
      (line) => line.command({ type: "cleanup" }),
      (line) => line.command({ type: "changed", changes: { providerRef: `i-${line.now}` }, sighted: null }),
      (line) => line.changePolicy(ACT),
      (line) => line.changePolicy({}),
      (line) => line.changePolicy({ orphan: { enabled: false, act_on_never_heard: true } }),
      (line) => comesBack(line, "restore", line.now + MINUTE),
      (line) => comesBack(line, "import", line.now + MINUTE),
    ),
  );
  const life = fc.record({
    provider: fc.constantFrom<ProviderKind>("agent", "none", "webhook", "vast"),
    acts: fc.boolean(),
    happenings: fc.array(happening, { maxLength: 25 }),
  });

  /** Each order with the warning before it, since the last moment at which it began to be awaited anew. */
  it("orders nothing without a warning five minutes before, never deletes, and warns once for each beginning", () => {
    fc.assert(
      fc.property(life, ({ provider, acts, happenings }) => {
        const line = new Timeline({ provider, overrides: acts ? ACT : {} });
        let beginnings = 1;
        let isImported = false;
        for (const happen of happenings) {
          const before = line.state.phase;
          happen(line);
          const after = line.state.phase;
          if (after.status === "pending" && before.status === "pending") {
            if (before.unheard?.from !== after.unheard?.from) beginnings++;
          } else if (after.status === "pending") beginnings++;
          isImported = after.status === "pending" && after.unheard?.because === "imported";
          if (isImported) expect("action" in after).toBe(false);
        }
        expect(warnings(line).length).toBeLessThanOrEqual(beginnings);
        expect(line.orders).not.toContain("delete");
        expect(line.guardQuestions).not.toContain("delete");
        if (provider === "agent" || provider === "none") expect(steps(line)).toEqual([]);
        const asked = line.events.filter(({ kind }) => kind === "hibernating");
        for (const order of asked) {
          const warned = line.events.findLast(({ kind, at }) => kind === "never_heard" && at <= order.at);
          expect(order.at - (warned?.at ?? order.at)).toBeGreaterThanOrEqual(5 * MINUTE);
        }
        const { phase } = line.state;
        if (phase.status === "pending" && phase.unheard?.because === "imported") {
          const orders = line.orders.length;
          line.until(line.now + 30 * DAY);
          expect(line.orders).toHaveLength(orders);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("is spared by a heartbeat at any moment before the order is accepted", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.boolean(), (minutes, permitted) => {
        const line = acting().until(START + minutes * MINUTE);
        if (permitted) line.permit();
        line.heartbeat();
        expect(line.view.status).toBe("running");
        line.beatUntil(line.now + 10 * MINUTE);
        expect(line.view.status).toBe("running");
      }),
      { numRuns: RUNS },
    );
  });
});
