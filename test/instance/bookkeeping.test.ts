import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { withProgress } from "../../src/instance/attempts.ts";
import { Bookkeeping } from "../../src/instance/bookkeeping.ts";
import { HeldEffects } from "../../src/instance/held.ts";
import { readRow } from "../../src/instance/stored/row.ts";
import { NOTHING_WAITS, type StoredInstance } from "../../src/instance/stored/stored-instance.ts";
import rows from "./golden/version-2.json";
import { NOW, outboxOf } from "./outbox-of.ts";

const CHUNKS = 150;

function held(): StoredInstance {
  const loaded = readRow(JSON.stringify(rows.running));
  if (loaded.kind !== "stored") throw new Error(loaded.kind);
  const delivery = { ...NOTHING_WAITS, held: CHUNKS + 1 };
  return { ...loaded.stored, state: { ...loaded.stored.state, outbox: [] }, delivery };
}

/** An instance with many chunks and an event behind them in rows of their own. */
function inStorage(name: string, look: (books: Bookkeeping, sql: SqlStorage) => void): Promise<void> {
  return runInDurableObject(env.INSTANCES.getByName(name), (_, { storage: { sql } }) => {
    const chunks = Array.from({ length: CHUNKS }, () => "chunk" as const);
    new HeldEffects(sql).hold(withProgress(outboxOf(...chunks, "event"), []), NOW);
    look(new Bookkeeping(sql), sql);
  });
}

const idsOf = (waiting: ReturnType<Bookkeeping["waitingFor"]>) => waiting.map(({ pending }) => pending.id);

describe("what is held in rows of its own", () => {
  it("reaches the fleet past all that waits for the history alone", async () => {
    await inStorage("u/past", (books) => {
      expect(idsOf(books.waitingFor("fleet", held()))).toEqual([CHUNKS + 1]);
      expect(idsOf(books.waitingFor("history", held()))).toHaveLength(100);
    });
  });

  it("keeps what one of two targets has, and leaves when both have it", async () => {
    await inStorage("u/both", (books) => {
      const id = CHUNKS + 1;
      const moment = { now: NOW, spread: 0 };
      const told = books.afterTry(
        held(),
        { target: "fleet", passed: [id], failed: [], isUnanswered: false },
        moment,
      );
      expect(told.stored.delivery).toEqual(held().delivery);
      expect(idsOf(books.waitingFor("fleet", told.stored))).toEqual([]);
      const all = Array.from({ length: CHUNKS }, (_, index) => index + 1);
      const first = {
        target: "history",
        passed: all.slice(0, 100),
        failed: [],
        isUnanswered: false,
      } as const;
      const half = books.afterTry(told.stored, first, moment);
      expect(half.stored.delivery.held).toBe(51);
      const rest = {
        target: "history",
        passed: [...all.slice(100), id],
        failed: [],
        isUnanswered: false,
      } as const;
      const done = books.afterTry(half.stored, rest, moment);
      expect(done.stored.delivery).toEqual(NOTHING_WAITS);
    });
  });

  it("is not written again when a target that is down did not take it", async () => {
    await inStorage("u/down", (books, sql) => {
      const exec = vi.spyOn(sql, "exec");
      const tried = idsOf(books.waitingFor("history", held()));
      const after = books.afterTry(
        held(),
        { target: "history", passed: [], failed: tried, isUnanswered: false },
        { now: NOW, spread: 0 },
      );
      expect(after.stored.delivery.attempts.targets).toHaveLength(1);
      expect(exec.mock.calls.filter(([query]) => query.includes("INTO held"))).toEqual([]);
    });
  });
});
