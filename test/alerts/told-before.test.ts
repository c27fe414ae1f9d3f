import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EarlierEvent, withoutOutage, withoutRepeats } from "../../src/alerts/told-before.ts";
import { alert, START } from "./alert.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("a mass outage", () => {
  const outage = { silentFrom: START, closedAt: START + MINUTE, openedAt: null };

  it("is told by its guard alone while it lasts", () => {
    const alerts = [
      alert("orphaned", 1, { at: START + 1000 }),
      alert("silent", 2, { at: START + 30 * MINUTE }),
      alert("guard_closed", 3, { instanceId: "", severity: "critical" }),
      alert("idle", 4),
      alert("orphaned", 5, { at: START - HOUR }),
    ];
    expect(withoutOutage(alerts, outage).map((each) => each.kind)).toEqual([
      "guard_closed",
      "idle",
      "orphaned",
    ]);
  });

  it("that is over leaves out who came back from it, and nobody who falls silent later", () => {
    const over = { silentFrom: START, closedAt: null, openedAt: START + 10 * MINUTE };
    const alerts = [
      alert("recovered", 1, { at: START + 11 * MINUTE, detail: { orphaned_since: "2025-12-19T00:00:30Z" } }),
      alert("recovered", 2, { at: START + 30 * MINUTE, detail: { orphaned_since: "2025-12-19T00:20:00Z" } }),
      alert("silent", 3, { at: START + 40 * MINUTE }),
    ];
    expect(withoutOutage(alerts, over).map((each) => each.instanceId)).toEqual(["rig-2", "rig-3"]);
  });
});

describe("a state that lasts", () => {
  const failed = (at: number) => alert("hibernate_failed", 1, { at, severity: "critical" });
  const earlier = (kind: EarlierEvent["kind"], at: number, told = true): EarlierEvent => ({
    instanceId: "rig-1",
    kind,
    at,
    told,
  });

  it("is told again after four hours at the earliest", () => {
    const before = [earlier("hibernate_failed", START)];
    expect(withoutRepeats([failed(START + 4 * HOUR - 1)], before, 4 * HOUR)).toEqual([]);
    expect(withoutRepeats([failed(START + 4 * HOUR)], before, 4 * HOUR)).toHaveLength(1);
  });

  it("is told when it was over in between, though that is told with it", () => {
    const over = alert("recovered", 1, { at: START + HOUR - 1, severity: "info" });
    const told = withoutRepeats([over, failed(START + HOUR)], [earlier("hibernate_failed", START)], 4 * HOUR);
    expect(told.map(({ kind }) => kind)).toEqual(["recovered", "hibernate_failed"]);
  });

  it("is told at once when it was over in between, or nobody was told, or it is another instance's", () => {
    const later = failed(START + HOUR);
    expect(
      withoutRepeats(
        [later],
        [earlier("hibernate_failed", START), earlier("recovered", START + 1)],
        4 * HOUR,
      ),
    ).toHaveLength(1);
    expect(withoutRepeats([later], [earlier("hibernate_failed", START, false)], 4 * HOUR)).toHaveLength(1);
    const other = { ...earlier("hibernate_failed", START), instanceId: "rig-2" };
    expect(withoutRepeats([later], [other], 4 * HOUR)).toHaveLength(1);
  });

  it("is told once by one digest that holds it twice", () => {
    expect(withoutRepeats([failed(START), failed(START + MINUTE)], [], 4 * HOUR)).toHaveLength(1);
  });

  it("never hides what happens once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(8 * HOUR), { maxLength: 20 }), (moments) => {
        const alerts = moments
          .toSorted((a, b) => a - b)
          .map((at) => alert("hibernated", 1, { at: START + at }));
        expect(withoutRepeats(alerts, [], 4 * HOUR)).toEqual(alerts);
      }),
    );
  });
});
