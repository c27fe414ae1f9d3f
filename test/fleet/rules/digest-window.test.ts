import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addAlert,
  closeWindow,
  type DigestWindow,
  dueDigests,
  mendWindow,
  NOTHING_TO_TELL,
  type Urgency,
  urgencyOf,
} from "../../../src/fleet/rules/digest-window.ts";
import type { Severity } from "../../../src/lifecycle/model/history-event.ts";

const SECOND = 1_000;
const WINDOW = 30 * SECOND;
const STILL_COMING = 10 * SECOND;
const LONGEST = WINDOW + 75 * SECOND;

interface AlertAt {
  readonly severity: Severity;
  readonly at: number;
}

interface Told {
  readonly urgency: Urgency;
  readonly at: number;
  readonly alerts: readonly AlertAt[];
}

function nextOf({ criticalAt, ordinary }: DigestWindow): number {
  return Math.min(criticalAt ?? Number.POSITIVE_INFINITY, ordinary?.at ?? Number.POSITIVE_INFINITY);
}

/** Lets the alerts come, each at its time, and tells whatever is due as soon as it is. */
function tell(alerts: readonly AlertAt[]): Told[] {
  const told: Told[] = [];
  let window = NOTHING_TO_TELL;
  let waiting: readonly AlertAt[] = [];
  const passUntil = (moment: number) => {
    for (let at = nextOf(window); at <= moment && Number.isFinite(at); at = nextOf(window)) {
      for (const urgency of dueDigests(window, at)) {
        told.push({ urgency, at, alerts: waiting.filter((each) => urgencyOf(each.severity) === urgency) });
        waiting = waiting.filter((each) => urgencyOf(each.severity) !== urgency);
        window = closeWindow(window, urgency, at);
      }
    }
  };
  for (const alert of alerts) {
    // What is due at the moment at which an alert comes may be told before it or with it.
    passUntil(alert.at - 1);
    window = addAlert(window, alert.severity, alert.at);
    waiting = [...waiting, alert];
  }
  passUntil(Number.MAX_SAFE_INTEGER);
  return told;
}

const at = (severity: Severity, ...seconds: number[]): AlertAt[] =>
  seconds.map((second) => ({ severity, at: second * SECOND }));

const moments = (told: readonly Told[]) => told.map(({ at, alerts }) => [at / SECOND, alerts.length]);

describe("critical alerts", () => {
  it("are told at once, and those that follow within the window together at its end", () => {
    expect(moments(tell(at("critical", 0, 1, 29, 31)))).toEqual([
      [0, 1],
      [30, 2],
      [60, 1],
    ]);
    expect(moments(tell(at("critical", 0, 30, 100)))).toEqual([
      [0, 1],
      [30, 1],
      [100, 1],
    ]);
  });

  it("do not wait for the others, nor take them along", () => {
    const told = tell([...at("warning", 0), ...at("critical", 5), ...at("info", 6)]);
    expect(told.map(({ urgency, at }) => [urgency, at / SECOND])).toEqual([
      ["critical", 5],
      ["ordinary", 30],
    ]);
  });
});

describe("the other alerts", () => {
  it.each([
    ["alone", [0], [[30, 1]]],
    ["early ones do not make it longer", [0, 5, 20], [[30, 3]]],
    ["one that just came makes it wait for more", [0, 25], [[35, 2]]],
    [
      "they pour in",
      Array.from({ length: 150 }, (_, second) => second),
      [
        [105, 106],
        [149 + 10, 44],
      ],
    ],
    [
      "one after the other has its own window",
      [0, 31],
      [
        [30, 1],
        [61, 1],
      ],
    ],
  ])("%s", (_, seconds, expected) => {
    expect(moments(tell(at("info", ...seconds)))).toEqual(expected);
  });

  it("are due at once when the alarm comes far too late", () => {
    const window = addAlert(addAlert(NOTHING_TO_TELL, "info", 0), "info", LONGEST + WINDOW);
    expect(dueDigests(window, LONGEST + WINDOW)).toEqual(["ordinary"]);
  });
});

describe("every alert", () => {
  const alerts = fc
    .array(
      fc.record({
        severity: fc.constantFrom<Severity>("info", "warning", "critical"),
        after: fc.integer({ min: 0, max: 40 * SECOND }),
      }),
      { maxLength: 60 },
    )
    .map((gaps) => {
      let now = 0;
      return gaps.map(({ severity, after }): AlertAt => {
        now += after;
        return { severity, at: now };
      });
    });

  it("is told once, none earlier than allowed nor later than its bound", () => {
    fc.assert(
      fc.property(alerts, (some) => {
        const told = tell(some);
        expect(told.flatMap((each) => each.alerts).length).toBe(some.length);
        let lastCritical = Number.NEGATIVE_INFINITY;
        for (const { urgency, at, alerts } of told) {
          const times = alerts.map((each) => each.at);
          const [first, last] = [Math.min(...times), Math.max(...times)];
          expect(times.length).toBeGreaterThan(0);
          if (urgency === "critical") {
            expect(at).toBe(Math.max(first, lastCritical + WINDOW));
            lastCritical = at;
          } else {
            expect(at).toBeGreaterThanOrEqual(first + WINDOW);
            expect(at).toBeGreaterThanOrEqual(Math.min(last + STILL_COMING, first + LONGEST));
            expect(at).toBeLessThanOrEqual(
              Math.min(Math.max(first + WINDOW, last + STILL_COMING), first + LONGEST),
            );
          }
        }
      }),
    );
  });
});

describe("a window for what waits", () => {
  const NOW = Date.UTC(2030, 0, 7);
  const LATE = 300 * SECOND;
  const ONE_OF_EACH = { critical: 1, ordinary: 1 };
  const mended = (window: DigestWindow, pending = ONE_OF_EACH) => mendWindow(window, pending, NOW, LATE);
  const full: DigestWindow = {
    criticalAt: NOW + WINDOW,
    quietUntil: NOW + WINDOW,
    ordinary: { at: NOW + LONGEST, latestAt: NOW + LONGEST },
  };

  it("is left as it is when it is as it must be", () => {
    expect(mended(full)).toEqual({ window: full, late: 0 });
    expect(mended(full).window).toBe(full);
    expect(mended(NOTHING_TO_TELL, { critical: 0, ordinary: 0 })).toEqual({
      window: NOTHING_TO_TELL,
      late: 0,
    });
  });

  it("is made where there is none, and brought near where the clock was set back", () => {
    const atOnce = { criticalAt: NOW, quietUntil: null, ordinary: { at: NOW, latestAt: NOW } };
    expect(mended(NOTHING_TO_TELL, { critical: 3, ordinary: 4 })).toEqual({ window: atOnce, late: 7 });
    const far = { at: NOW + LONGEST + 1, latestAt: NOW + LONGEST + 1 };
    expect(mended({ criticalAt: NOW + WINDOW + 1, quietUntil: null, ordinary: far })).toEqual({
      window: atOnce,
      late: 2,
    });
    const quiet = { ...full, quietUntil: NOW + WINDOW + 1 };
    expect(mended(quiet)).toEqual({ window: full, late: 0 });
  });

  it("that was missed for minutes is counted, and due as it is", () => {
    const missed = { criticalAt: NOW - LATE - 1, quietUntil: null, ordinary: null };
    expect(mended(missed, { critical: 5, ordinary: 0 })).toEqual({ window: missed, late: 5 });
    const soon = { ...missed, criticalAt: NOW - LATE };
    expect(mended(soon, { critical: 5, ordinary: 0 }).late).toBe(0);
  });
});
