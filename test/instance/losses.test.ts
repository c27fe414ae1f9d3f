import { describe, expect, it } from "vitest";
import type { GivenUp } from "../../src/instance/held.ts";
import { isLoss, oldChunksIn, recordLosses, withoutLost } from "../../src/instance/losses.ts";
import type { PendingEffect } from "../../src/lifecycle/model/effects.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import { say } from "../../src/lifecycle/model/words/say.ts";
import { Timeline } from "../lifecycle/timeline.ts";
import { heartbeat, MINUTE, NOW, outboxOf } from "./outbox-of.ts";

const WEEK = 7 * 24 * 60 * MINUTE;

function stateWith(outbox: readonly PendingEffect[]): InstanceState {
  return { ...new Timeline().state, outbox };
}

function lost(...effects: readonly PendingEffect[]): GivenUp[] {
  return effects.map((pending) => ({
    pending,
    heartbeats: pending.effect.type === "chunk" ? pending.effect.heartbeats.length : 0,
    since: NOW,
    target: "history",
  }));
}

const losses = ({ outbox }: InstanceState) =>
  outbox.flatMap((pending) =>
    isLoss(pending) && pending.effect.type === "event"
      ? [{ ...pending.effect.event, effectId: pending.id }]
      : [],
  );

describe("what was given up", () => {
  const [chunk, event, other] = outboxOf("chunk", "event", "chunk");
  if (chunk === undefined || event === undefined || other === undefined) throw new Error("no effects");

  it("is said in one event, which counts on as long as it waits", () => {
    const first = recordLosses(stateWith([]), lost(chunk), NOW);
    expect(losses(first)).toMatchObject([
      {
        at: NOW,
        severity: "warning",
        message: "1 heartbeat could not be delivered in time, and was given up",
        detail: { heartbeats: 1, events: 0 },
      },
    ]);
    const [before] = losses(first);
    const second = recordLosses(first, lost(event, other), NOW + MINUTE);
    expect(losses(second)).toEqual([
      {
        ...before,
        message: "2 heartbeats and 1 event could not be delivered in time, and were given up",
        said: expect.anything(),
        detail: { heartbeats: 2, events: 1 },
      },
    ]);
    expect(losses(second).map(({ said }) => say("pt-BR", said ?? ""))).toEqual([
      "Não foi possível entregar 2 heartbeats e 1 evento a tempo; foram descartados",
    ]);
    expect(second.nextEffectId).toBe(first.nextEffectId);
  });

  it("is said anew once that was told", () => {
    const told = stateWith([]);
    const [first] = losses(recordLosses(told, lost(chunk), NOW));
    const [again] = losses(
      recordLosses({ ...told, nextEffectId: told.nextEffectId + 1 }, lost(other), NOW + MINUTE),
    );
    expect(again).toMatchObject({ at: NOW + MINUTE, detail: { heartbeats: 1 } });
    expect(again?.id).not.toBe(first?.id);
  });

  it("is not said of what told of deliveries itself, nor by an instance that was removed", () => {
    const [pending] = recordLosses(stateWith([]), lost(chunk), NOW).outbox;
    if (pending === undefined) throw new Error("no event");
    const state = stateWith([]);
    expect(recordLosses(state, lost(pending), NOW)).toBe(state);
    const removed = stateWith(outboxOf("forget"));
    expect(recordLosses(removed, lost(chunk), NOW)).toBe(removed);
  });

  it("is said of what this version can't read, too", () => {
    const unreadable = [{ pending: null, heartbeats: 30, since: NOW, target: "history" as const }];
    expect(losses(recordLosses(stateWith([]), unreadable, NOW))).toMatchObject([
      { detail: { heartbeats: 30, events: 0 } },
    ]);
  });
});

describe("chunks in the state's row", () => {
  it("are given up a week after their last heartbeat, and nothing else is", () => {
    const chunk: PendingEffect = {
      id: 9,
      effect: { type: "chunk", heartbeats: [heartbeat(0), heartbeat(1000)] },
    };
    const state = stateWith([...outboxOf("event", "action", "projection"), chunk]);
    expect(oldChunksIn(state, NOW + 1000 + WEEK)).toEqual([]);
    expect(oldChunksIn(state, NOW + 1001 + WEEK)).toEqual([chunk]);
    expect(withoutLost(state, [chunk]).outbox).toEqual(state.outbox.slice(0, -1));
    expect(withoutLost(state, [])).toBe(state);
  });
});
