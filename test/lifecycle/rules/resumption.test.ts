import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../../../src/lifecycle/decide.ts";
import { breachesOf } from "../../../src/lifecycle/invariants.ts";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import { orphanOf } from "../../../src/lifecycle/model/phase.ts";
import { withoutPast } from "../../../src/lifecycle/rules/resumption.ts";
import { IN_STATUS, silent } from "../statuses.ts";
import { at, START, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;
const MINUTE = 60_000;

type Origin = Extract<InstanceEvent, { type: "resumed" }>["origin"];

/** Its state of then is all that is left, and goes on `later`. */
function setBack(line: Timeline, later: number, origin: Origin = "restore", lastId = 0): Timeline {
  const knownUntil = line.now;
  line.now = later;
  line.armedAt = null;
  line.state = withoutPast(line.state, lastId, later);
  line.effects.length = 0;
  line.apply({ type: "resumed", origin, knownUntil });
  return line;
}

const LATER = START + 12 * DAY;

describe("an instance that was set back", () => {
  it("is not acted upon for the time in between, in any status", () => {
    for (const status of [
      "pending",
      "running",
      "orphaned",
      "hibernating",
      "hibernated",
      "waking",
      "deleting",
    ] as const) {
      const line = setBack(IN_STATUS[status](), LATER);
      line.until(LATER + 29 * MINUTE).command({ type: "cleanup" });
      const steps = line.effects.filter(({ type }) => type === "action" || type === "guard");
      expect(steps, status).toEqual([]);
    }
  });

  it("calls the order under way off, and no order of the past is sent", () => {
    for (const status of ["hibernating", "waking", "deleting"] as const) {
      const before = IN_STATUS[status]();
      const id = before.actionId;
      const line = setBack(before, LATER);
      expect(line.state.phase.status).not.toBe(status);
      expect(line.state.outbox.some(({ effect }) => effect.type === "action")).toBe(false);
      const asked = line.apply({ type: "action.tried", actionId: id });
      expect(asked.state.phase).toEqual(line.state.phase);
    }
  });

  it("counts silence from now on: five minutes later it is an orphan, and half an hour later its provider is asked for", () => {
    const line = setBack(IN_STATUS.running(), LATER);
    line.until(LATER + 5 * MINUTE - 1);
    expect(line.state.phase.status).toBe("running");
    line.until(LATER + 5 * MINUTE);
    expect(orphanOf(line.state.phase)).toMatchObject({ since: LATER + 5 * MINUTE, clockFrom: LATER });
    line.until(LATER + 30 * MINUTE);
    expect(line.effects.at(-1)).toEqual({ type: "guard", step: "hibernate" });
  });

  it("is deleted for its silence a full week after it was set back, and no sooner", () => {
    const line = setBack(silent().succeed(), LATER);
    const asked = () =>
      line.effects.filter((effect) => effect.type === "guard" && effect.step === "delete").length;
    line.until(LATER + 7 * DAY - 1).command({ type: "cleanup" });
    expect(asked()).toBe(0);
    line.until(LATER + 7 * DAY).command({ type: "cleanup" });
    expect(asked()).toBe(1);
  });

  it("uses no id again that may have been used since", () => {
    const before = IN_STATUS.running();
    expect(setBack(IN_STATUS.running(), LATER).state.nextEffectId).toBeGreaterThan(LATER);
    expect(setBack(before, LATER, "restore", LATER + 10 * DAY).state.nextEffectId).toBeGreaterThan(
      LATER + 10 * DAY,
    );
  });

  it("has saved for no longer than it is known to have been hibernated, and missed nothing meanwhile", () => {
    const before = silent().succeed();
    const { phase } = before.state;
    if (phase.status !== "hibernated") throw new Error("it is not hibernated");
    const { unsavedFrom } = phase;
    before.until(unsavedFrom + 60 * MINUTE);
    const saved = before.state.counters.saved.totalMs;
    const line = setBack(before, LATER);
    expect(line.state.counters.saved.totalMs).toBe(saved + 60 * MINUTE);
    expect(line.state.phase).toMatchObject({ status: "hibernated", unsavedFrom: LATER });
    const missed = IN_STATUS.running().state.counters.missed;
    expect(setBack(IN_STATUS.running(), LATER).state.counters).toMatchObject({ missed, gapFrom: LATER });
  });

  it("goes on with the next heartbeat as if nothing had been", () => {
    for (const status of ["running", "orphaned", "hibernating"] as const) {
      const line = setBack(IN_STATUS[status](), LATER);
      line.until(LATER + MINUTE).heartbeat();
      expect(line.state.phase, status).toEqual({ status: "running", idle: null });
    }
  });
});

describe("an instance that was brought from an export", () => {
  it("counts as silent only once it has been heard here: the original may go on elsewhere", () => {
    for (const status of ["running", "orphaned", "hibernating", "waking"] as const) {
      const line = setBack(IN_STATUS[status](), LATER, "import");
      expect(line.state.phase, status).toEqual({
        status: "pending",
        unheard: { because: "imported", from: LATER },
      });
      line.until(LATER + 30 * DAY).command({ type: "cleanup" });
      expect(line.effects.filter(({ type }) => type === "action" || type === "guard")).toEqual([]);
      line.heartbeat();
      line.until(line.now + 30 * MINUTE);
      expect(line.effects.at(-1)).toEqual({ type: "guard", step: "hibernate" });
    }
  });

  it("stays hibernated, and is not deleted for a silence before", () => {
    for (const status of ["hibernated", "deleting"] as const) {
      const line = setBack(IN_STATUS[status](), LATER, "import");
      expect(line.state.phase).toMatchObject({ status: "hibernated", orphan: null });
      line.until(LATER + 30 * DAY).command({ type: "cleanup" });
      expect(line.effects.filter(({ type }) => type === "action" || type === "guard")).toEqual([]);
    }
  });

  it("stays deleted", () => {
    expect(setBack(IN_STATUS.deleted(), LATER, "import").state.phase.status).toBe("deleted");
  });
});

describe("an alarm that comes far too late, as after a restore that nobody told of", () => {
  it("takes no step from silence at once", () => {
    const line = IN_STATUS.orphaned();
    const decision = decide(line.state, { type: "alarm", dueAt: at("30:00") }, line.policy, LATER);
    expect(decision.effects.filter(({ effect }) => effect.type === "guard")).toEqual([]);
    expect(breachesOf(line.state, decision.state, LATER)).toEqual([]);
    expect(orphanOf(decision.state.phase)).toMatchObject({ step: "orphaned", clockFrom: LATER });
  });
});

describe("a random life", () => {
  const RUNS = Number(process.env.PROPERTY_RUNS ?? 300);

  /** What may have happened before. What a status does not allow is refused, and changes nothing. */
  const happening = fc.oneof(
    fc.constantFrom<(line: Timeline) => void>(
      (line) => line.heartbeat({ gpu_utilization: 2 }),
      (line) => line.heartbeat(),
      (line) => line.permit(),
      (line) => line.defer(),
      (line) => line.accept(),
      (line) => line.succeed(),
      (line) => line.fail(),
      (line) => line.command({ type: "keep_alive", durationMs: 60 * MINUTE }),
      (line) => line.command({ type: "hibernate.requested" }),
      (line) => line.command({ type: "wake.requested" }),
      (line) => line.command({ type: "cleanup" }),
    ),
    fc
      .integer({ min: 1, max: 40 })
      .map((minutes) => (line: Timeline) => line.until(line.now + minutes * MINUTE)),
    fc.integer({ min: 1, max: 4 }).map((days) => (line: Timeline) => line.until(line.now + days * DAY)),
    fc
      .integer({ min: 3, max: 9 })
      .map(
        (minutes) => (line: Timeline) => line.beatUntil(line.now + minutes * MINUTE, { gpu_utilization: 2 }),
      ),
  );
  const life = fc.array(happening, { maxLength: 30 });
  const gap = fc.integer({ min: 0, max: 20 * DAY });

  const ordered = (line: Timeline) =>
    line.effects.filter(({ type }) => type === "action" || type === "guard");

  it("that is set back, however late, breaks nothing and orders nothing for the half hour of its first step", () => {
    fc.assert(
      fc.property(life, gap, fc.constantFrom<Origin>("restore", "import"), (happenings, later, origin) => {
        const line = new Timeline();
        for (const happen of happenings) happen(line);
        line.drain();
        const { nextEffectId } = line.state;
        const moment = line.now + later;
        setBack(line, moment, origin);
        expect(line.state.outbox.every(({ id }) => id >= Math.max(nextEffectId, moment))).toBe(true);
        line.until(moment + 30 * MINUTE - 1).command({ type: "cleanup" });
        expect(ordered(line)).toEqual([]);
        if (origin === "import") {
          line.until(moment + 30 * DAY).command({ type: "cleanup" });
          expect(ordered(line)).toEqual([]);
        }
        line.heartbeat();
        expect(["running", "hibernated"]).toContain(line.state.phase.status);
      }),
      { numRuns: RUNS },
    );
  });

  it("whose alarm comes a day late or more, as after a restore that nobody told of, orders nothing at once", () => {
    fc.assert(
      fc.property(life, gap, (happenings, later) => {
        const line = new Timeline();
        for (const happen of happenings) happen(line);
        line.drain();
        line.effects.length = 0;
        const dueAt = line.armedAt;
        if (dueAt === null) return;
        line.now = Math.max(line.now, dueAt) + DAY + later;
        line.apply({ type: "alarm", dueAt });
        line.drain();
        expect(ordered(line)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
