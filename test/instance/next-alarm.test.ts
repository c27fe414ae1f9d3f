import { describe, expect, it } from "vitest";
import { alarmToSet, nextAlarm, type Outlook } from "../../src/instance/alarm.ts";

const NOW = Date.UTC(2030, 0, 7);
const MINUTE = 60_000;
const minutesOn = (minutes: number) => NOW + minutes * MINUTE;

function readable(wakeAt: number | null, tryAt: number | null): Outlook {
  return { kind: "readable", wakeAt, tryAt };
}

describe("the next alarm of an instance", () => {
  it.each([
    ["whose row is unreadable, in an hour", { kind: "unreadable" }, 60],
    ["whose decision broke an invariant, in five minutes", { kind: "withheld" }, 5],
    ["whose alarm failed, in a minute", { kind: "failed" }, 1],
    ["that waits for nothing, never", readable(null, null), null],
    ["with a deadline, at it", readable(minutesOn(7), null), 7],
    ["with a deadline that was missed, at it", readable(minutesOn(-7), null), -7],
    ["with a try of its outbox, at it", readable(null, minutesOn(4)), 4],
    ["with both, at the first", readable(minutesOn(7), minutesOn(4)), 4],
    ["with both, at the first", readable(minutesOn(3), minutesOn(4)), 3],
  ] satisfies [string, Outlook, number | null][])("%s", (_, outlook, minutes) => {
    expect(nextAlarm(outlook, NOW)).toBe(minutes === null ? null : minutesOn(minutes));
  });
});

describe("the alarm", () => {
  it.each([
    ["is left alone when nothing is waited for", null, null, null],
    ["is left alone when nothing is waited for any more", null, 3, null],
    ["is set when none is armed", 5, null, 5],
    ["is brought forward", 5, 6, 5],
    ["is left at an earlier moment", 5, 4, null],
    ["is left at the same moment", 5, 5, null],
    ["is waited for while it is late", 5, -9, null],
    ["is set anew when it will never fire", 5, -10, 5],
  ])("%s", (_, moment, armed, expected) => {
    const set = alarmToSet(
      moment === null ? null : minutesOn(moment),
      armed === null ? null : minutesOn(armed),
      NOW,
    );
    expect(set).toBe(expected === null ? null : minutesOn(expected));
  });

  it("is never set for a moment that is past", () => {
    expect(alarmToSet(minutesOn(-1), null, NOW)).toBe(NOW + 1);
    expect(alarmToSet(NOW, null, NOW)).toBe(NOW + 1);
  });
});
