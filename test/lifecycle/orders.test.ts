import { describe, expect, it } from "vitest";
import { isAlert } from "../../src/lifecycle/model/history-event.ts";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
function silent(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  line.until(at("30:00"));
  line.permit();
  return line;
}

describe("an order to a provider", () => {
  it("that stems from silence is called off by a heartbeat that comes before a try", () => {
    const line = silent();
    expect(line.view.status).toBe("hibernating");
    line.until(at("30:10"));
    line.heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.kinds.slice(-2)).toEqual(["hibernate_cancelled", "recovered"]);
    // Whoever carries it out asks first, and hears that it does not stand.
    const before = line.state;
    line.command({ type: "action.tried", actionId: "hibernate-1" });
    expect(line.state).toEqual(before);
  });

  it("stands once the provider has accepted it, whatever is heard, and ends as the provider says", () => {
    const line = silent();
    const { actionId } = line;
    line.accept();
    line.until(at("30:10"));
    expect(line.heartbeat().actions.map((action) => action.type)).toEqual(["hibernating"]);
    line.until(at("35:00"));
    line.heartbeat();
    expect(line.view.status).toBe("hibernating");
    line.command({ type: "action.succeeded", actionId, snapshotId: null, confirmedBy: "webhook" });
    expect(line.view.status).toBe("hibernated");
  });

  it("for idleness is called off by a busy heartbeat before the provider accepts it, and by none after", () => {
    const untold = new Timeline().beatUntil(at("5:00"), IDLE);
    expect(untold.view.status).toBe("hibernating");
    untold.heartbeat({ gpu_utilization: 90 });
    expect(untold.view.status).toBe("running");

    const told = new Timeline().beatUntil(at("5:00"), IDLE);
    told.accept();
    told.heartbeat({ gpu_utilization: 90 });
    expect(told.view.status).toBe("hibernating");
    expect(told.command({ type: "keep_alive", durationMs: 60_000 })).toMatchObject({ code: "hibernating" });
  });

  it("finds the instance gone: it counts as deleted, and its owner is told", () => {
    const line = silent();
    const { actionId } = line;
    line.command({ type: "action.gone", actionId });
    expect(line.view.status).toBe("deleted");
    expect(line.events.at(-1)).toMatchObject({
      kind: "gone",
      severity: "warning",
      message: "webhook has no such instance any more: it counts as deleted",
    });
    line.command({ type: "action.gone", actionId });
    expect(line.kinds.filter((kind) => kind === "gone")).toHaveLength(1);
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

describe("a flapping instance", () => {
  /** Heard every seven minutes, and silent for six of them. */
  function flap(turns: number): Timeline {
    const line = new Timeline({ provider: "agent" });
    for (let turn = 0; turn <= turns; turn++) {
      line.until(at("0:00") + turn * 7 * 60_000);
      line.heartbeat();
    }
    return line;
  }

  const told = (line: Timeline) => line.events.filter(isAlert).map((event) => event.kind);

  it("is told once as flapping at its fourth turn within an hour, and its turns no more", () => {
    expect(told(flap(3))).toEqual([
      "orphaned",
      "recovered",
      "orphaned",
      "recovered",
      "orphaned",
      "recovered",
    ]);
    const line = flap(6);
    expect(told(line).slice(6)).toEqual(["flapping"]);
    expect(line.kinds.filter((kind) => kind === "orphaned")).toHaveLength(6);
  });

  it("is told of again after an hour of calm", () => {
    const line = flap(5);
    line.beatUntil(line.now + 70 * 60_000);
    const before = told(line).length;
    line.until(line.now + 6 * 60_000);
    expect(told(line).slice(before)).toEqual(["orphaned"]);
  });
});
