/// <reference types="vite/client" />
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readRow, writeAsIs, writeRow } from "../../src/instance/stored/row.ts";
import { NOTHING_WAITS } from "../../src/instance/stored/stored-instance.ts";
import { VERSION } from "../../src/instance/stored/versions.ts";
import { decide, nextWakeAt } from "../../src/lifecycle/decide.ts";
import { heartbeatSchema } from "../../src/lifecycle/model/heartbeat.ts";
import { MAXIMUM_SOURCES } from "../../src/lifecycle/model/heartbeat-use.ts";
import type { InstanceEvent } from "../../src/lifecycle/model/instance-event.ts";
import { waitingHeartbeats } from "../../src/lifecycle/model/outbox.ts";
import { preparationOf } from "../../src/lifecycle/model/phase.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { SOURCE_KINDS } from "../../src/lifecycle/model/source-settings.ts";
import { CHUNK_HEARTBEATS, recentOf } from "../../src/lifecycle/model/state.ts";
import { detailView } from "../../src/lifecycle/views/instance-view.ts";
import { savingsView } from "../../src/lifecycle/views/savings.ts";

/** Rows of every shape that ever stood, as the code of that time wrote them, by the standing of the instance. */
const GOLDEN = import.meta.glob<Record<string, object>>("./golden/*.json", {
  eager: true,
  import: "default",
});

const rows = Object.entries(GOLDEN).flatMap(([file, standings]) =>
  Object.entries(standings).map(([standing, row]) => ({ file, standing, row })),
);

/** As much as a heartbeat may say of its use. */
const FULL_USE = {
  sources: Array.from({ length: MAXIMUM_SOURCES }, (_, index) => ({
    // Of each kind, and of those that may be several one that could not be read.
    name: SOURCE_KINDS[index] ?? `${["work", "script", "s"][index % 3]}_${"s".repeat(22)}_${index}`,
    value: index < 7 || index > 20 ? 1 / 300_000 : null,
    note: "𝔸".repeat(120),
  })),
  gpu_utilization_max: 1 / 300_000,
  gpus: Array.from({ length: 64 }, (_, index) => ({
    index,
    name: "𝔸".repeat(64),
    utilization: 1.23,
    utilization_max: 1.23,
    vram_used_gb: 123.45,
    vram_total_gb: 123.45,
    power_watts: 123.45,
    power_limit_watts: 1234.5,
    compute_processes: 123,
  })),
};

function stored(row: object) {
  const loaded = readRow(JSON.stringify(row));
  if (loaded.kind !== "stored") throw new Error(JSON.stringify(loaded));
  return loaded.stored;
}

function golden(file: string, standing: string): object {
  const row = GOLDEN[`./golden/${file}.json`]?.[standing];
  if (row === undefined) throw new Error(`no golden row ${file}, ${standing}`);
  return row;
}

/** Every path to a value in a row. */
function paths(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, child]) => paths(child, [...at, key]))].filter(
    (path) => path.length > 0,
  );
}

function change(row: object, path: readonly string[], change: (parent: object, key: string) => void): object {
  const copy = structuredClone(row);
  const parent = path.slice(0, -1).reduce<object>((each, key) => Reflect.get(each, key), copy);
  change(parent, path.at(-1) ?? "");
  return copy;
}

describe("a stored row", () => {
  it("of an observed instance switches both ladders off for a release that does not know of that", () => {
    const read = stored(golden("version-2", "running"));
    const observed = {
      ...read,
      userPolicy: { mode: "observe" as const },
      overrides: { idle: { enabled: true } },
    };
    const written = JSON.parse(writeRow(observed));
    expect(written).toMatchObject({
      userPolicy: { idle: { enabled: false }, orphan: { enabled: false } },
      overrides: { idle: { enabled: false }, orphan: { enabled: false } },
    });
    expect(stored(written)).toEqual(observed);
    expect(JSON.parse(writeAsIs(observed))).toMatchObject({
      userPolicy: { mode: "observe" },
      overrides: { idle: { enabled: true } },
    });
  });

  it.each(rows)("of $file ($standing) is read, lives on and is read again as it was", ({ standing, row }) => {
    const read = stored(row);
    expect(standing).toContain(read.state.phase.status);
    const { state } = read;
    const policy = compilePolicy(mergePolicy(read.userPolicy, read.overrides));
    const now = (state.clock.lastHeartbeatAt ?? state.profile.registeredAt) + 60_000;
    const seen = [
      detailView(read.instanceId, state, policy, now),
      savingsView(state, now),
      nextWakeAt(state, policy, now),
    ];
    expect(JSON.stringify(seen)).not.toMatch(/NaN|undefined/);
    const heard = decide(state, { type: "heartbeat", report: { gpu_utilization: 50 } }, policy, now).state;
    expect(heard.recent.at(-1)?.sequence).toBe((state.recent.at(-1)?.sequence ?? 0) + 1);
    for (const next of [state, heard]) {
      const written = JSON.parse(writeRow({ ...read, state: next }));
      expect(written.version).toBe(VERSION);
      expect(stored(written)).toEqual({ ...read, state: next });
    }
  });

  it("of the version that is written now is kept for good", () => {
    const files = Object.keys(GOLDEN).filter((file) => file.startsWith(`./golden/version-${VERSION}`));
    expect(files).toEqual([`./golden/version-${VERSION}-delivery.json`, `./golden/version-${VERSION}.json`]);
  });

  it("without a version is filled with what its gaps meant", () => {
    const first = stored(golden("unversioned-1-first", "running"));
    expect(first).toMatchObject({ historyShard: 0, usedLinks: [] });
    expect(first.state.profile.providerRef).toBeNull();
    expect(first.state.agent).toMatchObject({ bootId: null, gpus: [], nextInHistory: 4 });
    expect(first.state.recent.map(({ activity }) => activity)).toEqual([null, null, null]);
    const effectsOf = (standing: string) =>
      stored(golden("unversioned-1-first", standing)).state.outbox.map(({ effect }) => effect);
    expect(effectsOf("orphaned, the guard is asked")).toContainEqual({ type: "guard", step: "hibernate" });
    const reasonOf = (standing: string) =>
      effectsOf(standing).flatMap((effect) => (effect.type === "action" ? [effect.order.reason] : []));
    expect(reasonOf("hibernating, ordered")).toEqual(["idle"]);
    expect(reasonOf("hibernating, for silence")).toEqual(["silence"]);
    expect(reasonOf("waking")).toContain("owner");
    expect(reasonOf("deleting")).toEqual(["silence"]);
    const shard = stored(golden("unversioned-6-packed-with-shard", "running"));
    expect(shard.historyShard).toBe(2);
    expect(shard.state.recent[0]).toEqual(stored(golden("unversioned-7-shard", "running")).state.recent[0]);
  });

  it("of version 1 is filled with what is sure of its orders, and with nothing that was never seen", () => {
    const state = (standing: string) => stored(golden("version-1", standing)).state;
    const machine = { provider: "webhook", providerRef: "i-0abc" };
    expect(state("hibernating, ordered").phase).toMatchObject({
      before: { status: "running" },
      action: { machine, handover: { state: "waiting" } },
    });
    expect(state("hibernating, told").phase).toMatchObject({ action: { handover: { state: "accepted" } } });
    expect(state("hibernating, for silence").phase).toMatchObject({
      before: { status: "orphaned", orphan: { failed: null, deleteFailed: null } },
    });
    expect(state("orphaned, the guard is asked").phase).toMatchObject({
      orphan: { guard: { askAgainAt: 0 } },
    });
    expect(state("deleting").outbox.map(({ effect }) => effect)).toContainEqual({
      type: "action",
      order: expect.objectContaining({ kind: "delete", machine, sighted: null, isHibernated: true }),
    });
    expect(state("running")).toMatchObject({ sighted: null, agent: { sequence: 3, hasGpu: true } });
  });

  it("keeps by what the machine is known again that enrolled it, and says nothing of it where none did", () => {
    const read = stored(golden(`version-${VERSION}`, "running"));
    expect(read.enrollment).toBeNull();
    expect(JSON.parse(writeRow(read))).not.toHaveProperty("enrollment");
    const enrolled = { ...read, enrollment: { keyDigest: "d1" } };
    expect(stored(JSON.parse(writeRow(enrolled))).enrollment).toEqual({ keyDigest: "d1" });
  });

  it("keeps what was seen of its use, and goes on without it where it has none or it can't be read", () => {
    const read = stored(golden(`version-${VERSION}`, "running"));
    expect(read.state.use).toBeUndefined();
    const report = heartbeatSchema.parse({ gpu_utilization: 1, ...FULL_USE });
    const policy = compilePolicy(mergePolicy({}));
    const heard = decide(read.state, { type: "heartbeat", report }, policy, 2_000_000_000_000).state;
    const written = writeRow({ ...read, state: heard });
    expect(heard.use?.sources).toHaveLength(MAXIMUM_SOURCES);
    expect(stored(JSON.parse(written)).state.use).toEqual(heard.use);
    for (const unreadable of [null, 1, { at: "now" }, { ...heard.use, sources: [{ name: 1 }] }]) {
      const row = change(JSON.parse(written), ["state", "use"], (state) =>
        Reflect.set(state, "use", unreadable),
      );
      expect(stored(row).state).toEqual({ ...heard, use: undefined });
    }
  });

  it("stays small with as many sources and GPUs as a heartbeat may have, and notes of four bytes a character", () => {
    const read = stored(golden(`version-${VERSION}`, "running"));
    const policy = compilePolicy(mergePolicy({}));
    const bytes: number[] = [];
    let { state } = read;
    for (let beat = 0; beat <= 2 * CHUNK_HEARTBEATS; beat++) {
      const report = heartbeatSchema.parse({
        gpu_utilization: 1,
        cpu_utilization: 12.34,
        vram_used_gb: 123.45,
        ram_used_gb: 123.45,
        disk_used_gb: 123.45,
        cost_accumulated: 1234.56,
        uptime_seconds: 1_234_567,
        status: "preparing",
        preparation: { state: "running", seconds: 123.4 },
        ...FULL_USE,
      });
      const now = 2_000_000_000_000 + beat * 60_000;
      state = { ...decide(state, { type: "heartbeat", report }, policy, now).state, outbox: [] };
      bytes.push(new TextEncoder().encode(writeRow({ ...read, state })).length);
    }
    expect(Math.max(...bytes)).toBeLessThan(64 * 1024);
  });

  it("keeps a preparation with its log, stays small with it, and goes on without the last one if that can't be read", () => {
    const read = stored(golden(`version-${VERSION}`, "running"));
    const policy = compilePolicy(mergePolicy({}));
    const at = 2_000_000_000_000;
    let { state } = read;
    for (let turn = 0; turn < 2; turn++) {
      const now = at + turn * 600_000;
      const beat = (said: object) =>
        heartbeatSchema.parse({
          gpu_utilization: 90,
          hooks: ["warning", "prepare", "resume"],
          ...FULL_USE,
          ...said,
        });
      const tell = (event: InstanceEvent, later: number) => {
        state = decide(state, event, policy, now + later).state;
      };
      tell({ type: "heartbeat", report: beat({}) }, 0);
      tell({ type: "hibernate.requested" }, 1000);
      const id = preparationOf(state.phase)?.id;
      const said = { id, state: "failed", seconds: 1.5, line: "𝔸".repeat(200), log: "𝔸".repeat(4000) };
      tell({ type: "heartbeat", report: beat({ status: "preparing", preparation: said }) }, 60_000);
      if (turn === 0) tell({ type: "keep_alive", durationMs: 1000 }, 61_000);
    }
    state = { ...state, outbox: [] };
    const json = writeRow({ ...read, state });
    expect(new TextEncoder().encode(json).length).toBeLessThan(64 * 1024);
    expect(stored(JSON.parse(json)).state).toEqual(state);
    expect(state.lastPreparation).toMatchObject({ outcome: "cancelled", log: null });
    const broken = change(JSON.parse(json), ["state", "lastPreparation"], (parent, key) =>
      Reflect.set(parent, key, { outcome: 1 }),
    );
    expect(stored(broken).state).toEqual({ ...state, lastPreparation: undefined });
  });

  it("keeps its tags, and goes on without them where it has none or they can't be read", () => {
    const row = golden(`version-${VERSION}`, "running");
    const read = stored(row);
    expect(read.state.profile.tags).toBeUndefined();
    expect(JSON.parse(writeRow(read)).state.profile).not.toHaveProperty("tags");
    const tagged = (tags: unknown) =>
      change(row, ["state", "profile", "name"], (profile) => Reflect.set(profile, "tags", tags));
    const tags = { team: "vision", "cost.center": "'\u00e9\"" };
    expect(stored(tagged(tags)).state.profile.tags).toEqual(tags);
    expect(stored(JSON.parse(writeRow(stored(tagged(tags))))).state.profile.tags).toEqual(tags);
    for (const unreadable of [null, 1, "team:vision", ["team"], { team: 1 }, { team: null }]) {
      expect(stored(tagged(unreadable)).state).toEqual(read.state);
    }
  });

  const current = golden(`version-${VERSION}-delivery`, "running, with a chunk that waits");
  const MAY_BE_LEFT_OUT = ["version", "overrides", "userPolicy"];
  const needed = paths(current).filter(
    ([top = "", ...below]) => !MAY_BE_LEFT_OUT.includes(top) && !(top === "delivery" && below.length === 0),
  );

  it("with any field missing is unreadable, unless the field may be left out", () => {
    const readable = needed.filter(
      (path) => readRow(JSON.stringify(change(current, path, Reflect.deleteProperty))).kind !== "unreadable",
    );
    const names = new Set(readable.map((path) => path.at(-1)).filter((name) => Number.isNaN(Number(name))));
    // Both of a GPU; beside them only an interval of the trend may be unknown.
    expect([...names].sort()).toEqual(["name", "utilization"]);
    expect(readable.every((path) => path.includes("gpus") || path.includes("gpuTrend"))).toBe(true);
  });

  it("with null for a number that is always known is unreadable, and says where", () => {
    const broken = change(current, ["state", "counters", "saved", "totalMs"], (parent, key) =>
      Reflect.set(parent, key, Number.NaN),
    );
    expect(readRow(JSON.stringify(broken))).toEqual({
      kind: "unreadable",
      because: "state.counters.saved.totalMs: Invalid input: expected number, received null",
    });
  });

  describe("is one that the release before this one reads", () => {
    const waiting = stored(
      golden(`version-${VERSION}-delivery`, "running, with heartbeats that wait for a chunk"),
    );
    const { recent } = waiting.state;

    const formerRow = z.object({
      version: z.literal(2),
      state: z.object({
        recent: z.array(z.object({ sequence: z.number() })),
        unflushed: z.number(),
        outbox: z.array(
          z.object({
            id: z.number(),
            effect: z.object({ heartbeats: z.array(z.object({ sequence: z.number() })).default([]) }),
          }),
        ),
        nextEffectId: z.number(),
      }),
    });

    it.each(Array.from({ length: recent.length + 1 }, (_, unflushed) => unflushed))(
      "with %i heartbeats that wait for a chunk: its next heartbeat pushes none of them out",
      (unflushed) => {
        const state = { ...waiting.state, recent: recentOf(recent, unflushed), unflushed };
        const json = writeRow({ ...waiting, state });
        const row = formerRow.parse(JSON.parse(json)).state;
        const ids = [...waiting.state.outbox.map(({ id }) => id), ...row.outbox.map(({ id }) => id)];
        expect(ids).toEqual(ids.toSorted());
        expect(Math.max(0, ...ids)).toBeLessThan(row.nextEffectId);
        // It keeps the newest 20, one that came in just now among them, and then empties them into chunks.
        const next = { sequence: (recent.at(-1)?.sequence ?? 0) + 1 };
        const kept = [...row.recent, next].slice(-20).slice(-(row.unflushed + 1));
        const handedOver = [...row.outbox.flatMap(({ effect }) => effect.heartbeats), ...kept];
        expect(row.recent.length).toBeLessThanOrEqual(20);
        expect(handedOver.map(({ sequence }) => sequence)).toEqual(
          [...recent.slice(recent.length - unflushed), next].map(({ sequence }) => sequence),
        );
        expect(stored(JSON.parse(json)).state).toEqual(state);
      },
    );

    it("and of which it drops what it does not know", () => {
      const {
        delivery: _,
        waitingFrom: __,
        ...known
      } = z
        .looseObject({ delivery: z.unknown().optional(), waitingFrom: z.number() })
        .parse(JSON.parse(writeRow(waiting)));
      expect(waitingHeartbeats(stored(known).state)).toEqual(waitingHeartbeats(waiting.state));
      expect(stored(known).delivery).toEqual(NOTHING_WAITS);
    });
  });

  it("of a newer version is unreadable, as is one that is no JSON or no object", () => {
    expect(readRow(JSON.stringify({ ...current, version: VERSION + 1 }))).toEqual({
      kind: "unreadable",
      because: `the row has version ${VERSION + 1}, and this code knows ${VERSION} at most`,
    });
    for (const json of ["", "{", "null", "[]", "7", '{"version":"1"}', '{"version":-1}', "{}"]) {
      expect(readRow(json).kind).toBe("unreadable");
    }
  });

  it("keeps the known part of a policy, and a kind of provider or event that is not known", () => {
    const strange = {
      ...current,
      overrides: { idle: { threshold_percent: 7, mood: "calm", warn_after_seconds: "soon" }, curfew: {} },
    };
    expect(stored(strange).overrides).toEqual({ idle: { threshold_percent: 7 } });
    const elsewhere = change(current, ["state", "profile", "provider"], (parent, key) =>
      Reflect.set(parent, key, "nimbus"),
    );
    expect(stored(elsewhere).state.profile.provider).toBe("nimbus");
  });
});
