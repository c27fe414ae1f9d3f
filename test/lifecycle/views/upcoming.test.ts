import { expect, test } from "vitest";
import { compilePolicy } from "../../../src/lifecycle/model/policy.ts";
import { mergePolicy, type PolicyOverrides } from "../../../src/lifecycle/model/policy-settings.ts";
import { DAYS } from "../../../src/lifecycle/model/windows.ts";
import { upcoming } from "../../../src/lifecycle/views/upcoming.ts";

/** A Friday, noon in São Paulo. */
const NOW = Date.parse("2026-11-27T15:00:00Z");

const comesBy = (overrides: PolicyOverrides) => upcoming(compilePolicy(mergePolicy(overrides)), NOW);

test("nothing comes by a policy without windows", () => {
  expect(comesBy({})).toEqual([]);
});

test("awake hours and maintenance begin and end within seven days, in their order", () => {
  const schedule = {
    timezone: "America/Sao_Paulo",
    awake: [{ days: ["mon" as const, "fri" as const], from: "09:00", to: "18:00" }],
  };
  const maintenance = { windows: [{ from: "2026-11-30T15:00:00Z", to: "2026-11-30T22:00:00Z" }] };
  expect(comesBy({ schedule, maintenance })).toEqual([
    { at: "2026-11-27T21:00:00Z", what: "asleep" },
    { at: "2026-11-30T12:00:00Z", what: "awake" },
    { at: "2026-11-30T15:00:00Z", what: "maintenance_begins" },
    { at: "2026-11-30T21:00:00Z", what: "asleep" },
    { at: "2026-11-30T22:00:00Z", what: "maintenance_ends" },
    { at: "2026-12-04T12:00:00Z", what: "awake" },
  ]);
  const acting = { ...schedule, outside: "hibernate" as const, wake_at_start: true };
  expect(comesBy({ schedule: acting }).map(({ what }) => what)).toEqual([
    "hibernate",
    "wake",
    "hibernate",
    "wake",
  ]);
});

test("no more than fifty are told", () => {
  const awake = Array.from({ length: 14 }, (_, hour) => ({
    days: [...DAYS],
    from: `${String(hour).padStart(2, "0")}:00`,
    to: `${String(hour).padStart(2, "0")}:30`,
  }));
  expect(comesBy({ schedule: { awake } })).toHaveLength(50);
});
