import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Decision } from "../../../src/lifecycle/decide.ts";
import type { InstanceEvent } from "../../../src/lifecycle/model/instance-event.ts";
import { costsInAll } from "../../../src/lifecycle/model/ledger.ts";
import { learntHourlyCost } from "../../../src/lifecycle/model/ledger-report.ts";
import { hibernationOf } from "../../../src/lifecycle/model/phase.ts";
import { type InstanceState, machineOf } from "../../../src/lifecycle/model/state.ts";
import { ledgerAt } from "../../../src/lifecycle/rules/costs.ts";
import { metricsSample } from "../../../src/lifecycle/views/metrics-sample.ts";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { at, START, Timeline } from "../timeline.ts";

/** What hibernation saves: the ledger decides, and the counters, the views and the metrics say the same. */

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Segment {
  readonly from: number;
  readonly until: number;
  readonly perHour: number;
}

/** A life that notes beside it what each moment saves, knowing nothing of ledgers. */
class Recounted extends Timeline {
  readonly saved: Segment[] = [];
  /** Since what was last saved: what is found out later may cut it short. */
  #pending: Segment[] = [];
  #appliedAt = START;

  override apply(event: InstanceEvent): Decision {
    // A timeline registers itself, before there is anything to note.
    if (!(#pending in this)) return super.apply(event);
    const before = this.state;
    this.#pass(before, this.now);
    const decision = super.apply(event);
    if (decision.state === before) return decision;
    const doubted = doubtedBy(event, before, decision.state);
    for (const segment of this.#pending) {
      const until = Math.min(segment.until, doubted);
      if (until > segment.from) this.saved.push({ ...segment, until });
    }
    this.#pending = [];
    return decision;
  }

  #pass({ phase, profile, listedHourlyCost, stoppedHourlyCost, ledger }: InstanceState, until: number): void {
    const from = this.#appliedAt;
    this.#appliedAt = Math.max(from, until);
    const hibernated = hibernationOf(phase);
    if (hibernated === null || hibernated.openLook !== undefined || until <= from) return;
    const price =
      profile.hourlyCost ?? listedHourlyCost ?? (ledger === undefined ? null : learntHourlyCost(ledger));
    const asleep = profile.hibernatedHourlyCost ?? stoppedHourlyCost ?? 0;
    this.#pending.push({ from, until, perHour: price === null ? 0 : Math.max(0, price - asleep) });
  }

  /** Dollars and time since `since`. */
  recount(since: number): { readonly dollars: number; readonly ms: number } {
    this.#pass(this.state, this.now);
    let [dollars, ms] = [0, 0];
    for (const { from, until, perHour } of [...this.saved, ...this.#pending]) {
      const length = Math.max(0, until - Math.max(from, since));
      dollars += (length / HOUR) * perHour;
      ms += length;
    }
    return { dollars, ms };
  }
}

/** From when on what the event says leaves it open whether its machine was hibernated. */
function doubtedBy(event: InstanceEvent, before: InstanceState, after: InstanceState): number {
  const isFound = hibernationOf(before.phase) !== null && after.phase.status === "pending";
  switch (event.type) {
    case "resumed":
      return event.knownUntil ?? 0;
    case "machine.listed":
      return isFound ? (event.stoppedUntil ?? 0) : Number.POSITIVE_INFINITY;
    case "machine.vanished":
      return hibernationOf(after.phase)?.openLook !== hibernationOf(before.phase)?.openLook
        ? event.seenAt
        : Number.POSITIVE_INFINITY;
    case "action.found_running":
      return isFound && before.phase.status === "deleting"
        ? before.phase.action.orderedAt
        : Number.POSITIVE_INFINITY;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

const price = fc.constantFrom(null, 0, 0.02, 0.4, 3);
const ago = fc.integer({ min: 0, max: 2 * HOUR });

const step: fc.Arbitrary<(line: Recounted) => void> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .oneof(fc.integer({ min: 1, max: HOUR }), fc.integer({ min: 1, max: 20 * DAY }))
      .map((ms) => (line: Recounted) => void line.until(line.now + ms)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.option(fc.integer({ min: 0, max: 300 })), fc.nat(90)).map(
      ([cents, percent]) =>
        (line: Recounted) =>
          void line.heartbeat({
            gpu_utilization: percent,
            uptime_seconds: 3600,
            cost_accumulated: cents === null ? null : cents / 100,
          }),
    ),
  },
  { weight: 4, arbitrary: fc.constant((line: Recounted) => void hibernate(line)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("succeeds", "fails", "may start", "waits")
      .map((end) => (line: Recounted) => wake(line, end)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ hourlyCost: price, hibernatedHourlyCost: price })
      .map((changes) => (line: Recounted) => void line.command({ type: "changed", changes, sighted: null })),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({
        shown: fc.constantFrom("running" as const, "stopped" as const, null),
        hourlyCost: price,
        listed: ago,
        stopped: fc.option(ago),
      })
      .map(({ shown, hourlyCost, listed, stopped }) => (line: Recounted) => {
        const sighted = { at: line.now - listed, credentialsSetAt: 1, gpus: null };
        const stoppedUntil = stopped === null ? null : line.now - listed - stopped;
        line.command({ type: "machine.listed", shown, stoppedUntil, hourlyCost, sighted });
      }),
  },
  {
    weight: 1,
    arbitrary: ago.map((ms) => (line: Recounted) => {
      const listedAt = line.now - Math.floor(ms / 4);
      line.command({ type: "machine.vanished", listedAt, seenAt: listedAt - ms, credentialsSetAt: 1 });
    }),
  },
  {
    weight: 1,
    arbitrary: fc.option(ago).map((ms) => (line: Recounted) => {
      const knownUntil = ms === null ? null : line.now - ms;
      line.command({ type: "resumed", origin: "restore", knownUntil });
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("running" as const, "stopped" as const, "gone" as const)
      .map((shows) => (line: Recounted) => {
        const answer = shows === "stopped" ? { shows, hourlyCost: 0.03 } : { shows };
        line.command({ type: "looked", machine: machineOf(line.state.profile), answer, sighted: null });
      }),
  },
  { weight: 2, arbitrary: fc.constant((line: Recounted) => void line.command({ type: "token.rotated" })) },
  { weight: 1, arbitrary: fc.constant(remove) },
);

function hibernate(line: Timeline): void {
  line.command({ type: "hibernate.requested" });
  line.succeed();
}

function wake(line: Timeline, end: string): void {
  line.command({ type: "wake.requested" });
  if (line.state.phase.status !== "waking" || end === "waits") return;
  if (end === "succeeds") line.succeed();
  if (end === "fails") line.fail();
  if (end !== "may start") return;
  const { actionId } = line;
  line.command({ type: "action.tried", actionId });
  line.command({ type: "action.failed", actionId, because: "503", notCancelled: "it did not answer" });
}

/** A silent one is on its way to be deleted, and found running. */
function remove(line: Timeline): void {
  line.until(line.now + 5 * MINUTE);
  line.permit();
  line.succeed();
  line.until(line.now + 8 * DAY);
  line.command({ type: "cleanup" });
  line.permit();
  line.until(line.now + 20 * MINUTE);
  if (line.state.phase.status !== "deleting") return;
  line.command({ type: "action.found_running", actionId: line.actionId });
}

const startOfMonth = (moment: number) => {
  const date = new Date(moment);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
};

describe("what is saved", () => {
  it("is the same in the ledger, the counters, the views and the metrics, and by a recount, in all and this month", () => {
    let savedInAll = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const line = new Recounted({ overrides: { idle: { enabled: false } } });
        line.heartbeat();
        for (const live of steps) {
          live(line);
          const [inAll, thisMonth] = [line.recount(0), line.recount(startOfMonth(line.now))];
          const view = savingsView(line.state, line.now);
          expect(costsInAll(ledgerAt(line.state, line.now)).saved).toBeCloseTo(inAll.dollars, 6);
          expect(view.saved_total).toBeCloseTo(inAll.dollars, 3);
          expect(view.saved_this_month).toBeCloseTo(thisMonth.dollars, 3);
          expect(view.hibernated_seconds_total).toBe(Math.round(inAll.ms / 1000));
          expect(view.hibernated_seconds_this_month).toBe(Math.round(thisMonth.ms / 1000));
          expect(metricsSample("rig", line.state, line.policy, line.now).savedDollars).toBe(view.saved_total);
          const { totalDollars } = line.state.counters.saved;
          expect(costsInAll(line.state.ledger ?? ledgerAt(line.state, line.now)).saved).toBeCloseTo(
            totalDollars,
            6,
          );
        }
        savedInAll += line.recount(0).dollars;
      }),
      { numRuns: RUNS },
    );
    expect(savedInAll).toBeGreaterThan(RUNS);
  });

  it("is split where a month ends, however long nothing has happened", () => {
    const line = new Timeline();
    line.heartbeat();
    hibernate(line);
    line.until(Date.UTC(2026, 1, 3, 12)).command({ type: "token.rotated" });
    expect(line.state.counters.saved).toMatchObject({
      monthStart: Date.UTC(2026, 1, 1),
      monthMs: 2.5 * DAY,
      monthDollars: expect.closeTo(2.5 * 24 * 0.39, 9),
    });
    expect(line.state.counters.saved.totalDollars).toBeCloseTo(
      costsInAll(ledgerAt(line.state, line.now)).saved,
      9,
    );
  });

  it("is counted by a price that was learnt, too", () => {
    const line = new Timeline({ provider: "webhook", profile: { hourlyCost: null } });
    line
      .until(at("2:00:00"))
      .heartbeat({ gpu_utilization: 87, cost_accumulated: 2.02, uptime_seconds: 7200 });
    hibernate(line);
    line.until(at("12:00:00"));
    expect(savingsView(line.state, line.now).saved_total).toBe(10);
  });

  it("is nothing while a machine is being woken: it may run at any moment", () => {
    const line = new Timeline();
    line.heartbeat();
    hibernate(line);
    line.until(at("1:00:00")).command({ type: "wake.requested" });
    line.until(at("3:00:00")).fail();
    expect(savingsView(line.state, line.now)).toMatchObject({
      saved_total: 0.39,
      hibernated_seconds_total: 3600,
    });
    expect(costsInAll(ledgerAt(line.state, line.now)).saved).toBeCloseTo(0.39, 9);
    line.until(at("4:00:00"));
    expect(savingsView(line.state, line.now).saved_total).toBe(0.78);
  });
});

describe("a row of the former release", () => {
  /** As that wrote it: no ledger, and what is not in its counters begins where the phase says. */
  function formerRow(): Timeline {
    const line = new Timeline();
    line.heartbeat();
    hibernate(line);
    const { phase, counters } = line.state;
    if (phase.status !== "hibernated") throw new Error("it is hibernated");
    const saved = {
      ...counters.saved,
      totalMs: 100 * HOUR,
      totalDollars: 39,
      monthStart: Date.UTC(2025, 11, 1),
    };
    line.state = { ...line.state, ledger: undefined, counters: { ...counters, saved } };
    return line.until(at("10:00:00"));
  }

  it("loses nothing of what was saved, before or since it was last counted", () => {
    const line = formerRow();
    expect(savingsView(line.state, line.now).saved_total).toBe(42.9);
    line.command({ type: "token.rotated" });
    expect(savingsView(line.state, line.now).saved_total).toBe(42.9);
    expect(line.state.counters.saved).toMatchObject({
      totalMs: 110 * HOUR,
      totalDollars: expect.closeTo(42.9, 9),
    });
    line.until(at("11:00:00")).heartbeat();
    expect(savingsView(line.state, line.now).saved_total).toBe(43.29);
  });

  it("can be gone back to without counting anything twice: it goes by the phase", () => {
    const line = new Timeline();
    line.heartbeat();
    hibernate(line);
    for (const clock of ["1:00:00", "5:00:00"]) line.until(at(clock)).command({ type: "token.rotated" });
    expect(line.state.phase).toMatchObject({ unsavedFrom: line.now });
    expect(line.state.counters.saved.totalDollars).toBeCloseTo(5 * 0.39, 9);
    const doubted = line.until(at("9:00:00"));
    doubted.command({ type: "resumed", origin: "restore", knownUntil: at("8:00:00") });
    expect(line.state.phase).toMatchObject({ unsavedFrom: line.now });
    expect(line.state.counters.saved.totalDollars).toBeCloseTo(8 * 0.39, 9);
  });
});
