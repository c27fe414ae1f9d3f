import { describe, expect, it } from "vitest";
import { LONGEST_REPORT_BACKOFF_MS } from "../../../src/fleet/report.ts";
import { outageRules } from "../../../src/fleet/rules/outage-guard.ts";
import {
  awaitOthers,
  awaitReports,
  haveAllReported,
  noteContact,
  start,
} from "../../../src/fleet/rules/settling.ts";
import { type FleetState, newFleet } from "../../../src/fleet/rules/state.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOW = 1_000 * 60 * MINUTE;
const RULES = outageRules({}, 0, 1);
const BACKOFF = LONGEST_REPORT_BACKOFF_MS;
const SILENCE = { reportedAt: NOW, lateReportAt: null };

/** The fleet's alarm fires in time from `from` on. */
function inContact(state: FleetState, from: number, until: number): FleetState {
  let next = state;
  for (let at = from; at <= until; at += MINUTE) next = noteContact(next, at);
  return next;
}

describe("a step", () => {
  it("waits until its silence has been known for the longest time between two tries of a report", () => {
    const state = awaitReports(newFleet(), RULES, NOW);
    expect(haveAllReported(state, SILENCE, RULES, NOW)).toBe(false);
    expect(haveAllReported(state, SILENCE, RULES, NOW + BACKOFF - 1)).toBe(false);
    expect(haveAllReported(state, SILENCE, RULES, NOW + BACKOFF)).toBe(true);
  });

  it("waits as long in the time of a simulation", () => {
    const fast = outageRules({}, 0, 60);
    expect(haveAllReported(newFleet(), SILENCE, fast, NOW + BACKOFF / 60 - 1)).toBe(false);
    expect(haveAllReported(newFleet(), SILENCE, fast, NOW + BACKOFF / 60)).toBe(true);
  });

  it("of an ordinary ladder does not wait: it is asked for long after the silence was reported", () => {
    const state = inContact(awaitReports(newFleet(), RULES, NOW), NOW + MINUTE, NOW + 25 * MINUTE);
    expect(haveAllReported(state, SILENCE, RULES, NOW + 25 * MINUTE)).toBe(true);
  });

  it("waits anew after the fleet was down, though its silence is known for long", () => {
    const silent = inContact(awaitReports(newFleet(), RULES, NOW), NOW + MINUTE, NOW + 8 * MINUTE);
    const back = NOW + 40 * MINUTE;
    const state = start(silent, RULES, back);
    expect(haveAllReported(state, SILENCE, RULES, back)).toBe(false);
    expect(haveAllReported(state, SILENCE, RULES, back + BACKOFF - 1)).toBe(false);
    expect(haveAllReported(state, SILENCE, RULES, back + BACKOFF)).toBe(true);
  });
});

describe("a step after somebody who fell silent with it reported late", () => {
  it("waits until the others have had the time to", () => {
    const late = { reportedAt: NOW, lateReportAt: NOW + 30 * MINUTE };
    expect(haveAllReported(newFleet(), late, RULES, NOW + 30 * MINUTE + BACKOFF - 1)).toBe(false);
    expect(haveAllReported(newFleet(), late, RULES, NOW + 30 * MINUTE + BACKOFF)).toBe(true);
  });
});

describe("a step of a fleet that is out of reach again and again", () => {
  it("waits no longer than the outage guard could hold it", () => {
    const { maxHoldMs } = RULES.user;
    const at = NOW + maxHoldMs + BACKOFF;
    const late = { ...SILENCE, lateReportAt: at - 1 };
    for (const state of [newFleet(), { ...newFleet(), reachableSince: at - 1 }]) {
      expect(haveAllReported(state, late, RULES, at - 1)).toBe(false);
      expect(haveAllReported(state, late, RULES, at)).toBe(true);
    }
  });
});

describe("a fleet that listens", () => {
  it("is woken every minute, by whatever it hears, and until all of the outage have reported", () => {
    const from = awaitReports(newFleet(), RULES, NOW);
    expect(from.due.awaiting?.at).toBe(NOW + MINUTE);
    expect(noteContact(from, NOW + 59 * SECOND)).toBe(from);
    expect(noteContact(from, NOW + 61 * SECOND).due.awaiting?.at).toBe(NOW + 121 * SECOND);
    const window = 10 * MINUTE;
    expect(inContact(from, NOW + MINUTE, NOW + window + BACKOFF).due.awaiting).not.toBeNull();
    expect(inContact(from, NOW + MINUTE, NOW + window + BACKOFF + 3 * MINUTE).due.awaiting).toBeNull();
  });

  it("listens for as long as the user's own window, and longer after it was down", () => {
    const hour = outageRules({ guard: { window_seconds: 3600 } }, 0, 1);
    expect(awaitReports(newFleet(), hour, NOW).due.awaiting?.until).toBeGreaterThan(
      NOW + 60 * MINUTE + BACKOFF,
    );
    const back = NOW + 5 * 60 * MINUTE;
    const state = start(awaitReports(newFleet(), RULES, NOW), RULES, back);
    expect(state.due.awaiting).toEqual({ at: back + MINUTE, until: back + BACKOFF });
  });

  it("was down when it starts more than a minute after its alarm was due, and not before", () => {
    const from = awaitReports(newFleet(), RULES, NOW);
    expect(start(from, RULES, NOW + 2 * MINUTE)).toBe(from);
    expect(start(from, RULES, NOW + 2 * MINUTE + 1).reachableSince).toBe(NOW + 2 * MINUTE + 1);
    // Nobody missed it.
    expect(start(newFleet(), RULES, NOW)).toEqual(newFleet());
  });

  it("is woken every minute after it was out of reach for somebody, until the others have reported", () => {
    const state = awaitOthers(newFleet(), RULES, NOW);
    expect(state.due.awaiting).toEqual({ at: NOW + MINUTE, until: NOW + BACKOFF });
  });

  it("is woken for another silence no later than before", () => {
    const from = awaitReports(newFleet(), RULES, NOW);
    const again = awaitReports(from, RULES, NOW + 30 * SECOND);
    expect(again.due.awaiting?.at).toBe(NOW + MINUTE);
    expect(again.due.awaiting?.until).toBe((from.due.awaiting?.until ?? 0) + 30 * SECOND);
  });
});
