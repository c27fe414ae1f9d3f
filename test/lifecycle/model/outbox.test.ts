import { describe, expect, it } from "vitest";
import { waitingHeartbeats } from "../../../src/lifecycle/model/outbox.ts";
import { at, Timeline } from "../timeline.ts";

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const BUSY = { gpu_utilization: 90 };

/** Beats once an hour from `from` up to and including `to`, while nothing can be delivered. */
function beatUndelivered(line: Timeline, from: number, to: number): void {
  for (let hour = from; hour <= to; hour++) {
    line.now = at("0:00") + hour * HOUR;
    line.apply({ type: "heartbeat", report: BUSY });
  }
}

function hourly(): Timeline {
  return new Timeline({
    overrides: { heartbeat_interval_seconds: 3600, orphan: { orphan_after_seconds: 10_800 } },
  });
}

describe("a history that is out of reach", () => {
  it("has everything wait, however long: what is given up is none of the lifecycle's business", () => {
    const line = hourly();
    // Chunks: each heartbeat alone, since it is an hour old when the next one comes.
    beatUndelivered(line, 0, 30 * 24);
    expect(waitingHeartbeats(line.state).map((heartbeat) => heartbeat.sequence)).toEqual(
      Array.from({ length: 30 * 24 + 1 }, (_, index) => index + 1),
    );
  });
});

describe("heartbeats", () => {
  const sizes = (line: Timeline) =>
    line.effects.flatMap((effect) => (effect.type === "chunk" ? [effect.heartbeats.length] : []));

  it("travel thirty by thirty, each once and in order, by the heartbeat after", () => {
    const line = new Timeline().beatUntil(at("1:30:00"), BUSY);
    // The first is a transition and goes at once.
    expect(sizes(line)).toEqual([1, 30, 30]);
    expect(waitingHeartbeats(line.state)).toHaveLength(30);
    line.until(at("1:31:00")).heartbeat(BUSY);
    expect(sizes(line)).toEqual([1, 30, 30, 30]);
    expect(
      line.effects
        .flatMap((effect) => (effect.type === "chunk" ? effect.heartbeats : []))
        .map((one) => one.at),
    ).toEqual(Array.from({ length: 91 }, (_, minute) => at("0:00") + minute * 60_000));
    expect(waitingHeartbeats(line.state).map((one) => one.at)).toEqual([at("1:31:00")]);
  });

  it("that wait travel at a transition, and an hour after the oldest of them at the latest", () => {
    const moved = new Timeline().beatUntil(at("3:00"), BUSY);
    expect(sizes(moved)).toEqual([1]);
    expect(waitingHeartbeats(moved.state).map((one) => one.sequence)).toEqual([2, 3, 4]);
    moved.until(at("8:00"));
    expect(moved.view.status).toBe("orphaned");
    expect(sizes(moved)).toEqual([1, 3]);

    const slow = new Timeline({ overrides: { orphan: { enabled: false } } }).beatUntil(at("1:00"), BUSY);
    expect(slow.armedAt).toBe(at("1:01:00"));
    slow.until(at("1:00:59.999"));
    expect(sizes(slow)).toEqual([1]);
    slow.until(at("1:01:00"));
    expect(sizes(slow)).toEqual([1, 1]);
    expect(slow.armedAt).toBeNull();
  });

  it("of more than an hour are never one chunk", () => {
    const line = hourly();
    line.policy = { ...line.policy, orphan: { ...line.policy.orphan, enabled: false } };
    for (const clock of ["0:00", "30:00", "1:29:59", "1:30:00", "1:30:01"]) {
      line.now = at(clock);
      line.apply({ type: "heartbeat", report: BUSY });
    }
    line.drain();
    const spans = line.effects.flatMap((effect) =>
      effect.type === "chunk" ? [effect.heartbeats.map((one) => (one.at - at("0:00")) / 60_000)] : [],
    );
    expect(spans[0]).toEqual([0]);
    expect(spans[1]?.at(0)).toBe(30);
    for (const span of spans) expect((span.at(-1) ?? 0) - (span[0] ?? 0)).toBeLessThanOrEqual(60);
  });

  it("that show no change move the registry's row not at all, and a change once", () => {
    const line = new Timeline();
    line.drain();
    const projections = () => line.effects.filter((effect) => effect.type === "projection").length;
    expect(projections()).toBe(1);
    line.heartbeat(BUSY);
    expect(projections()).toBe(2);
    line.beatUntil(at("4:00"), BUSY);
    expect(projections()).toBe(2);
    line.command({ type: "changed", changes: { name: "Rig 2" }, sighted: null });
    expect(projections()).toBe(3);
    line.until(at("9:00"));
    expect(projections()).toBe(4);
  });

  it("and all else that waits when the instance is taken out go first", () => {
    const line = new Timeline().beatUntil(at("3:00"), BUSY);
    const before = line.effects.length;
    line.command({ type: "removed" });
    expect(line.effects.slice(before).map((effect) => effect.type)).toEqual(["chunk", "forget"]);
  });
});

describe("the registry's row", () => {
  it("is brought up to date once, however often it changed while nothing could be delivered", () => {
    const line = new Timeline();
    line.apply({ type: "heartbeat", report: BUSY });
    line.now = at("0:00") + DAY;
    line.apply({ type: "alarm", dueAt: line.now });
    expect(line.state.outbox.filter(({ effect }) => effect.type === "projection")).toHaveLength(1);
    // It goes after all that it speaks of.
    const ids = line.state.outbox.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
