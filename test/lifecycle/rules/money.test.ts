import { describe, expect, it } from "vitest";
import type { HistoryEventKind } from "../../../src/lifecycle/model/history-event.ts";
import { FIGURES, type Money, moneyIn } from "../../../src/lifecycle/model/money.ts";
import { wordMoney } from "../../../src/lifecycle/model/words/word-money.ts";
import { deleting, IN_STATUS, idle, silent } from "../statuses.ts";
import { at, Timeline } from "../timeline.ts";

/** Each costs $0.40 an hour awake, and $0.01 hibernated, unless it says otherwise. */

const IDLE = { gpu_utilization: 2 };

/** The figures of the latest event of this kind, and what is said of them. */
function told(line: Timeline, kind: HistoryEventKind): readonly [Money, string | null] {
  const event = line.events.findLast((one) => one.kind === kind);
  if (event === undefined) throw new Error(`no ${kind}`);
  const money = moneyIn(kind, event.detail);
  return [money, wordMoney("en", kind, money)];
}

describe("the events of", () => {
  it("an idle machine say what it costs, and what hibernation saves", () => {
    const line = idle();
    expect(told(line, "idle")).toEqual([
      { rate: 0.4, hibernated_cost: 0.01, would_save_hourly: 0.39 },
      "It costs $0.40 an hour and would save $0.39 an hour if it were hibernated.",
    ]);
    // Two minutes past the warning.
    expect(told(line, "hibernating")[0]).toMatchObject({ rate: 0.4, wasted: 0.0133 });
    line.succeed();
    expect(told(line, "hibernated")).toEqual([
      { rate: 0.01, running_cost: 0.4, hibernated_cost: 0.01, saves_hourly: 0.39, wasted: 0.0133 },
      "It still costs $0.01 an hour and saves $0.39 an hour. Before, it wasted $0.0133.",
    ]);
  });

  it("a silent machine say what its silence has cost so far, and the last one what it has cost in all", () => {
    const line = new Timeline().beatUntil(at("2:00:00"));
    line.until(at("4:30:00"));
    expect(told(line, "orphaned")[0]).toEqual({
      rate: 0.4,
      hibernated_cost: 0.01,
      would_save_hourly: 0.39,
    });
    // From the fifth minute of its silence to the thirtieth, and to the second hour.
    expect(told(line, "silent")[0].wasted).toBe(0.1667);
    expect(told(line, "abandoned")[1]).toBe(
      "It costs $0.40 an hour, has wasted $0.77 and would save $0.39 an hour if it were hibernated.",
    );
    line.heartbeat();
    expect(told(line, "recovered")).toEqual([
      { rate: 0.4, hibernated_cost: 0.01, wasted: 0.9667 },
      "It costs $0.40 an hour and has wasted $0.97.",
    ]);
  });

  it("a silence count from its beginning, over midnight, and not what was wasted before", () => {
    const line = new Timeline({ provider: "none" }).beatUntil(at("20:00:00"), IDLE);
    line.heartbeat();
    line.until(at("24:00:00") + 2 * 3_600_000);
    const [{ wasted = 0 }] = told(line, "abandoned");
    expect(wasted).toBeCloseTo(0.4 * (115 / 60), 3);
    expect(line.view.wasted_total).toBeGreaterThan(8);
  });

  it("a machine that is to be deleted say what it still costs, and then what that ends", () => {
    const line = deleting();
    expect(told(line, "deleting")[1]).toBe("It still costs $0.01 an hour and saves $0.39 an hour.");
    line.succeed();
    const [money, text] = told(line, "deleted");
    expect(money).toMatchObject({ saves_hourly: 0.01, wasted_total: 0.1667 });
    expect(money.cost_total).toBeCloseTo(0.5 * 0.4 + 7 * 24 * 0.01, 1);
    expect(text).toMatch(
      /^In all it cost \$1\.\d\d, of which \$0\.17 was wasted\. That ends \$0\.01 an hour\.$/,
    );
  });

  it("a machine that was never heard, or is started, say what it costs if it runs, or once it does", () => {
    expect(told(new Timeline().until(at("30:00")), "never_heard")[1]).toBe(
      "If it runs, it costs $0.40 an hour.",
    );
    const line = idle().succeed().until(at("10:00"));
    line.command({ type: "wake.requested" });
    expect(told(line, "waking")[1]).toBe("Once it runs, it costs $0.40 an hour.");
    line.fail();
    expect(told(line, "wake_failed")[1]).toBe("It still costs $0.01 an hour and saves $0.39 an hour.");
  });

  it("a machine whose start may still come say what it costs while it runs", () => {
    const line = IN_STATUS.waking().until(at("6:00"));
    const { actionId } = line;
    line.accept();
    line.command({ type: "action.failed", actionId, because: "no capacity", notCancelled: "503" });
    expect(told(line, "wake_failed")).toEqual([
      { running_cost: 0.4, hibernated_cost: 0.01 },
      "While it runs, it costs $0.40 an hour.",
    ]);
  });

  it("a machine that works promise no saving, unless its owner has it hibernated", () => {
    const line = IN_STATUS.running();
    line.command({ type: "keep_alive", durationMs: 3_600_000 });
    expect(told(line, "kept_alive")[1]).toBe("It costs $0.40 an hour.");
    line.command({ type: "hibernate.requested" });
    expect(told(line, "hibernating")[0].would_save_hourly).toBe(0.39);
  });
});

describe("what is not known", () => {
  it("is left out, and nothing is said of it", () => {
    const line = new Timeline({ profile: { hourlyCost: null, hibernatedHourlyCost: null } });
    line.beatUntil(at("5:00"), IDLE).succeed();
    for (const { kind, detail } of line.events) {
      expect([kind, FIGURES.filter((figure) => figure in detail)]).toEqual([kind, []]);
      expect(wordMoney("en", kind, moneyIn(kind, detail))).toBeNull();
    }
  });

  it("of a hibernated one promises no saving", () => {
    const line = new Timeline({ profile: { hibernatedHourlyCost: null } });
    line.beatUntil(at("5:00"), IDLE).succeed();
    expect(told(line, "idle")[1]).toBe("It costs $0.40 an hour.");
    expect(told(line, "hibernated")).toEqual([
      { running_cost: 0.4, wasted: 0.0133 },
      "While it runs, it costs $0.40 an hour. Before, it wasted $0.0133.",
    ]);
  });

  it("is not nothing: a hibernated one may cost nothing by its owner's word", () => {
    const line = new Timeline({ profile: { hibernatedHourlyCost: 0 } });
    line.beatUntil(at("5:00"), IDLE).succeed();
    expect(told(line, "hibernated")[1]).toMatch(/^It costs nothing now and saves \$0\.40 an hour\./);
  });
});

it("only adds figures to an event, and only to those of what it concerns", () => {
  const line = silent();
  for (const { kind, detail } of line.events) {
    const isPriced = "rate" in detail;
    expect([kind, isPriced]).toEqual([kind, !["registered", "first_heartbeat"].includes(kind)]);
  }
});

it("figures in an event of a kind of another release, or of another form, are nobody's concern", () => {
  expect(moneyIn("made_up", { rate: 1 })).toEqual({});
  expect(moneyIn("idle", { rate: "much", wasted: null, wasted_so_far: 1 })).toEqual({});
  expect(wordMoney("en", "made_up", { rate: 1 })).toBeNull();
});
