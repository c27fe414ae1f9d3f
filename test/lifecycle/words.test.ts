import { describe, expect, it } from "vitest";
import {
  type HistoryEvent,
  historyEventKindSchema,
  isAlert,
  severitySchema,
} from "../../src/lifecycle/model/history-event.ts";
import { STATUSES } from "../../src/lifecycle/model/phase.ts";
import { abilitiesOf, providerKindSchema, referenceIssue } from "../../src/lifecycle/model/provider.ts";
import { newState } from "../../src/lifecycle/model/state.ts";
import {
  shortDuration,
  spokenDuration,
  startOfUtcMonth,
  toIso,
  utcDay,
} from "../../src/lifecycle/model/time.ts";
import { simulationSpeed } from "../../src/platform/simulation-speed.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a duration", () => {
  it.each([
    [0, "0s"],
    [-5 * SECOND, "0s"],
    [499, "0s"],
    [500, "1s"],
    [45 * SECOND, "45s"],
    [60 * SECOND, "1min"],
    [103 * SECOND, "1min 43s"],
    [2 * MINUTE, "2min"],
    [HOUR, "1h"],
    [HOUR + SECOND, "1h 1s"],
    [HOUR + MINUTE + SECOND, "1h 1min 1s"],
    [3 * HOUR, "3h"],
    [25 * HOUR, "25h"],
  ])("of %i ms is short %s", (duration, short) => {
    expect(shortDuration(duration)).toBe(short);
  });

  it.each([
    [0, "0 seconds"],
    [SECOND, "1 second"],
    [12.9 * SECOND, "12 seconds"],
    [MINUTE - 1, "59 seconds"],
    [MINUTE, "1 minute"],
    [70 * MINUTE, "70 minutes"],
    [2 * HOUR - 1, "119 minutes"],
    [2 * HOUR, "2 hours"],
    [2 * DAY - 1, "47 hours"],
    [2 * DAY, "2 days"],
    [7.9 * DAY, "7 days"],
  ])("of %i ms is spoken %s", (duration, spoken) => {
    expect(spokenDuration(duration)).toBe(spoken);
  });
});

describe("a moment", () => {
  it("is written to the second, has a day, and a month that begins it", () => {
    const moment = Date.UTC(2025, 11, 19, 3, 25, 30, 999);
    expect(toIso(moment)).toBe("2025-12-19T03:25:30Z");
    expect(utcDay(moment)).toBe("2025-12-19");
    expect(startOfUtcMonth(moment)).toBe(Date.UTC(2025, 11, 1));
    expect(startOfUtcMonth(Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1));
  });
});

describe("the speed of a simulation", () => {
  it.each([
    ["60", 60],
    ["0.5", 0.5],
    ["1", 1],
    ["0", 1],
    ["-1", 1],
    ["Infinity", 1],
    ["fast", 1],
    ["", 1],
  ])("given as %j is %d", (setting, speed) => {
    expect(simulationSpeed({ SIMULATION_SPEED: setting })).toBe(speed);
  });
});

describe("a provider of the kind", () => {
  it.each([
    ["agent", "by answer", false, false],
    ["none", "never", false, false],
    ["webhook", "by call", true, true],
    ["vast", "by call", true, false],
    ["runpod", "by call", true, false],
    ["ec2", "by call", true, true],
  ] as const)(
    "%s hibernates %s; reaches silent instances: %s; takes snapshots: %s",
    (kind, how, reaches, snaps) => {
      expect(abilitiesOf(kind)).toEqual({ hibernates: how, reachesSilent: reaches, snapshots: snaps });
    },
  );

  it("that only a newer version knows can do nothing, whatever it is called", () => {
    for (const kind of ["azure", "toString", "__proto__", ""]) {
      // biome-ignore lint/suspicious/noExplicitAny: storage may hold what the type does not know
      expect(abilitiesOf(kind as any)).toEqual(abilitiesOf("none"));
    }
    expect(providerKindSchema.options).toEqual(["agent", "none", "webhook", "vast", "runpod", "ec2"]);
  });

  it("says what a reference of its own looks like", () => {
    expect(referenceIssue("vast", "x1")).toBe("must be the number of a Vast.ai instance");
    expect(referenceIssue("vast", "1".repeat(18))).toBeNull();
    expect(referenceIssue("vast", "1".repeat(19))).toBe("must be the number of a Vast.ai instance");
    expect(referenceIssue("vast", "x1x")).not.toBeNull();
    expect(referenceIssue("runpod", "a-b")).toBe(
      "must be the id of a RunPod pod: lower-case letters and digits",
    );
    expect(referenceIssue("runpod", "a".repeat(64))).toBeNull();
    expect(referenceIssue("runpod", "a".repeat(65))).not.toBeNull();
    expect(referenceIssue("runpod", "A1")).not.toBeNull();
    expect(referenceIssue("runpod", "a1B")).not.toBeNull();
    expect(referenceIssue("ec2", "i-1")).toBe(
      "must be the id of an EC2 instance, such as i-1234567890abcdef0",
    );
    expect(referenceIssue("ec2", `i-${"a".repeat(17)}`)).toBeNull();
    expect(referenceIssue("ec2", `i-${"a".repeat(18)}`)).not.toBeNull();
    expect(referenceIssue("ec2", `i-${"a".repeat(7)}`)).not.toBeNull();
    expect(referenceIssue("ec2", `xi-${"a".repeat(8)}`)).not.toBeNull();
    expect(referenceIssue("webhook", "")).toBe(
      "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'",
    );
    expect(referenceIssue("webhook", "x".repeat(200))).toBeNull();
    expect(referenceIssue("webhook", " x")).toBe(
      "must be 1 to 200 of letters, digits, '.', '_', ':', '/', '-'",
    );
    for (const reference of ["a//b", "./a", "a/.."]) {
      expect(referenceIssue("webhook", reference)).toBe("must not have a segment that is empty, '.' or '..'");
    }
  });
});

describe("an event", () => {
  const event = (kind: HistoryEvent["kind"], detail: HistoryEvent["detail"] = {}): HistoryEvent => ({
    id: "1",
    at: 0,
    kind,
    severity: "info",
    message: "",
    detail,
  });

  it("is a notice unless its owner made or expects it", () => {
    const quiet = historyEventKindSchema.options.filter((kind) => !isAlert(event(kind)));
    expect(quiet.toSorted()).toEqual([
      "changed",
      "cleanup",
      "first_heartbeat",
      "guard_deferred",
      "guard_permitted",
      "hibernating",
      "kept_alive",
      "policy_changed",
      "rebooted",
      "registered",
      "token_rotated",
      "waking",
    ]);
  });

  it("of a flapping instance, or of a failure that repeats, is none", () => {
    expect(isAlert(event("orphaned", { flapping: true }))).toBe(false);
    expect(isAlert(event("orphaned", { flapping: false }))).toBe(true);
    expect(isAlert(event("delete_failed", { repeated: true }))).toBe(false);
    expect(isAlert(event("delete_failed", { repeated: false }))).toBe(true);
  });

  it("is of three severities", () => {
    expect(severitySchema.options).toEqual(["info", "warning", "critical"]);
  });
});

describe("a new instance", () => {
  it("is pending, and nothing is known of it", () => {
    const profile = {
      name: "Rig",
      provider: "webhook",
      providerRef: null,
      hourlyCost: null,
      hibernatedHourlyCost: null,
      registeredAt: 7,
    } as const;
    expect(newState(profile)).toEqual({
      profile,
      phase: { status: "pending" },
      clock: { lastHeartbeatAt: null, keepAliveUntil: null, graceUntil: null, countsFrom: null },
      counters: {
        totalHeartbeats: 0,
        firstHeartbeatAt: null,
        missed: 0,
        gapFrom: null,
        gpuPercentSum: 0,
        gpuHeartbeats: 0,
        cost: { accumulated: null, day: null, today: 0 },
        saved: { totalMs: 0, totalDollars: 0, monthStart: 0, monthMs: 0, monthDollars: 0 },
      },
      recent: [],
      unflushed: 0,
      gpuTrend: [],
      outbox: [],
      nextEffectId: 7,
      flaps: { turns: [], told: false },
      agent: {
        bootId: null,
        sequence: null,
        gpus: [],
        hasGpu: false,
        rebootToldAt: null,
        lastWordAt: null,
        nextInHistory: 1,
      },
      sighted: null,
      reminders: { wouldHibernateAt: null, wouldDeleteAt: null },
    });
    expect(STATUSES).toHaveLength(8);
  });
});
