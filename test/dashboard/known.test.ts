import { describe, expect, it } from "vitest";
import {
  beginConnection,
  type Known,
  NOTHING_KNOWN,
  type Page,
  readable,
  receive,
  refresh,
  replaceAll,
  unreadable,
} from "../../src/dashboard/fleet/known.ts";
import type { LiveMessage, SummaryView } from "../../src/fleet/live/messages.ts";
import { live } from "./live-view.ts";

const OPEN = { state: "open", closed_at: null, opened_at: null, service_wide: "open" } as const;

const at = (second: number) => `2030-01-07T00:00:${String(second).padStart(2, "0")}Z`;

function summary(instance_id: string, second: number, more: Partial<SummaryView> = {}): SummaryView {
  return { ...live(instance_id), as_of: at(second), ...more };
}

const snapshot = (revision: number, rows: SummaryView[], is_last = true): LiveMessage => ({
  type: "snapshot",
  server_time: at(0),
  revision,
  rows,
  is_last,
  guard: OPEN,
});

const rows = (revision: number, changed: SummaryView[], removed: string[] = []): LiveMessage => ({
  type: "rows",
  server_time: at(0),
  revision,
  rows: changed,
  removed,
  guard: OPEN,
});

const page = (second: number, instances: Page["instances"]): Page => ({
  server_time: at(second),
  instances,
  next_cursor: null,
  guard: OPEN,
});

const knownOf = (...messages: LiveMessage[]) => messages.reduce(receive, NOTHING_KNOWN);

const statuses = (known: Known) => readable(known).map((each) => `${each.instance_id} ${each.status}`);

describe("what the page knows of the fleet", () => {
  it("takes the readings of what is in sight, but none that is older than what has happened, nor of what is gone", () => {
    const readings = (...read: SummaryView[]): LiveMessage => ({
      type: "readings",
      server_time: at(9),
      rows: read,
    });
    const known = knownOf(
      snapshot(7, [summary("a", 1), summary("b", 5, { status: "orphaned" })]),
      readings(summary("a", 2, { gpu_utilization: 7 }), summary("b", 4), summary("gone", 2)),
    );
    expect(statuses(known)).toEqual(["a running", "b orphaned"]);
    expect(readable(known).map(({ gpu_utilization }) => gpu_utilization)).toEqual([
      7,
      live("b").gpu_utilization,
    ]);
    expect(known.revision).toBe(7);
    expect(knownOf(readings(summary("a", 2)))).toBe(NOTHING_KNOWN);
  });

  it("is nothing until the last page of the first snapshot has come", () => {
    const half = knownOf(snapshot(7, [summary("a", 1)], false));
    expect([half.entries, half.revision]).toEqual([null, null]);
    const whole = receive(half, snapshot(7, [summary("b", 1)]));
    expect([statuses(whole), whole.revision]).toEqual([["a running", "b running"], 7]);
    // A snapshot that broke off is begun anew.
    const anew = receive(beginConnection(half), snapshot(9, [summary("c", 1)]));
    expect(statuses(anew)).toEqual(["c running"]);
  });

  it("takes out what was removed before it puts in what changed", () => {
    const known = knownOf(
      snapshot(7, [summary("a", 1), summary("b", 1)]),
      rows(9, [summary("a", 2, { status: "pending" })], ["a", "b"]),
    );
    expect([statuses(known), known.revision]).toEqual([["a pending"], 9]);
  });

  it("goes by whichever was later: what was pushed, or what was asked", () => {
    const first = knownOf(snapshot(7, [summary("a", 1), summary("b", 1)]));
    const fresh = refresh(first, page(5, [{ ...summary("a", 5, { gpu_utilization: 90 }) }]));
    const older = receive(fresh, rows(8, [summary("a", 4, { gpu_utilization: 10 })]));
    expect(readable(older).map((each) => each.gpu_utilization)).toEqual([90, null]);
    const again = receive(beginConnection(older), snapshot(9, [summary("a", 4)]));
    expect(readable(again).map((each) => each.gpu_utilization)).toEqual([90]);
    const polled = replaceAll(older, [page(6, [summary("a", 4), summary("b", 6, { status: "orphaned" })])]);
    expect(statuses(polled)).toEqual(["a running", "b orphaned"]);
    expect(readable(polled)[0]?.gpu_utilization).toBe(90);
    const newer = receive(older, rows(9, [summary("a", 6, { status: "hibernated" })]));
    expect(statuses(newer)).toEqual(["b running", "a hibernated"].sort());
  });

  it("takes from a new snapshot what can be done, since a connection may stand otherwise", () => {
    const first = knownOf(snapshot(7, [summary("a", 1), summary("b", 1)]));
    const fresh = refresh(first, page(5, [{ ...summary("a", 5, { gpu_utilization: 90 }) }]));
    const control = {
      nobody_can_stop: true,
      can_hibernate: false,
      can_wake: false,
      why_not: "refused",
    } as const;
    const again = receive(beginConnection(fresh), snapshot(9, [summary("a", 1, { control })]));
    expect(readable(again)).toMatchObject([{ gpu_utilization: 90, control }]);
    // What has happened to it since is newer still.
    const moved = refresh(again, page(6, [{ ...summary("a", 6, { status: "deleted" }) }]));
    const late = receive(beginConnection(moved), snapshot(10, [summary("a", 1, { control })]));
    expect(readable(late)).toMatchObject([{ status: "deleted", control: { why_not: null } }]);
  });

  it("knows what can be done about an instance of which a former release does not say it", () => {
    const { control: _, ...said } = summary("a", 1, { provider: "none" });
    const known = receive(
      NOTHING_KNOWN,
      JSON.parse(JSON.stringify(snapshot(7, [{ ...said, control: live("a").control }]))),
    );
    expect(readable(known)[0]?.control.why_not).toBeNull();
    const former = JSON.parse(JSON.stringify({ ...snapshot(7, []), rows: [said] }));
    expect(readable(receive(NOTHING_KNOWN, former))[0]?.control.why_not).toBe("no_provider");
    const { tags: __, ...untagged } = summary("a", 1);
    const before: LiveMessage = JSON.parse(
      JSON.stringify(snapshot(7, [{ ...untagged, tags: {} }])),
      (key, value) => (key === "tags" ? undefined : value),
    );
    expect(readable(receive(NOTHING_KNOWN, before))[0]?.tags).toEqual({});
  });

  it("keeps an instance apart that cannot be read, until it can", () => {
    const error = { code: "unreadable", message: "no" } as const;
    const known = refresh(knownOf(snapshot(7, [summary("a", 1)])), page(2, [{ instance_id: "a", error }]));
    expect([statuses(known), unreadable(known).length]).toEqual([[], 1]);
    const { as_of: _, ...view } = summary("a", 3);
    expect(statuses(refresh(known, page(3, [view])))).toEqual(["a running"]);
  });

  it("does not bring back what was removed while it was asked for", () => {
    const known = knownOf(snapshot(7, [summary("a", 1)]), rows(8, [], ["a"]));
    expect(statuses(refresh(known, page(9, [summary("a", 9)])))).toEqual([]);
  });

  it("has the guard closed while either is", () => {
    const guard = { ...OPEN, service_wide: "closed" } as const;
    const known = knownOf({ type: "rows", server_time: at(0), revision: 7, rows: [], removed: [], guard });
    expect(known.guardClosed).toBe(true);
    expect(receive(known, rows(7, [])).guardClosed).toBe(false);
  });
});
