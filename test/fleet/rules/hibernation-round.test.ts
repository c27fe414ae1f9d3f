import { describe, expect, it } from "vitest";
import {
  type Asked,
  counted,
  describeCounts,
  isLeft,
  NO_COUNTS,
  roundFor,
  roundRetryMs,
  verdictOf,
} from "../../../src/fleet/rules/hibernation-round.ts";
import { STATUSES } from "../../../src/lifecycle/model/phase.ts";
import { say } from "../../../src/lifecycle/model/words/say.ts";
import type { ConnectionStanding } from "../../../src/lifecycle/views/control.ts";
import { type ShownView, shown } from "../../../src/lifecycle/views/instance-view.ts";
import { IN_STATUS } from "../../lifecycle/statuses.ts";
import { at, Timeline } from "../../lifecycle/timeline.ts";

/** What a hibernation of many would do to each, by what its fleet knows. */

const ALL: Asked = { by: "kill_switch", respectKeepAlive: true, onlyIdle: false, status: null };

const viewOf = (line: Timeline, connection: ConnectionStanding = "active"): ShownView =>
  shown(line.view, connection);

const verdict = (line: Timeline, asked: Asked = ALL, connection: ConnectionStanding = "active") =>
  verdictOf(viewOf(line, connection), asked, line.now);

describe("the verdict", () => {
  it.each(STATUSES)("of one that is %s agrees with what it decides itself", (status) => {
    const line = IN_STATUS[status]();
    const { does, because } = verdict(line);
    const round = roundFor(viewOf(line), ALL, line.now);
    const refusal = line.command({ type: "hibernate.requested", round });
    expect(does === "hibernate").toBe(refusal === null);
    if (does === "skip") expect(because).toBe(status);
  });

  it("says what one does that is to be hibernated, and what that saves an hour", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    expect(verdict(line)).toEqual({ does: "hibernate", because: "working", savesHourly: 0.39 });
    const idle = new Timeline().beatUntil(at("4:00"), { gpu_utilization: 1 });
    expect(verdict(idle)).toMatchObject({ because: "idle" });
    expect(verdict(IN_STATUS.orphaned())).toMatchObject({ because: "silent" });
    const unpriced = new Timeline({ profile: { hourlyCost: null } }).beatUntil(at("1:00"));
    expect(verdict(unpriced)).toMatchObject({ savesHourly: null });
  });

  it.each([
    ["none", "active", "no_provider"],
    ["vast", "missing", "not_connected"],
    ["vast", "refused", "refused"],
    ["lambda", "active", "cannot_stop"],
  ] as const)("of one at %s, connection %s, is to skip it: %s", (provider, connection, because) => {
    const line = new Timeline({ provider }).beatUntil(at("1:00"));
    expect(verdict(line, ALL, connection)).toEqual({ does: "skip", because });
  });

  it("of one whose policy only observes is to skip it for a budget, and a person's word counts", () => {
    const line = new Timeline({ overrides: { mode: "observe" } }).beatUntil(at("1:00"));
    expect(verdict(line, { ...ALL, by: "budget" })).toEqual({ does: "skip", because: "observe" });
    expect(verdict(line)).toMatchObject({ does: "hibernate" });
    expect(isLeft("observe")).toBe(false);
  });

  it("of a silent one that only its agent could stop is to skip it", () => {
    const line = new Timeline({ provider: "agent" });
    line.heartbeat();
    expect(verdict(line.until(at("10:00")))).toEqual({ does: "skip", because: "silent" });
  });

  it("spares one that is kept alive unless asked otherwise", () => {
    const line = new Timeline().beatUntil(at("1:00"));
    line.command({ type: "keep_alive", durationMs: 90_500 });
    expect(verdict(line)).toEqual({ does: "skip", because: "kept_alive" });
    const over = { ...ALL, respectKeepAlive: false };
    expect(verdict(line, over)).toMatchObject({ does: "hibernate" });
    expect(
      line.command({ type: "hibernate.requested", round: roundFor(viewOf(line), over, line.now) }),
    ).toBeNull();
  });

  it("counts each once", () => {
    const counts = [
      verdict(new Timeline().beatUntil(at("1:00"))),
      verdict(new Timeline({ profile: { hourlyCost: null } }).beatUntil(at("1:00"))),
      verdict(IN_STATUS.pending()),
      verdict(IN_STATUS.hibernated()),
      verdict(IN_STATUS.hibernated()),
    ].reduce(counted, NO_COUNTS);
    expect(counts).toEqual({
      hibernate: 2,
      skip: 3,
      skipped: { pending: 1, hibernated: 2 },
      savesHourly: 0.39,
      unknownRates: 1,
    });
    expect(say("en", describeCounts(counts))).toBe(
      "2 instances, saving $0.39 an hour, without 1 of unknown price",
    );
    expect(say("pt-BR", describeCounts(counts))).toBe(
      "2 instâncias, o que economiza US$ 0,39 por hora, sem 1 de preço desconhecido",
    );
  });
});

it("leaves nobody who goes on costing money untold", () => {
  expect(["out_of_reach", "unreadable", "no_provider", "dropped"].every(isLeft)).toBe(true);
  expect(["ordered", "hibernated", "kept_alive", "not_idle", "changed", null].some(isLeft)).toBe(false);
});

it("tries again after a while that grows to ten minutes", () => {
  expect([0, 1, 2, 3, 9, 40].map(roundRetryMs)).toEqual([15_000, 30_000, 60_000, 120_000, 600_000, 600_000]);
});
