import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Alert,
  composeNotice,
  type EarlierEvent,
  withoutOutage,
  withoutRepeats,
} from "../../src/alerts/notice.ts";

const START = Date.UTC(2025, 11, 19);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function alert(kind: Alert["kind"], index: number, more: Partial<Alert> = {}): Alert {
  return {
    eventId: `e${index}`,
    instanceId: `rig-${index}`,
    name: `Rig ${index}`,
    registeredAt: START,
    kind,
    severity: "warning",
    message: `Message ${index}`,
    at: START + index,
    detail: {},
    ...more,
  };
}

describe("one message", () => {
  it("names three orphaned instances under one heading", () => {
    const notice = composeNotice(
      [1, 2, 3].map((index) => alert("orphaned", index)),
      "info",
    );
    expect(notice).toMatchObject({
      title: "3 instances orphaned",
      severity: "warning",
      groups: [
        {
          heading: "3 instances orphaned",
          lines: [{ name: "Rig 1" }, { name: "Rig 2" }, { name: "Rig 3" }],
          more: 0,
        },
      ],
    });
  });

  it("names the first ten of many and counts the rest", () => {
    const many = Array.from({ length: 200 }, (_, index) => alert("orphaned", index));
    const [group] = composeNotice(many, "info")?.groups ?? [];
    expect(group?.lines).toHaveLength(10);
    expect(group?.lines[0]?.name).toBe("Rig 0");
    expect(group?.more).toBe(190);
    expect(group?.heading).toBe("200 instances orphaned");
  });

  it("says of a single alert what it says", () => {
    expect(composeNotice([alert("idle", 1)], "info")?.title).toBe("Rig 1: Message 1");
    const guard = alert("guard_closed", 1, { instanceId: "", severity: "critical", message: "Mass outage" });
    expect(composeNotice([guard], "info")?.title).toBe("Mass outage");
  });

  it("puts the most pressing first", () => {
    const notice = composeNotice(
      [
        alert("hibernated", 1, { severity: "info" }),
        alert("orphaned", 2),
        alert("abandoned", 3, { severity: "critical" }),
      ],
      "info",
    );
    expect(notice?.groups.map((group) => group.kind)).toEqual(["abandoned", "orphaned", "hibernated"]);
    expect(notice?.severity).toBe("critical");
  });

  it("holds what its channel wants, and tells that a state is over where it told the state", () => {
    const recovered = alert("recovered", 1, { severity: "info", detail: { step: "orphaned" } });
    const afterCritical = alert("recovered", 2, { severity: "info", detail: { step: "force_hibernate" } });
    const done = alert("hibernated", 3, { severity: "info" });
    const kinds = (minimum: "info" | "warning" | "critical") =>
      composeNotice([recovered, afterCritical, done], minimum)?.groups.flatMap((group) =>
        group.lines.map((line) => line.instanceId),
      ) ?? [];
    expect(kinds("info")).toHaveLength(3);
    expect(kinds("warning")).toEqual(["rig-1", "rig-2"]);
    expect(kinds("critical")).toEqual(["rig-2"]);
    expect(composeNotice([done], "warning")).toBeNull();
  });

  it("offers a keep-alive link with each warning of a step, until an hour after it", () => {
    const notice = composeNotice(
      [
        alert("idle", 1, { detail: { step_at: "2025-12-19T00:05:00Z" } }),
        alert("recovered", 2, { severity: "info", detail: { step: "orphaned" } }),
      ],
      "info",
    );
    expect(notice?.groups.map((group) => group.lines[0]?.keepAlive)).toEqual([
      { registeredAt: START, until: START + 5 * MINUTE + HOUR },
      null,
    ]);
  });

  it("offers no link for an instance that is gone, nor for one that took its id since", () => {
    const offer = (registeredAt: number | null) =>
      composeNotice([alert("idle", 1, { detail: { step_at: "2025-12-19T00:05:00Z" }, registeredAt })], "info")
        ?.groups[0]?.lines[0]?.keepAlive;
    expect(offer(null)).toBeNull();
    expect(offer(START + 2)).toBeNull();
    expect(offer(START + 1)).not.toBeNull();
  });
});

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
