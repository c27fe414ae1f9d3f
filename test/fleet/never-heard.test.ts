import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { DAY, setClock } from "../world.ts";
import { emptyService, fireDueAlarms, reportMany, reportOf, rows, stateOf } from "./fleets.ts";

/** How the outage guard takes instances that were never heard: they did not fall silent, nor are they awake. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

mayLog(/"kind":"guard_(closed|opened)"/);

beforeEach(async () => {
  setClock(DAY);
  await emptyService();
});
afterEach(() => vi.useRealTimers());

async function passMinutes(minutes: number, userIds: readonly string[]): Promise<void> {
  for (let half = 0; half < 2 * minutes; half++) {
    setClock(Date.now() + 30 * SECOND);
    await fireDueAlarms(userIds);
  }
}

/** It is awaited since then. */
function neverHeard(
  id: string,
  status: "pending" | "hibernating",
  more: { asks?: boolean; revision?: number } = {},
) {
  const report = reportOf(id, {
    status,
    revision: more.revision ?? 1,
    silentSince: DAY - 30 * MINUTE,
    questions: more.asks === true ? ["hibernate"] : [],
  });
  return { ...report, row: { ...report.row, orphanedSince: null } };
}

it("many at once close no guard, cast no vote, and do not hide an outage while they are stopped", async () => {
  const fleet = fleetOf(env, "crowd");
  await reportMany(fleet, { silent: 0, awake: 4, seenAt: DAY });
  for (let index = 0; index < 20; index++) await fleet.report(neverHeard(`new-${index}`, "pending"));
  expect(await stateOf(fleet)).toMatchObject({
    guard: { closedAt: null },
    vote: { closedAt: null },
    awake: 4,
  });
  for (let index = 0; index < 20; index++) {
    await fleet.report(neverHeard(`new-${index}`, "hibernating", { revision: 2 }));
  }
  expect(await stateOf(fleet)).toMatchObject({ awake: 4 });
  expect(await rows(fleet, "SELECT * FROM silences")).toEqual([]);
  setClock(DAY + 5 * MINUTE);
  for (const id of ["awake-0", "awake-1", "awake-2"]) {
    await fleet.report(reportOf(id, { revision: 2, silentSince: DAY }));
  }
  expect((await stateOf(fleet)).guard.closedAt).toBe(DAY + 5 * MINUTE);
});

it("one waits like any other until all who are silent have been reported, and while a guard is closed", async () => {
  const fleet = fleetOf(env, "asks");
  await reportMany(fleet, { silent: 0, awake: 4, seenAt: DAY });
  const ask = async () =>
    (await fleet.report(neverHeard("new", "pending", { asks: true }))).answers[0]?.answer;
  expect(await ask()).toEqual({ held: true });
  await passMinutes(2, ["asks"]);
  expect(await ask()).toEqual({ held: true });
  await passMinutes(2, ["asks"]);
  expect(await ask()).toEqual({ held: false, openedAt: null });
  for (const id of ["awake-0", "awake-1", "awake-2"]) {
    await fleet.report(reportOf(id, { revision: 2, silentSince: DAY }));
  }
  expect((await stateOf(fleet)).guard.closedAt).not.toBeNull();
  await passMinutes(4, ["asks"]);
  expect(await ask()).toEqual({ held: true });
});
