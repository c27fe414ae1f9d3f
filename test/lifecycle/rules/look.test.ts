import { describe, expect, it } from "vitest";
import type { HistoryEvent } from "../../../src/lifecycle/model/history-event.ts";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import type { InstanceEvent, LookAnswer } from "../../../src/lifecycle/model/instance-event.ts";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../../src/lifecycle/model/policy-settings.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { machineOf } from "../../../src/lifecycle/model/state.ts";
import { withoutPast } from "../../../src/lifecycle/rules/resumption.ts";
import { explain } from "../../../src/lifecycle/views/explanation.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { IN_STATUS, silent } from "../statuses.ts";
import { START, Timeline } from "../timeline.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LATER = START + 3 * DAY;

type Origin = Extract<InstanceEvent, { type: "resumed" }>["origin"];

const PASSING: LookAnswer = { shows: "unknown", because: "503", isPassing: true };
const REFUSED: LookAnswer = {
  shows: "unknown",
  because: "it does not know these credentials",
  isPassing: false,
};

/** Its state of then is all that is left, here or in an export. */
function resumed(line: Timeline, origin: Origin = "restore", at = LATER): Timeline {
  line.drain();
  line.now = at;
  line.armedAt = null;
  line.state = withoutPast(line.state, 0, at);
  line.effects.length = 0;
  line.apply({ type: "resumed", origin, knownUntil: null });
  line.drain();
  return line;
}

function hibernated(provider: ProviderKind = "webhook"): Timeline {
  const line = new Timeline({ provider }).beatUntil(START + 5 * MINUTE, { gpu_utilization: 2 });
  return provider === "agent" ? line.until(START + 20 * MINUTE) : line.succeed();
}

function showing(shows: LookAnswer | null, line: Timeline = resumed(hibernated())): Timeline {
  line.shows = shows;
  return line;
}

/** The owner's word for what a machine shows, told to an instance that has not asked just now. */
function tell(line: Timeline, answer: LookAnswer): void {
  line.command({ type: "looked", machine: machineOf(line.state.profile), answer, sighted: null });
}

const eventsIn = (line: Timeline): HistoryEvent[] =>
  line.effects.flatMap((effect) => (effect.type === "event" ? [effect.event] : []));
const alertsIn = (line: Timeline) => eventsIn(line).filter(isAlert);
const ordersIn = (line: Timeline) =>
  line.effects.filter(({ type }) => type === "action" || type === "guard" || type === "forget");
const savedMs = (line: Timeline) => savingsView(line.state, line.now).hibernated_seconds_total * 1000;

describe.each(["restore", "import"] as const)("a hibernated instance after a %s", (origin) => {
  it("that runs counts as never heard, its owner is alarmed, and nothing is ever ordered for it", () => {
    for (const before of [hibernated(), silent().succeed()]) {
      const line = showing({ shows: "running" }, resumed(before, origin));
      line.until(LATER + 6 * MINUTE);
      expect(line.state.phase).toMatchObject({ status: "pending", unheard: { because: "started" } });
      expect(alertsIn(line)).toMatchObject([{ kind: "found_running", severity: "critical" }]);
      for (let day = 1; day <= 30; day++) line.until(LATER + day * DAY).command({ type: "cleanup" });
      expect(ordersIn(line)).toEqual([]);
      expect(alertsIn(line)).toHaveLength(1);
      line.heartbeat();
      expect(line.state.phase.status).toBe("running");
    }
  });

  it("that runs while it is kept alive is told to its owner at once, and once more when that has ended unheard", () => {
    const line = new Timeline().beatUntil(START + 5 * MINUTE);
    line.command({ type: "keep_alive", durationMs: 4 * DAY });
    line.command({ type: "hibernate.requested" });
    line.succeed();
    showing({ shows: "running" }, resumed(line, origin)).until(LATER + 6 * MINUTE);
    expect(line.state.phase).toMatchObject({ status: "pending", unheard: { because: "started" } });
    expect(alertsIn(line)).toMatchObject([{ kind: "found_running", severity: "critical" }]);
    line.until(LATER + 30 * DAY);
    expect(alertsIn(line).map(({ kind }) => kind)).toEqual(["found_running", "never_heard"]);
    expect(alertsIn(line)[1]?.at).toBeGreaterThan(line.state.clock.keepAliveUntil ?? Number.NaN);
    expect(ordersIn(line)).toEqual([]);
  });

  it("that is stopped stays hibernated, saves from then on, and nobody is told", () => {
    const line = showing({ shows: "stopped" }, resumed(hibernated(), origin));
    const saved = savedMs(line);
    line.until(LATER + 10 * DAY);
    expect(line.looks).toEqual([LATER + 5 * MINUTE]);
    expect(line.state.phase).toMatchObject({ status: "hibernated", orphan: null, reason: "idle" });
    expect(savedMs(line)).toBe(saved + 10 * DAY - 5 * MINUTE);
    expect(alertsIn(line)).toEqual([]);
    expect(eventsIn(line).at(-1)).toMatchObject({ kind: "looked", severity: "info" });
  });

  it("that is gone counts as deleted, and leaves like any other", () => {
    const line = showing({ shows: "gone" }, resumed(hibernated(), origin));
    const saved = savedMs(line);
    line.until(LATER + 6 * MINUTE);
    expect(line.state.phase).toMatchObject({ status: "deleted", at: LATER + 5 * MINUTE });
    expect(alertsIn(line)).toMatchObject([{ kind: "gone", severity: "warning" }]);
    expect(savedMs(line)).toBe(saved);
    line.until(LATER + 31 * DAY);
    expect(line.effects.at(-1)).toEqual({ type: "forget" });
  });

  it("of which nobody can say anything is told once, saves nothing, and is looked at until somebody can", () => {
    const line = showing(REFUSED, resumed(hibernated(), origin));
    const saved = savedMs(line);
    line.until(LATER + 5 * MINUTE);
    expect(alertsIn(line)).toMatchObject([
      { kind: "unwatched", severity: "warning", message: expect.stringContaining("costs money") },
    ]);
    line.until(LATER + 30 * DAY).command({ type: "cleanup" });
    expect(alertsIn(line)).toHaveLength(1);
    expect(savedMs(line)).toBe(saved);
    const gaps = line.looks.map((at, index) => at - (line.looks[index - 1] ?? at)).slice(1);
    expect(gaps[0]).toBe(10 * MINUTE);
    expect(gaps).toEqual(gaps.toSorted((one, other) => one - other));
    expect(gaps.at(-1)).toBe(DAY);
    line.shows = { shows: "running" };
    line.until(LATER + 31 * DAY);
    expect(line.state.phase).toMatchObject({ status: "pending", unheard: { because: "started" } });
    expect(alertsIn(line).map(({ kind }) => kind)).toEqual(["unwatched", "found_running"]);
  });

  it("whose provider is down is its owner's to look after once that has lasted for an hour", () => {
    const brief = showing(PASSING, resumed(hibernated(), origin)).until(LATER + 50 * MINUTE);
    brief.shows = { shows: "stopped" };
    brief.until(LATER + 30 * DAY);
    expect(alertsIn(brief)).toEqual([]);
    const long = showing(PASSING, resumed(hibernated(), origin)).until(LATER + 30 * DAY);
    expect(alertsIn(long)).toMatchObject([{ kind: "unwatched", severity: "warning" }]);
    expect(alertsIn(long)[0]?.at).toBeGreaterThanOrEqual(LATER + 65 * MINUTE);
    expect(alertsIn(long)[0]?.at).toBeLessThan(LATER + 3 * HOUR);
  });

  it("hears an answer however late it comes, and whoever asked before", () => {
    const line = showing(null, resumed(hibernated(), origin)).until(LATER + 3 * HOUR);
    tell(line, { shows: "running" });
    expect(line.state.phase).toMatchObject({ status: "pending", unheard: { because: "started" } });
  });

  it("is looked at again when whoever asked did not come back", () => {
    const line = showing(null, resumed(hibernated(), origin)).until(LATER + HOUR);
    expect(line.looks.length).toBeGreaterThan(2);
  });

  it("is its owner's to look after where no provider can be asked", () => {
    const line = resumed(hibernated("agent"), origin).until(LATER + 30 * DAY);
    expect(line.state.phase).toMatchObject({ status: "hibernated" });
    expect(alertsIn(line)).toMatchObject([{ kind: "unwatched", severity: "warning" }]);
    expect(line.looks).toEqual([]);
    const saved = savedMs(line);
    line.until(LATER + 60 * DAY);
    expect(savedMs(line)).toBe(saved);
    line.heartbeat();
    expect(line.state.phase).toMatchObject({ status: "running" });
  });

  it("is asked for no more once it is heard, woken or another machine, and nobody is alarmed", () => {
    for (const happen of [
      (line: Timeline) => line.heartbeat(),
      (line: Timeline) => line.command({ type: "wake.requested" }),
      (line: Timeline) =>
        line.command({ type: "changed", changes: { providerRef: "another" }, sighted: null }),
    ]) {
      const line = showing(REFUSED, resumed(hibernated(), origin)).until(LATER + MINUTE);
      const machine = machineOf(line.state.profile);
      happen(line);
      const { phase } = line.state;
      line.command({ type: "looked", machine, answer: { shows: "running" }, sighted: null });
      expect(line.state.phase).toEqual(phase);
      line.until(LATER + 4 * MINUTE);
      expect(line.looks).toEqual([]);
      expect(alertsIn(line).filter(({ kind }) => kind === "unwatched")).toEqual([]);
    }
  });

  it("that can't be woken is as unknown as before", () => {
    const line = showing(PASSING, resumed(hibernated(), origin)).until(LATER + MINUTE);
    line.command({ type: "wake.requested" });
    line.fail();
    const saved = savedMs(line);
    line.until(LATER + 30 * MINUTE);
    expect(line.looks.length).toBeGreaterThan(0);
    expect(savedMs(line)).toBe(saved);
  });

  it("says so, and why", () => {
    const line = resumed(hibernated(), origin);
    expect(explain(line.state, line.policy, line.now).because).toContain("nobody knows");
  });

  it("that resumes again and again is told of once", () => {
    const line = showing(REFUSED, resumed(hibernated(), origin));
    for (let time = 1; time <= 3; time++) {
      line.until(LATER + time * HOUR);
      line.apply({ type: "resumed", origin, knownUntil: null });
    }
    line.until(LATER + 30 * DAY);
    expect(alertsIn(line)).toHaveLength(1);
  });

  it("of a suspended user is asked for when the suspension ends", () => {
    const line = hibernated();
    const active = line.policy;
    line.policy = compilePolicy(DEFAULT_POLICY, 1, true);
    showing(REFUSED, resumed(line, origin));
    line.until(LATER + DAY);
    tell(line, { shows: "running" });
    expect(line.looks).toEqual([]);
    expect(line.state.phase.status).toBe("hibernated");
    const former = line.policy;
    line.policy = active;
    line.apply({ type: "policy.changed", former });
    line.until(LATER + DAY + 4 * MINUTE);
    expect(alertsIn(line)).toEqual([]);
    line.until(LATER + DAY + 5 * MINUTE);
    expect(line.looks).toEqual([LATER + DAY + 5 * MINUTE]);
  });
});

describe("a hibernated instance", () => {
  it("counts as asked only once somebody asks", () => {
    const line = resumed(hibernated());
    const { state } = line;
    line.apply({ type: "cleanup" });
    line.apply({ type: "alarm", dueAt: line.now });
    expect(line.state.phase).toEqual(state.phase);
  });

  it("keeps the proof that its provider has shown it", () => {
    const line = resumed(hibernated());
    const sighted = { at: LATER, credentialsSetAt: 7, gpus: 1 };
    const machine = machineOf(line.state.profile);
    line.command({ type: "looked", machine, answer: { shows: "stopped" }, sighted });
    expect(line.state.sighted).toEqual(sighted);
  });

  it("that nobody set back is not looked at, whatever is said of it", () => {
    const line = hibernated();
    const { phase } = line.state;
    tell(line, { shows: "running" });
    line.shows = { shows: "running" };
    line.until(START + 30 * DAY);
    expect(line.looks).toEqual([]);
    expect(line.state.phase).toEqual(phase);
  });
});

describe("an instance that was set back to while it was being hibernated", () => {
  it("is watched as it was before", () => {
    const line = resumed(IN_STATUS.hibernating());
    line.until(LATER + 5 * MINUTE);
    expect(alertsIn(line)).toContainEqual(expect.objectContaining({ kind: "orphaned" }));
  });
});
