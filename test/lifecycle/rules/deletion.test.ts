import { describe, expect, it } from "vitest";
import { savingsView } from "../../../src/lifecycle/views/savings.ts";
import { at, Timeline } from "../timeline.ts";

const HOUR = 60 * 60_000;

const DAY = 24 * 60 * 60_000;

/** Hibernated for silence at 0:30, and a delete ordered seven days later, at which it is not hibernated any more. */
function deleting(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00")).permit();
  line.succeed();
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  expect(line.view.status).toBe("deleting");
  return line;
}

/** An orphan that its provider could not hibernate, and a delete ordered after seven days. */
function deletingAwake(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  while (line.armedAt !== null && line.armedAt <= at("5:00") + 7 * DAY) {
    line.until(line.armedAt);
    line.permit();
    if (line.view.status === "hibernating") {
      line.fail();
    }
  }
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  expect(line.view.status).toBe("deleting");
  return line;
}

const saved = (line: Timeline) => savingsView(line.state, line.now).hibernated_seconds_total;

const HIBERNATED_SECONDS = (7 * DAY - 25 * 60_000) / 1000;

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
function silent(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00"));
  line.permit();
  return line;
}

/** Hibernated for silence, seven days an orphan, and let go by the guard: a delete is ordered. */
function expired(): Timeline {
  const line = silent();
  line.succeed();
  line.until(at("5:00") + 7 * DAY);
  line.command({ type: "cleanup" });
  line.permit();
  expect(line.view.status).toBe("deleting");
  return line;
}

describe("the savings of an instance that is deleted", () => {
  it("hold all of its hibernation, up to the moment at which the delete is confirmed", () => {
    const line = deleting();
    expect(saved(line)).toBe(HIBERNATED_SECONDS);
    line.until(line.now + HOUR);
    expect(saved(line)).toBe(HIBERNATED_SECONDS + 3600);
    line.succeed("snap-1");
    expect(line.view.status).toBe("deleted");
    expect(saved(line)).toBe(HIBERNATED_SECONDS + 3600);
    expect(savingsView(line.state, line.now).saved_total).toBeCloseTo(
      ((HIBERNATED_SECONDS + 3600) / 3600) * 0.39,
      3,
    );
    line.until(line.now + DAY);
    expect(saved(line)).toBe(HIBERNATED_SECONDS + 3600);
  });

  it("hold all of its hibernation when it is found gone", () => {
    const line = deleting();
    line.until(line.now + HOUR);
    line.command({ type: "action.gone", actionId: line.actionId });
    expect(line.view.status).toBe("deleted");
    expect(saved(line)).toBe(HIBERNATED_SECONDS + 3600);
    line.until(line.now + DAY);
    expect(saved(line)).toBe(HIBERNATED_SECONDS + 3600);
  });

  it("hold its hibernation up to the order when it is found running", () => {
    const line = deleting();
    line.until(line.now + HOUR);
    line.command({ type: "action.found_running", actionId: line.actionId });
    expect(saved(line)).toBe(HIBERNATED_SECONDS);
    line.until(line.now + DAY);
    expect(saved(line)).toBe(HIBERNATED_SECONDS);
    expect(line.view.missed_heartbeats).toBe(29);
  });

  it("go on when the delete fails or is called off, and count no time twice", () => {
    const failed = deleting();
    failed.until(failed.now + HOUR);
    failed.fail();
    expect(failed.view.status).toBe("hibernated");
    expect(saved(failed)).toBe(HIBERNATED_SECONDS + 3600);

    const alive = deleting();
    alive.until(alive.now + HOUR);
    alive.heartbeat();
    expect(alive.view.status).toBe("running");
    alive.until(alive.now + 60_000);
    expect(saved(alive)).toBe(HIBERNATED_SECONDS + 3600);
  });

  it("are none for one that was never hibernated", () => {
    for (const end of ["confirmed", "gone", "running"] as const) {
      const line = deletingAwake();
      line.until(line.now + HOUR);
      expect(saved(line)).toBe(0);
      if (end === "confirmed") line.succeed();
      if (end === "gone") line.command({ type: "action.gone", actionId: line.actionId });
      if (end === "running") line.command({ type: "action.found_running", actionId: line.actionId });
      expect(saved(line)).toBe(0);
    }
  });
});

describe("an instance that is deleted", () => {
  it("misses no heartbeat any more, and nothing is done to it", () => {
    const line = deletingAwake();
    line.succeed();
    const missed = line.view.missed_heartbeats;
    expect(missed).toBe(7 * 24 * 60 + 4);
    const { kinds } = line;
    line.until(line.now + 30 * DAY).command({ type: "cleanup" });
    expect(line.view.missed_heartbeats).toBe(missed);
    expect(line.kinds).toEqual(kinds);
    expect(line.armedAt).toBeNull();
    for (const type of ["hibernate.requested", "wake.requested"] as const) {
      expect(line.command({ type })).toEqual({ code: "deleted", message: "The instance is deleted" });
    }
  });

  it("and is heard all the same, runs", () => {
    const line = deleting();
    line.succeed();
    line.until(line.now + HOUR).heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.events.at(-1)).toMatchObject({ kind: "woken", message: "Woken: heartbeats are back" });
  });

  it("takes a snapshot first only where the policy asks for one", () => {
    const line = new Timeline({ overrides: { orphan: { snapshot_before_delete: false } } });
    line.heartbeat();
    line.until(at("30:00")).permit();
    line.succeed();
    line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
    line.permit();
    expect(line.effects.findLast((effect) => effect.type === "action")).toMatchObject({
      order: { kind: "delete", reason: "silence", isHibernated: true, snapshotFirst: false },
    });
    expect(line.events.at(-1)).toMatchObject({
      kind: "deleting",
      severity: "warning",
      message: "Deleting: orphaned since 2025-12-19T00:05:00Z",
      detail: { snapshot_first: false },
    });
    line.succeed();
    expect(line.events.at(-1)).toMatchObject({
      message: "Instance auto-deleted after 7 days orphaned. No snapshot was taken.",
      detail: { snapshot_id: null },
    });
  });

  it("is never one that the owner wants kept: without a time to delete, and with the ladder switched off", () => {
    for (const orphan of [{ delete_after_days: null }, { enabled: false }]) {
      const line = new Timeline();
      line.heartbeat();
      line.until(at("30:00")).permit();
      line.succeed();
      line.policy = new Timeline({ overrides: { orphan } }).policy;
      line.until(at("0:00") + 300 * DAY).command({ type: "cleanup" });
      expect(line.guardQuestions).toEqual(["hibernate"]);
    }
  });
});

describe("a delete that failed", () => {
  it("is not asked for again before its next try", () => {
    const line = deleting();
    const asked = () => line.guardQuestions.filter((step) => step === "delete").length;
    line.fail("snapshot failed");
    expect(line.events.at(-1)).toMatchObject({
      message: "Not deleted: snapshot failed",
      detail: { failures: 1, repeated: false },
    });
    line.until(line.now + 5 * 60_000 - 1).command({ type: "cleanup" });
    expect(asked()).toBe(1);
    line.until(line.now + 1).command({ type: "cleanup" });
    expect(asked()).toBe(2);
    line.permit();
    line.fail("snapshot failed");
    expect(line.events.at(-1)).toMatchObject({ detail: { failures: 2, repeated: true } });
    line.until(line.now + 10 * 60_000 - 1).command({ type: "cleanup" });
    expect(asked()).toBe(2);
    line.until(line.now + 1).command({ type: "cleanup" });
    expect(asked()).toBe(3);
  });
});

describe("a deletion", () => {
  /** An orphan that its provider could not hibernate, by neither way. */
  function stuck(): Timeline {
    const line = silent();
    line.fail("refused");
    line.until(at("2:00:00"));
    line.permit();
    line.fail("refused");
    expect(line.orders).toEqual(["hibernate", "force_hibernate"]);
    return line;
  }

  /** Lets time pass, with every further try permitted and refused. */
  function failOn(line: Timeline, until: number): Timeline {
    while (line.armedAt !== null && line.armedAt <= until) {
      line.until(line.armedAt);
      line.permit();
      line.fail("refused");
    }
    return line.until(until);
  }

  function expired(): Timeline {
    const line = failOn(stuck(), at("168:05:00"));
    line.command({ type: "cleanup" });
    line.permit();
    expect(line.view.status).toBe("deleting");
    return line;
  }

  it("is called off by a heartbeat before the provider accepts it, and by none after", () => {
    const alive = expired();
    alive.heartbeat();
    expect(alive.view.status).toBe("running");

    const late = expired();
    const { actionId } = late;
    late.accept();
    late.heartbeat();
    expect(late.view.status).toBe("deleting");
    expect(late.command({ type: "keep_alive", durationMs: 60_000 })).toMatchObject({ code: "busy" });
    late.command({ type: "action.succeeded", actionId, snapshotId: "snap-1", confirmedBy: "webhook" });
    expect(late.view.status).toBe("deleted");
    expect(late.events.at(-1)?.message).toBe(
      "Instance auto-deleted after 7 days orphaned. Snapshot saved: snap-1",
    );
  });

  it("waits for seven days from the moment at which a guard opened", () => {
    const line = failOn(stuck(), at("168:05:00"));
    line.command({ type: "cleanup" });
    line.permit(at("100:00:00"));
    expect(line.view.status).toBe("orphaned");
    // The ladder starts anew as well, and its steps fail as before.
    failOn(line, at("267:59:59"));
    line.command({ type: "cleanup" });
    expect(line.guardQuestions.filter((step) => step === "delete")).toHaveLength(1);
    line.until(at("268:00:00"));
    line.command({ type: "cleanup" });
    expect(line.guardQuestions.filter((step) => step === "delete")).toHaveLength(2);
  });
});

describe("a delete that finds the machine running though it was hibernated", () => {
  it("is none: nothing more is done before the first heartbeat, and its owner is told critically", () => {
    const line = expired();
    line.command({ type: "action.found_running", actionId: line.actionId });
    expect(line.view).toMatchObject({
      status: "pending",
      orphaned_since: null,
      lifecycle: {
        next_step: null,
        because:
          "Not heard since it was found running at 2025-12-26T00:05:00Z. Somebody may use it, so nothing is done about it",
      },
    });
    expect(line.events.at(-1)).toMatchObject({ kind: "found_running", severity: "critical" });
    const orders = line.orders.length;
    line.until(line.now + 30 * DAY);
    line.command({ type: "cleanup" });
    expect(line.orders).toHaveLength(orders);
    // Its owner was told once.
    expect(line.kinds).not.toContain("never_heard");
    expect(line.view.health).toBe("unhealthy");
    line.heartbeat();
    expect(line.view.status).toBe("running");
  });
});
