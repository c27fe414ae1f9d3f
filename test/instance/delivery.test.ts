import { describe, expect, it } from "vitest";
import { type DeliveryTarget, TARGETS, targetsOf } from "../../src/instance/attempts.ts";
import { type DeliveryResult, deliver, type Targets } from "../../src/instance/delivery.ts";
import type { PendingEffect } from "../../src/lifecycle/model/effects.ts";
import { outboxOf } from "./outbox-of.ts";

/** Targets that remember what they were asked, and refuse what they are told to. */
class FakeTargets implements Targets {
  readonly calls: string[] = [];
  readonly kept = new Set<string>();
  #refuses: (what: string) => boolean = () => false;
  #hanging: string | null = null;
  answer: Awaited<ReturnType<Targets["fleet"]>> = { policy: null, answers: [] };

  refuse(what: (call: string) => boolean): this {
    this.#refuses = what;
    return this;
  }

  /** Never answers this target. */
  hang(target: string): this {
    this.#hanging = target;
    return this;
  }

  async #take(target: string, items: readonly string[]): Promise<void> {
    const call = `${target}(${items.join(" ")})`;
    this.calls.push(call);
    if (this.#hanging === target) await new Promise(() => {});
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

/** Gives each target what is for it, all at the same time. */
async function deliverAll(
  outbox: readonly PendingEffect[],
  targets: Targets,
  limitMs?: number,
): Promise<Record<DeliveryTarget, DeliveryResult>> {
  const to = (target: DeliveryTarget) =>
    deliver(
      target,
      outbox.filter((pending) => targetsOf(pending).includes(target)),
      targets,
      limitMs,
    );
  const [history, fleet, order] = await Promise.all([to("history"), to("fleet"), to("order")]);
  return { history, fleet, order };
}

/** The ids that a target has taken and refused. */
const idsOf = ({ outcome: { passed, failed } }: DeliveryResult) => [passed, failed];

const ALL = outboxOf("chunk", "event", "projection", "action", "guard", "event");

describe("the delivery", () => {
  it("gives each target all that is for it, in one call", async () => {
    const targets = new FakeTargets();
    const { history, fleet, order } = await deliverAll(ALL, targets);
    expect(targets.calls.toSorted()).toEqual([
      "fleet(e-2 e-6 hibernate)",
      "history(chunk-1 e-2 e-6)",
      "order(a-4)",
    ]);
    expect(idsOf(history)).toEqual([[1, 2, 6], []]);
    expect(idsOf(fleet)).toEqual([[2, 3, 5, 6], []]);
    expect(idsOf(order)).toEqual([[4], []]);
    expect([history, fleet, order].flatMap(({ errors }) => errors)).toEqual([]);
  });

  it("asks nobody for whom there is nothing", async () => {
    const targets = new FakeTargets();
    await deliverAll(outboxOf("chunk"), targets);
    expect(targets.calls).toEqual(["history(chunk-1)"]);
  });

  it.each(TARGETS)("has a %s that is down take nothing", async (down) => {
    const targets = new FakeTargets().refuse((call) => call.startsWith(down));
    const deliveries = await deliverAll(ALL, targets);
    for (const target of TARGETS) {
      const { outcome, errors } = deliveries[target];
      expect([target, outcome.passed.length === 0, outcome.failed.length === 0, errors.length === 0]).toEqual(
        [target, target === down, target !== down, target !== down],
      );
    }
  });

  it.each(TARGETS)(
    "waits for a %s that never answers no longer than the limit, and asks it once",
    async (down) => {
      const targets = new FakeTargets().hang(down);
      const deliveries = await deliverAll(ALL, targets, 20);
      for (const target of TARGETS) {
        expect([target, deliveries[target].outcome.passed.length === 0]).toEqual([target, target === down]);
      }
      expect(targets.calls.filter((call) => call.startsWith(down))).toHaveLength(1);
      const all = ALL.filter((pending) => targetsOf(pending).includes(down)).map(({ id }) => id);
      expect(deliveries[down].outcome.failed).toEqual(all);
    },
  );

  it("goes one by one after a refusal, so that one piece holds up no other of its target", async () => {
    const targets = new FakeTargets().refuse((call) => call.includes("chunk-3"));
    const { history, fleet } = await deliverAll(outboxOf("chunk", "chunk", "chunk", "event"), targets);
    expect(idsOf(history)).toEqual([[4, 2, 1], [3]]);
    expect(idsOf(fleet)).toEqual([[4], []]);
  });

  it("knows a target for down after five failures one by one", async () => {
    const targets = new FakeTargets().refuse((call) => call.startsWith("history"));
    const chunks = Array.from({ length: 20 }, () => "chunk" as const);
    const { history } = await deliverAll(outboxOf(...chunks), targets);
    expect(targets.calls).toHaveLength(6);
    expect(idsOf(history)).toEqual([[], [20, 19, 18, 17, 16]]);
  });

  it("tries the newest first, and goes on through all failures once one has passed", async () => {
    const targets = new FakeTargets().refuse((call) => !/^history\(chunk-20\)$/.test(call));
    const chunks = Array.from({ length: 20 }, () => "chunk" as const);
    const { history } = await deliverAll(outboxOf(...chunks), targets);
    expect(idsOf(history).map((ids) => ids.length)).toEqual([1, 19]);
  });

  it("takes the instance out of the registry last, and only if the fleet has taken the rest", async () => {
    const leaving = outboxOf("chunk", "event", "forget");
    const targets = new FakeTargets().refuse((call) => call.startsWith("history"));
    const { fleet } = await deliverAll(leaving, targets);
    expect(targets.calls.filter((call) => !call.startsWith("history"))).toEqual(["fleet(e-2)", "forget()"]);
    expect(idsOf(fleet)).toEqual([[2, 3], []]);
    const alone = new FakeTargets();
    await deliverAll(outboxOf("forget"), alone);
    expect(alone.calls).toEqual(["forget()"]);
  });

  it("does not let one piece that the fleet refuses keep the instance in the registry", async () => {
    const leaving = outboxOf("event", "event", "forget");
    const targets = new FakeTargets().refuse((call) => call.startsWith("fleet") && call.includes("e-1"));
    const { fleet } = await deliverAll(leaving, targets);
    expect(idsOf(fleet)).toEqual([[2, 3], [1]]);
    expect(targets.calls.at(-1)).toBe("forget()");
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
    const { fleet } = await deliverAll(outboxOf("guard"), targets);
    expect(fleet.answers).toEqual([
      { type: "guard.deferred", step: "hibernate" },
      { type: "guard.permitted", step: "delete", openedAt: 5 },
    ]);
    expect(fleet.policy).toEqual(policy);
    targets.refuse((call) => call.startsWith("fleet"));
    expect((await deliverAll(outboxOf("guard"), targets)).fleet).toMatchObject({ answers: [], policy: null });
  });

  it("changes nothing when it is repeated", async () => {
    const targets = new FakeTargets();
    await deliverAll(ALL, targets);
    const kept = [...targets.kept];
    await deliverAll(ALL, targets);
    expect([...targets.kept]).toEqual(kept);
  });
});
