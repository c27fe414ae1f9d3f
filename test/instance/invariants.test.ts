import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import { SHARDS, shardNumbered } from "../../src/service/address.ts";
import { readService } from "../../src/service/service.ts";
import { DAY, eventually, Instance, newUser, setClock } from "../world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

async function beating(provider = "none"): Promise<Instance> {
  const one = await Instance.register(await newUser(), "rig", { provider });
  await one.heartbeat();
  await one.settled();
  return one;
}

async function stateOf(one: Instance): Promise<InstanceState> {
  return runInDurableObject(
    one.actor,
    (_, { storage }) => JSON.parse(String(storage.sql.exec("SELECT json FROM instance").one().json)).state,
  );
}

/** Writes into the stored state, behind the back of the actor. */
async function spoil(one: Instance, change: (state: InstanceState) => InstanceState): Promise<void> {
  await runInDurableObject(one.actor, (_, { storage }) => {
    const row = JSON.parse(String(storage.sql.exec("SELECT json FROM instance").one().json));
    storage.sql.exec("UPDATE instance SET json = ?", JSON.stringify({ ...row, state: change(row.state) }));
  });
  await evictDurableObject(one.actor);
}

/** The next heartbeat would close a gap of so many missed ones that their number is no number any more. */
const breakHeartbeats = (state: InstanceState): InstanceState => ({
  ...state,
  counters: { ...state.counters, missed: Number.MAX_VALUE, gapFrom: -1e308 },
});

/** The ids of effects can't be told apart any more: whatever has an effect would give it an id that is not its own. */
const breakEffects = (state: InstanceState): InstanceState => ({ ...state, nextEffectId: 2 ** 53 });

const mend =
  ({ counters, nextEffectId }: InstanceState) =>
  (state: InstanceState): InstanceState => ({ ...state, counters, nextEffectId });

async function breachesIn(one: Instance): Promise<{ severity: string; detail: object }[]> {
  await one.settled();
  const { body } = await one.ask("GET", "/events?limit=1000");
  return body.events.filter(({ kind }: { kind: string }) => kind === "invariant_breached");
}

function silenceLog() {
  return vi.spyOn(console, "error").mockReturnValue();
}

describe("a decision that breaks an invariant", () => {
  it("upon a heartbeat is answered 503, changes nothing, and is told once an hour, whatever is evicted", async () => {
    const one = await beating();
    await spoil(one, breakHeartbeats);
    const former = await stateOf(one);
    const log = silenceLog();
    for (let beat = 1; beat <= 4; beat++) {
      setClock(DAY + beat * MINUTE);
      const { status, headers, body } = await one.heartbeat();
      expect(status).toBe(503);
      expect(headers.get("Retry-After")).toBe("60");
      expect(body.error.code).toBe("unavailable");
      await one.settled();
      if (beat === 2) await evictDurableObject(one.actor);
    }
    const { nextEffectId, clock } = await stateOf(one);
    expect(await stateOf(one)).toEqual({ ...former, nextEffectId, clock });
    // It was heard, so its silence does not count, though nothing else of it does.
    expect(clock).toEqual({ ...former.clock, countsFrom: DAY + 4 * MINUTE });
    expect(await breachesIn(one)).toMatchObject([
      {
        severity: "critical",
        detail: {
          invariant: "number_not_finite",
          decided_upon: "heartbeat",
          first_at: "2030-01-07T00:01:00Z",
        },
      },
    ]);
    // Once for each time that the object came to memory.
    const line = {
      level: "error",
      message: "a decision broke an invariant",
      user_id: one.userId,
      instance_id: "rig",
      invariants: "number_not_finite",
      upon: "heartbeat",
    };
    expect(log.mock.calls.map(([text]) => JSON.parse(text))).toEqual([line, line]);
    setClock(DAY + HOUR);
    await one.heartbeat();
    expect(await breachesIn(one)).toHaveLength(2);
  });

  it("upon heartbeats leads nobody along the ladder, and the first that can be decided on counts", async () => {
    const one = await beating();
    const sound = await stateOf(one);
    await spoil(one, breakHeartbeats);
    silenceLog();
    for (let minute = 1; minute <= 45; minute++) {
      await one.until(DAY + minute * MINUTE);
      expect((await one.heartbeat()).status).toBe(503);
    }
    await one.settled();
    await spoil(one, (state) => ({ ...state, counters: sound.counters }));
    setClock(DAY + 46 * MINUTE);
    expect((await one.heartbeat()).status).toBe(200);
    expect((await one.ask("GET")).body).toMatchObject({ status: "running", total_heartbeats: 2 });
    expect(await one.eventKinds()).not.toContain("orphaned");
  });

  it("upon the heartbeat of an orphan starts its ladder anew", async () => {
    const one = await beating();
    await one.until(DAY + 20 * MINUTE);
    await one.settled();
    await spoil(one, breakHeartbeats);
    silenceLog();
    setClock(DAY + 21 * MINUTE);
    expect((await one.heartbeat()).status).toBe(503);
    const { phase } = await stateOf(one);
    expect(phase).toMatchObject({
      status: "orphaned",
      orphan: { since: DAY + 5 * MINUTE, clockFrom: DAY + 21 * MINUTE, step: "orphaned" },
    });
    await one.settled();
  });

  it("upon an alarm is tried again five minutes later, and not before", async () => {
    const one = await beating();
    const sound = await stateOf(one);
    await spoil(one, breakEffects);
    silenceLog();
    setClock(DAY + 5 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    await one.settled();
    expect(await one.armedAt()).toBe(DAY + 10 * MINUTE);
    expect(await one.status()).toBe("running");
    expect(await breachesIn(one)).toMatchObject([
      { detail: { invariant: "effects_out_of_order", decided_upon: "alarm" } },
    ]);
    await spoil(one, mend(sound));
    setClock(DAY + 10 * MINUTE);
    await runDurableObjectAlarm(one.actor);
    expect(await one.status()).toBe("orphaned");
  });

  it("upon what its owner asks is answered 503, and counted", async () => {
    const one = await beating("agent");
    const sound = await stateOf(one);
    await spoil(one, breakEffects);
    silenceLog();
    for (const [method, path, body] of [
      ["POST", "/keep-alive", {}],
      ["POST", "/hibernate", undefined],
      ["PATCH", "", { name: "Other" }],
      ["PATCH", "", { policy: { idle: { warn_after_seconds: 100 } } }],
      ["POST", "/token", undefined],
      ["DELETE", "", undefined],
    ] as const) {
      const reply = await one.ask(method, path, body);
      expect([method, path, reply.status, reply.body.error?.code]).toEqual([
        method,
        path,
        503,
        "unavailable",
      ]);
    }
    await one.settled();
    await spoil(one, mend(sound));
    expect((await one.heartbeat()).status).toBe(200);
    const { body } = await one.ask("GET");
    expect(body).toMatchObject({ name: "rig", status: "running", total_heartbeats: 2 });
    expect(body.policy.idle.warn_after_seconds).toBe(180);
    await eventually(async () => {
      // Counts are handed over every 15 seconds, and by their shards every 5.
      setClock(Date.now() + 16_000);
      await one.heartbeat();
      for (let shard = 0; shard < SHARDS; shard++) await runDurableObjectAlarm(shardNumbered(env, shard));
      expect((await readService(env)).counts["invariant_breaches{}"]).toBeGreaterThanOrEqual(6);
    });
  });

  it("upon the end of an order is an error, so that its workflow says it again", async () => {
    const one = await beating("agent");
    expect((await one.ask("POST", "/hibernate")).status).toBe(202);
    await one.settled();
    await spoil(one, breakEffects);
    silenceLog();
    const { phase } = await stateOf(one);
    const actionId = "action" in phase ? phase.action.id : "";
    // A rejected call of the test's own would count as unhandled in the actor.
    const told = await runInDurableObject(one.actor, (actor) =>
      actor.endAction(actionId, { type: "failed", because: "refused" }).then(
        () => "decided",
        (error) => String(error),
      ),
    );
    expect(told).toContain("the decision broke an invariant");
    expect((await stateOf(one)).phase).toEqual(phase);
    await one.settled();
  });
});

describe("a stored state that breaks an invariant already", () => {
  it("holds nothing up", async () => {
    const one = await beating();
    await spoil(one, (state) => ({ ...state, counters: { ...state.counters, missed: -3 }, unflushed: 7 }));
    expect((await one.heartbeat()).status).toBe(200);
    expect(await breachesIn(one)).toEqual([]);
  });
});
