import { describe, expect, it } from "vitest";
import { type RaisedAlert, Told } from "./alerts-told.ts";

const MINUTE = 60_000;

const alert = (id: string, at: number, kind = "silent", instanceId = "rig"): RaisedAlert => ({
  id,
  at,
  raisedAt: at,
  kind,
  instanceId,
  orphanedSince: null,
});

const group = (alerts: readonly RaisedAlert[], more = 0) => ({
  kind: alerts[0]?.kind ?? "silent",
  lines: alerts.map(({ id, instanceId, at }) => ({ eventId: id, instanceId, at })),
  more,
});

/** What is found when these were raised, and these messages heard, each with words and the alerts that it names. */
function judge(
  raised: readonly RaisedAlert[],
  messages: readonly (readonly [id: string, words: string, told: readonly RaisedAlert[], more?: number])[],
): string[] {
  const found: string[] = [];
  const told = new Told((what) => found.push(what));
  for (const [id, words, alerts, more] of messages) told.hear(id, words, [group(alerts, more)]);
  told.judge(raised, 240 * MINUTE, 30 * MINUTE);
  return found;
}

describe("what was told", () => {
  const one = alert("1", 0);
  const two = alert("2", 0, "silent", "other");

  it("is all, once", () => {
    expect(judge([one, two], [["m", "words", [one, two]]])).toEqual([]);
  });

  it("may come again with the same words, and not with others", () => {
    expect(
      judge(
        [one],
        [
          ["m", "words", [one]],
          ["m", "words", [one]],
        ],
      ),
    ).toEqual([]);
    expect(
      judge(
        [one],
        [
          ["m", "words", [one]],
          ["m", "other", [one]],
        ],
      ),
    ).toEqual(["message m came twice with different words"]);
  });

  it("lacks one that nobody told, but for one that is only counted", () => {
    expect(judge([one, two], [["m", "words", [one]]])).toEqual([expect.stringContaining("was never told")]);
    expect(judge([one, two], [["m", "words", [one], 1]])).toEqual([]);
  });

  it("has one by two messages, or one that never happened", () => {
    expect(
      judge(
        [one],
        [
          ["m", "words", [one]],
          ["n", "words", [one]],
        ],
      ),
    ).toEqual([expect.stringContaining("was told by m and by n")]);
    expect(judge([one], [["m", "words", [one, two]]])).toEqual([expect.stringContaining("nobody raised it")]);
  });

  it("need not say again what lasts, nor what the guard has said", () => {
    const again = alert("3", 10 * MINUTE);
    expect(judge([one, again], [["m", "words", [one]]])).toEqual([]);
    const closed = alert("g", 20 * MINUTE, "guard_closed", "");
    const back = { ...alert("4", 900 * MINUTE, "recovered"), orphanedSince: 15 * MINUTE };
    expect(judge([closed, back, two], [["m", "words", [closed]]])).toEqual([]);
    const late = { ...alert("5", -60 * MINUTE, "orphaned"), raisedAt: 19 * MINUTE };
    const backLate = { ...back, orphanedSince: -60 * MINUTE };
    expect(judge([closed, late, backLate], [["m", "words", [closed]]])).toEqual([]);
    expect(
      judge([closed, { ...late, raisedAt: late.at }, backLate], [["m", "words", [closed]]]),
    ).toHaveLength(2);
    const unrelated = { ...back, orphanedSince: 800 * MINUTE };
    const opened = alert("o", 60 * MINUTE, "guard_opened", "");
    expect(
      judge(
        [closed, opened, unrelated],
        [
          ["m", "w", [closed]],
          ["n", "w", [opened]],
        ],
      ),
    ).toEqual([expect.stringContaining("recovered rig/4")]);
  });
});
