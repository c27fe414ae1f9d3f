import { describe, expect, it } from "vitest";
import { type DueEffect, targetsOf } from "../../src/instance/attempts.ts";
import { deliver, type Targets } from "../../src/instance/delivery.ts";
import type { PendingEffect } from "../../src/lifecycle/model/effects.ts";
import { outboxOf } from "./outbox-of.ts";

/** Targets that remember what they were asked, and refuse what they are told to. */
class FakeTargets implements Targets {
  readonly calls: string[] = [];
  readonly kept = new Set<string>();
  #refuses: (what: string) => boolean = () => false;
  answer: Awaited<ReturnType<Targets["fleet"]>> = { policy: null, answers: [] };

  refuse(what: (call: string) => boolean): this {
    this.#refuses = what;
    return this;
  }

  async #take(target: string, items: readonly string[]): Promise<void> {
    const call = `${target}(${items.join(" ")})`;
    this.calls.push(call);
    if (this.#refuses(call)) throw new Error(`refused: ${call}`);
    for (const item of items) this.kept.add(`${target} ${item}`);
  }

  async history(...[chunks, events]: Parameters<Targets["history"]>): Promise<void> {
    const numbers = chunks.map(([first]) => `chunk-${first?.sequence}`);
    await this.#take("history", [...numbers, ...events.map(({ id }) => id)]);
  }

  async fleet({ events, questions }: Parameters<Targets["fleet"]>[0]) {
    await this.#take("fleet", [...events.map(({ id }) => id), ...questions]);
    return this.answer;
  }

  async order({ actionId }: Parameters<Targets["order"]>[0]): Promise<void> {
    await this.#take("order", [actionId]);
  }

  async forget(): Promise<void> {
    await this.#take("forget", []);
  }
}

function due(outbox: readonly PendingEffect[]): DueEffect[] {
  return outbox.map((pending) => ({ pending, targets: targetsOf(pending) }));
}

/** The ids that a target has taken and refused. */
function outcome(delivery: Awaited<ReturnType<typeof deliver>>, target: string) {
  const found = delivery.outcomes.find((one) => one.target === target);
  return found && [found.passed, found.failed];
}

const ALL = outboxOf("chunk", "event", "projection", "action", "guard", "event");

describe("the delivery", () => {
  it("gives each target all that is for it, in one call", async () => {
    const targets = new FakeTargets();
    const delivery = await deliver(due(ALL), targets);
    expect(targets.calls.toSorted()).toEqual([
      "fleet(e-2 e-6 hibernate)",
      "history(chunk-1 e-2 e-6)",
      "order(a-4)",
    ]);
    expect(outcome(delivery, "history")).toEqual([[1, 2, 6], []]);
    expect(outcome(delivery, "fleet")).toEqual([[2, 3, 5, 6], []]);
    expect(outcome(delivery, "order")).toEqual([[4], []]);
    expect(delivery.errors).toEqual([]);
  });

  it("asks nobody for whom there is nothing", async () => {
    const targets = new FakeTargets();
    await deliver(due(outboxOf("chunk")), targets);
    expect(targets.calls).toEqual(["history(chunk-1)"]);
    expect((await deliver([], targets)).outcomes).toEqual([]);
  });

  it.each(["history", "fleet", "order"])("is held up nowhere else by a %s that is down", async (down) => {
    const targets = new FakeTargets().refuse((call) => call.startsWith(down));
    const delivery = await deliver(due(ALL), targets);
    for (const target of ["history", "fleet", "order"]) {
      const [passed, failed] = outcome(delivery, target) ?? [];
      expect([target, passed?.length === 0, failed?.length === 0]).toEqual([
        target,
        target === down,
        target !== down,
      ]);
    }
    expect(delivery.errors.map(({ target }) => target)).toEqual([down]);
  });

  it("goes one by one after a refusal, so that one piece holds up no other of its target", async () => {
    const targets = new FakeTargets().refuse((call) => call.includes("chunk-3"));
    const delivery = await deliver(due(outboxOf("chunk", "chunk", "chunk", "event")), targets);
    expect(outcome(delivery, "history")).toEqual([[4, 2, 1], [3]]);
    expect(outcome(delivery, "fleet")).toEqual([[4], []]);
  });

  it("knows a target for down after five failures one by one", async () => {
    const targets = new FakeTargets().refuse((call) => call.startsWith("history"));
    const chunks = Array.from({ length: 20 }, () => "chunk" as const);
    const delivery = await deliver(due(outboxOf(...chunks)), targets);
    expect(targets.calls).toHaveLength(6);
    expect(outcome(delivery, "history")).toEqual([[], [20, 19, 18, 17, 16]]);
  });

  it("tries the newest first, and goes on through all failures once one has passed", async () => {
    const targets = new FakeTargets().refuse((call) => !/^history\(chunk-20\)$/.test(call));
    const chunks = Array.from({ length: 20 }, () => "chunk" as const);
    const delivery = await deliver(due(outboxOf(...chunks)), targets);
    expect(outcome(delivery, "history")?.map((ids) => ids.length)).toEqual([1, 19]);
  });

  it("tries an effect only at the targets that it is due at", async () => {
    const targets = new FakeTargets();
    const [event] = outboxOf("event");
    if (event === undefined) throw new Error("no event");
    await deliver([{ pending: event, targets: ["fleet"] }], targets);
    expect(targets.calls).toEqual(["fleet(e-1)"]);
  });

  it("forgets last, and only if nothing has failed", async () => {
    const leaving = due(outboxOf("chunk", "event", "forget"));
    const targets = new FakeTargets();
    const delivery = await deliver(leaving, targets);
    expect(targets.calls.at(-1)).toBe("forget()");
    expect(delivery.isForgotten).toBe(true);
    for (const down of ["history", "fleet"]) {
      const hindered = new FakeTargets().refuse((call) => call.startsWith(down));
      expect((await deliver(leaving, hindered)).isForgotten).toBe(false);
      expect(hindered.calls).not.toContain("forget()");
    }
    const unheard = await deliver(
      leaving,
      new FakeTargets().refuse((call) => call === "forget()"),
    );
    expect(unheard.isForgotten).toBe(false);
    expect(outcome(unheard, "forget")).toEqual([[], [3]]);
  });

  it("brings the guard's answers and a newer policy back", async () => {
    const targets = new FakeTargets();
    const policy = { overrides: { idle: { enabled: false } }, version: 7 };
    targets.answer = {
      policy,
      answers: [
        { step: "hibernate", answer: { held: true } },
        { step: "delete", answer: { held: false, openedAt: 5 } },
      ],
    };
    const delivery = await deliver(due(outboxOf("guard")), targets);
    expect(delivery.answers).toEqual([
      { type: "guard.deferred", step: "hibernate" },
      { type: "guard.permitted", step: "delete", openedAt: 5 },
    ]);
    expect(delivery.policy).toEqual(policy);
    targets.refuse((call) => call.startsWith("fleet"));
    expect(await deliver(due(outboxOf("guard")), targets)).toMatchObject({ answers: [], policy: null });
  });

  it("changes nothing when it is repeated", async () => {
    const targets = new FakeTargets();
    await deliver(due(ALL), targets);
    const kept = [...targets.kept];
    await deliver(due(ALL), targets);
    expect([...targets.kept]).toEqual(kept);
  });
});
