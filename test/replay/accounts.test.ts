import fc from "fast-check";
import { expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { actualOf } from "../../src/replay/actual.ts";
import { moneyOf } from "../../src/replay/money.ts";
import { Life, lifePlan } from "./lives.ts";

/** A wake that its provider confirmed runs before it is heard: the ledger knows since when, and no event does. */
const WAKE_GRACE_MS = 11 * MINUTE_MS;

/** After these the ledger claims no saving until its provider has been asked: a replay takes the machine to be off. */
const DOUBTED: ReadonlySet<string> = new Set(["resumed", "wake_failed", "found_running", "vanished"]);

it("puts down what really happened as the ledger of the instance did", () => {
  fc.assert(
    fc.property(lifePlan({ untold: false }), (plan) => {
      const life = new Life(plan);
      const story = life.story();
      const isDoubted = ({ kind, detail }: (typeof story.events)[number]) =>
        DOUBTED.has(kind) || detail.announced === true;
      if (story.events.some(isDoubted)) return;
      const wakes = story.events.filter(({ kind }) => kind === "waking").length;
      const { outcome } = actualOf(story);
      const ledger = moneyOf(life.state, story.to);
      const awake = ({ workingMs, idleMs, silentMs }: typeof ledger) => workingMs + idleMs + silentMs;
      const offBy = Math.abs(outcome.hibernatedMs - ledger.hibernatedMs);
      expect(offBy).toBeLessThanOrEqual(wakes * WAKE_GRACE_MS);
      expect(Math.abs(awake(outcome) - awake(ledger))).toBeLessThanOrEqual(wakes * WAKE_GRACE_MS);
      expect(outcome.saved).toBeCloseTo(ledger.saved, 2);
    }),
    { numRuns: 500 },
  );
});
