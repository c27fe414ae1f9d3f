import { describe, expect, it } from "vitest";
import type { HeartbeatReport } from "../../../src/lifecycle/model/heartbeat.ts";
import { isAlert } from "../../../src/lifecycle/model/history-event.ts";
import type { ProviderKind } from "../../../src/lifecycle/model/provider.ts";
import { silentSince } from "../../../src/lifecycle/rules/outage-guard.ts";
import { at, Timeline } from "../timeline.ts";

const DAY = 24 * 60 * 60_000;

const NOTICE: HeartbeatReport = {
  gpu_utilization: 90,
  status: "reclaimed",
  reclaim: { by: "ec2", action: "terminate", in_seconds: 120 },
};

/** At work for five minutes, then taken back: its last words come at 5:00, 6:00 and 7:00. */
function reclaimed(provider: ProviderKind = "ec2"): Timeline {
  const line = new Timeline({ provider }).beatUntil(at("4:00"));
  line.until(at("5:00")).beatUntil(at("7:00"), NOTICE);
  return line;
}

function alerts(line: Timeline): string[] {
  return line.events.filter(isAlert).map(({ kind }) => kind);
}

describe("a machine that its provider takes back", () => {
  it("is told of once for a notice", () => {
    const line = reclaimed();
    expect(line.kinds.filter((kind) => kind === "reclaimed")).toHaveLength(1);
    expect(line.events.at(-1)).toMatchObject({
      kind: "reclaimed",
      severity: "warning",
      at: at("5:00"),
      message:
        "Its provider takes the machine back in 2min (spot). It falls silent for that; ec2 is asked then what became of it",
      detail: { by: "ec2", action: "terminate", ends_at: "2025-12-19T00:07:00Z" },
    });
    expect(line.view.lifecycle).toMatchObject({
      next_step: null,
      because: "Amazon EC2 takes the machine back at 2025-12-19T00:07:00Z: its silence is expected",
    });
  });

  it("is never an orphan: when it falls silent, its provider is asked, and gone with proof is deleted", () => {
    const line = reclaimed();
    line.until(at("9:00"));
    expect(line.view).toMatchObject({
      status: "hibernated",
      alert: "Amazon EC2 took the machine back: nobody knows yet whether it still exists.",
      lifecycle: { because: "Amazon EC2 took the machine back: nobody knows yet whether it still exists" },
    });
    line.shows = { shows: "gone" };
    line.until(at("14:00"));
    expect(line.looks).toEqual([at("14:00")]);
    expect(line.view.status).toBe("deleted");
    expect(line.kinds.slice(-3)).toEqual(["reclaimed", "hibernated", "gone"]);
    expect(alerts(line)).toEqual(["reclaimed", "gone"]);
    expect(line.guardQuestions).toEqual([]);
  });

  it("is hibernated where its provider shows it stopped, and saves from then on only", () => {
    const line = reclaimed();
    line.shows = { shows: "stopped" };
    line.until(at("14:00"));
    expect(line.view.status).toBe("hibernated");
    expect(line.events.at(-1)?.message).toBe("Taken back and kept: ec2 shows it stopped");
    expect(line.state.counters.saved.totalMs).toBe(0);
    line.until(at("14:00") + DAY).command({ type: "cleanup" });
    expect(line.kinds).not.toContain("deleting");
    line.command({ type: "wake.requested" });
    expect(line.state.counters.saved.totalMs).toBe(DAY);
  });

  it("goes on where its provider shows it running", () => {
    const line = reclaimed();
    line.shows = { shows: "running" };
    line.until(at("14:00"));
    expect(line.view.status).toBe("pending");
    expect(line.events.at(-1)).toMatchObject({ kind: "found_running", severity: "critical" });
    line.heartbeat();
    line.until(at("19:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("stays as it is while nobody can tell, which is told once", () => {
    const line = reclaimed();
    line.shows = { shows: "unknown", because: "ec2 does not show it", isPassing: false };
    line.until(at("14:00") + 30 * DAY);
    line.command({ type: "cleanup" });
    expect(line.view.status).toBe("hibernated");
    expect(alerts(line)).toEqual(["reclaimed", "unwatched"]);
    expect(line.state.counters.saved.totalMs).toBe(0);
    expect(line.view.rate).toBeNull();
  });

  it.each(["agent", "none"] as const)("says plainly that nobody can be asked (%s)", (provider) => {
    const line = reclaimed(provider);
    expect(line.events.at(-1)?.message).toContain("nobody can be asked then what became of it");
    line.until(START_PLUS_A_MONTH).command({ type: "cleanup" });
    expect(line.view).toMatchObject({
      status: "hibernated",
      alert:
        "Amazon EC2 took the machine back, and nobody can be asked whether it still exists: look after it where it is rented.",
    });
    expect(alerts(line)).toEqual(["reclaimed"]);
    expect(line.kinds).not.toContain("would_delete");
    expect(line.state.counters.saved.totalMs).toBe(0);
  });

  it("and that beats on without a notice is watched like any other", () => {
    const line = reclaimed();
    line.until(at("8:00")).heartbeat();
    expect(line.state.reclaimed).toBeUndefined();
    line.until(at("13:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("and whose hooks still run is taken back all the same", () => {
    const line = reclaimed();
    line.heartbeat({ status: "preparing", preparation: { state: "running", seconds: 10 } });
    expect(line.state.reclaimed).toBeDefined();
  });

  it("comes back by a heartbeat, and is told of anew at the next notice", () => {
    const line = reclaimed();
    line.shows = { shows: "stopped" };
    line.until(at("20:00")).heartbeat();
    expect(line.view.status).toBe("running");
    expect(line.kinds.at(-1)).toBe("woken");
    line.beatUntil(at("1:05:00"));
    line.heartbeat(NOTICE);
    expect(line.kinds.filter((kind) => kind === "reclaimed")).toHaveLength(2);
    line.until(at("1:10:00"));
    expect(line.view.status).toBe("hibernated");
  });

  it("and whose last words come late does not come back by them", () => {
    const line = reclaimed();
    line.until(at("9:30")).heartbeat(NOTICE);
    expect(line.view.status).toBe("hibernated");
    expect(line.kinds.filter((kind) => kind === "reclaimed")).toHaveLength(1);
  });

  it("can be woken where its provider can start it", () => {
    const line = reclaimed();
    line.until(at("10:00"));
    expect(line.command({ type: "wake.requested" })).toBeNull();
    expect(line.state.reclaimed).toBeUndefined();
    line.until(at("11:00")).heartbeat();
    expect(line.view.status).toBe("running");
  });

  it("is not hibernated for idleness, nor at the end of a preparation", () => {
    const idle = { gpu_utilization: 1, hooks: ["prepare" as const] };
    const line = new Timeline({ provider: "ec2" }).beatUntil(at("5:00"), idle);
    expect(line.kinds.at(-1)).toBe("preparing");
    line.until(at("6:00")).beatUntil(at("20:00"), { ...idle, ...NOTICE, gpu_utilization: 1 });
    expect(line.orders).toEqual([]);
    line.until(at("22:00"));
    expect(line.kinds.slice(-2)).toEqual(["hibernated", "preparation_cancelled"]);
  });

  it("is not taken back while the service is away: it could not be heard", () => {
    const line = reclaimed();
    line.armedAt = null;
    line.now = at("40:00");
    line.apply({ type: "alarm", dueAt: at("9:00") });
    expect(line.view.status).toBe("running");
    line.until(at("42:00"));
    expect(line.view.status).toBe("hibernated");
  });

  it("is no silence to the outage guard, however many there are", () => {
    for (let minute = 8; minute < 60; minute++) {
      const line = reclaimed();
      line.until(at(`${minute}:00`));
      expect(silentSince(line.state)).toBeNull();
    }
  });
});

/** Whatever it says, and for how long. */
describe("a machine that says for ever that it is taken back", () => {
  const hooked = { ...NOTICE, hooks: ["prepare" as const] };

  it("is hibernated for idleness once a notice can't be true any more", () => {
    const line = new Timeline({ provider: "ec2" }).beatUntil(at("59:00"), { ...NOTICE, gpu_utilization: 1 });
    expect(line.kinds).not.toContain("idle");
    line.until(at("1:00:00")).beatUntil(at("1:02:00"), { ...NOTICE, gpu_utilization: 1 });
    expect(line.kinds.slice(-2)).toEqual(["idle", "hibernating"]);
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is hibernated after its longest time", () => {
    const line = new Timeline({ provider: "ec2", overrides: { max_runtime_hours: 2 } });
    line.beatUntil(at("2:00:00"), NOTICE);
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is hibernated as its owner asks, at the limit of its hooks", () => {
    const line = new Timeline({ provider: "ec2" }).beatUntil(at("1:00"), hooked);
    line.command({ type: "hibernate.requested" });
    expect(line.view.lifecycle).toMatchObject({ next_step: "hibernate", at: "2025-12-19T00:11:00Z" });
    line.until(at("2:00")).beatUntil(at("11:00"), { ...hooked, status: "preparing" });
    expect(line.orders).toEqual(["hibernate"]);
  });

  it("is an orphan once it is silent", () => {
    const line = new Timeline({ provider: "ec2" }).beatUntil(at("2:00:00"), NOTICE);
    line.until(at("2:05:00"));
    expect(line.view.status).toBe("orphaned");
  });

  it("is believed no longer for taking it back meanwhile, and is told of once an hour at most", () => {
    const line = new Timeline({ provider: "ec2" });
    for (let minute = 0; minute < 180; minute++) {
      line.until(at(`${minute}:00`)).heartbeat({
        ...NOTICE,
        gpu_utilization: 1,
        status: minute % 2 === 0 ? "reclaimed" : "running",
        reclaim: { by: "ec2", action: `a${minute}`, in_seconds: 86_400 },
      });
    }
    expect(line.orders.slice(0, 1)).toEqual(["hibernate"]);
    expect(line.kinds.filter((kind) => kind === "reclaimed").length).toBeLessThanOrEqual(3);
  });

  it("and comes back before anybody was asked is believed no longer either", () => {
    const line = new Timeline({ provider: "ec2", overrides: { orphan: { hibernate_after_seconds: 1000 } } });
    for (let minute = 0; minute < 90; minute += 5) {
      line.until(at(`${minute}:00`)).heartbeat(NOTICE);
    }
    expect(line.kinds.filter((kind) => kind === "reclaimed")).toHaveLength(1);
    expect(line.kinds).toContain("orphaned");
  });
});

const START_PLUS_A_MONTH = at("0:00") + 30 * DAY;

describe("a dead-man switch that has acted", () => {
  const back = (seconds: number): HeartbeatReport => ({
    gpu_utilization: 90,
    dead_man: { hours: 6, acted_seconds_ago: seconds },
  });

  it("is told of on return, once", () => {
    const line = new Timeline();
    line.heartbeat({ gpu_utilization: 90, dead_man: { hours: 6, acted_seconds_ago: null } });
    expect(line.kinds).not.toContain("dead_man_hibernated");
    line.until(at("3:00:00"));
    line.heartbeat(back(3600));
    expect(line.events.at(-1)).toMatchObject({
      kind: "dead_man_hibernated",
      severity: "warning",
      message:
        "Its dead-man switch hibernated it at 2025-12-19T02:00:00Z: it was idle, and the service out of its reach for 6h",
    });
    line.until(at("3:01:00")).heartbeat(back(3661));
    expect(line.kinds.filter((kind) => kind === "dead_man_hibernated")).toHaveLength(1);
    line.until(at("9:00:00")).heartbeat(back(600));
    expect(line.kinds.filter((kind) => kind === "dead_man_hibernated")).toHaveLength(2);
  });

  it("is told of once an hour at most, whatever the machine says", () => {
    const line = new Timeline();
    for (let minute = 0; minute < 120; minute++) {
      line.until(at(`${minute}:00`)).heartbeat(back(60 + 7200 * (minute % 3)));
    }
    expect(line.kinds.filter((kind) => kind === "dead_man_hibernated")).toHaveLength(2);
  });
});
