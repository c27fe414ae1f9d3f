import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { InstanceLife } from "../../src/instance/life.ts";
import { LoneInstance } from "./lone-instance.ts";

/** What fails in an instance's outbox holds up nothing else: neither other targets nor what comes later. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = Date.UTC(2030, 0, 7);

let one: LoneInstance;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: DAY });
  vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
  one = new LoneInstance();
  await one.register({ idle: { enabled: false } });
  await one.heartbeat({ gpu_utilization: 90 });
  await one.settled();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const toldKinds = () => one.told.map(({ kind }) => kind);
const keptKinds = () => one.database.rows("SELECT kind FROM events ORDER BY at, id").map(({ kind }) => kind);

/** The alarm fires; what it waits for may take its time. */
function fire(at: number): Promise<void> {
  vi.setSystemTime(at);
  return one.actor.alarm(Object.assign(Object.create(null), { scheduledTime: at }));
}

describe("a history that never answers", () => {
  it("holds up neither a step of the ladder nor the alert of it", async () => {
    one.historyHangs = true;
    // There is something for the history: so the alarm waits for it first.
    vi.setSystemTime(DAY + SECOND);
    await one.actor.keepAlive(1);
    const at = DAY + SECOND + MINUTE + 5 * MINUTE;
    const fired = fire(at);
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    expect(toldKinds()).toContain("orphaned");
    expect(Date.now() - at).toBeLessThanOrEqual(3 * SECOND);
    one.historyHangs = false;
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    await fired;
    await one.until(Date.now() + 65 * MINUTE);
    expect(keptKinds()).toContain("orphaned");
  });
});

describe("a storage error while the outbox is emptied", () => {
  it("does not poison the chain: what comes later goes, and so does what failed", async () => {
    one.historyIsDown = true;
    await one.until(DAY + 6 * MINUTE);
    expect(toldKinds()).toContain("orphaned");
    one.historyIsDown = false;
    // The first is that of the release itself.
    one.failingSave = 2;
    await one.actor.release();
    expect(one.failingSave).toBe(0);
    expect(keptKinds()).toContain("orphaned");
    await one.heartbeat({ gpu_utilization: 90 });
    await one.settled();
    await one.until(Date.now() + 10 * MINUTE);
    expect(keptKinds()).toEqual(expect.arrayContaining(["orphaned", "recovered"]));
  });

  it("gives nothing up unsaid: rows that are gone and the event that says so are one write", async () => {
    one.historyIsDown = true;
    for (let beat = 0; beat < 200; beat++) {
      await one.heartbeat({ gpu_utilization: 90 });
      await one.until(Date.now() + MINUTE);
    }
    const held = () => Number(one.storage.rows("SELECT COUNT(*) AS n FROM held")[0]?.n);
    const before = held();
    expect(before).toBeGreaterThan(0);
    vi.setSystemTime(Date.now() + 8 * 24 * 60 * MINUTE);
    // The first is that of the release itself.
    one.failingSave = 2;
    await one.actor.release();
    expect(one.failingSave).toBe(0);
    await one.until(Date.now() + 10 * MINUTE);
    expect(toldKinds().filter((kind) => kind === "history_lost")).toHaveLength(1);
    expect(held()).toBe(0);
    one.historyIsDown = false;
    await one.until(Date.now() + 65 * MINUTE);
    const [kept] = one.database.rows("SELECT COUNT(*) AS n FROM heartbeats");
    const [lost] = one.database.rows(
      "SELECT detail ->> 'heartbeats' AS n FROM events WHERE kind = 'history_lost'",
    );
    expect(Number(kept?.n) + Number(lost?.n)).toBe(201);
  });
});

describe("an alarm", () => {
  it("empties the outbox though deciding fails, and fires again a minute later", async () => {
    one.historyIsDown = true;
    await one.until(DAY + 6 * MINUTE);
    one.historyIsDown = false;
    vi.spyOn(InstanceLife.prototype, "receive").mockRejectedValue(new Error("a defect"));
    await one.until(Date.now() + 65 * MINUTE);
    expect(keptKinds()).toContain("orphaned");
    expect((one.alarmAt ?? 0) - Date.now()).toBeLessThanOrEqual(MINUTE);
  });
});

describe("an instance that is removed without a history", () => {
  it("leaves the registry at once, and is gone a week later", async () => {
    one.historyIsDown = true;
    await one.heartbeat({ gpu_utilization: 90 });
    const removing = one.actor.remove({ userId: "u-1", instanceId: "rig" });
    await vi.advanceTimersByTimeAsync(3 * SECOND);
    expect(await removing).toEqual({ outcome: "removed" });
    expect(one.isLetGo).toBe(true);
    await one.until(Date.now() + 8 * 24 * 60 * MINUTE);
    expect(one.storage.rows("SELECT name FROM sqlite_master WHERE type = 'table'")).toEqual([]);
    expect(one.alarmAt).toBeNull();
  });
});
