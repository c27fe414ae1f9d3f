import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type InventoryMachine,
  isUp,
  LIST_EVERY_MS,
  type Taken,
  takeListing,
  waitUntilListing,
} from "../../../src/fleet/rules/inventory.ts";
import { REMINDER_MS, unwatchedEvent, unwatchedToTell } from "../../../src/fleet/rules/inventory-alerts.ts";
import { phraseSchema } from "../../../src/lifecycle/model/words/said.ts";
import { say } from "../../../src/lifecycle/model/words/say.ts";
import type { ListedMachine } from "../../../src/providers/provider.ts";
import { listedMachine } from "./machines.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse("2026-11-01T00:00:00Z");

const STATES = ["running", "starting", "stopping", "stopped", "terminated", "unknown"] as const;

/** What is kept after listings, oldest first. */
class Kept {
  readonly rows = new Map<string, InventoryMachine>();
  taken: Taken = { written: [], forgotten: [] };

  take(startedAt: number, machines: readonly ListedMachine[], isComplete = true): this {
    this.taken = takeListing([...this.rows.values()], { startedAt, machines, isComplete, unlisted: [] });
    for (const ref of this.taken.forgotten) this.rows.delete(ref);
    for (const row of this.taken.written) this.rows.set(row.ref, row);
    return this;
  }

  get(ref: string): InventoryMachine {
    const row = this.rows.get(ref);
    if (row === undefined) throw new Error(`${ref} is not kept`);
    return row;
  }
}

const listing = fc.record({
  machines: fc.uniqueArray(
    fc.record({ ref: fc.constantFrom("a", "b", "c", "d"), state: fc.constantFrom(...STATES) }),
    { selector: ({ ref }) => ref },
  ),
  isComplete: fc.boolean(),
});

const listings = fc.array(listing, { minLength: 1, maxLength: 20 });

describe("a listing", () => {
  it("makes a machine vanish exactly when it is complete and does not show it", () => {
    fc.assert(
      fc.property(listings, (all) => {
        const kept = new Kept();
        const shown = new Map<string, boolean>();
        for (const [index, { machines, isComplete }] of all.entries()) {
          kept.take(
            START + index * LIST_EVERY_MS,
            machines.map(({ ref, state }) => listedMachine(ref, { state })),
            isComplete,
          );
          const seen = new Set<string>(machines.map(({ ref }) => ref));
          for (const ref of [...shown.keys(), ...seen]) {
            if (seen.has(ref)) shown.set(ref, true);
            else if (isComplete) shown.set(ref, false);
          }
          for (const [ref, isThere] of shown) expect(kept.get(ref).vanishedAt === null).toBe(isThere);
        }
      }),
    );
  });

  it("keeps since when a machine is in its state, and when it was first seen", () => {
    fc.assert(
      fc.property(listings, (all) => {
        const kept = new Kept();
        for (const [index, { machines, isComplete }] of all.entries()) {
          const at = START + index * LIST_EVERY_MS;
          const before = new Map(kept.rows);
          kept.take(
            at,
            machines.map(({ ref, state }) => listedMachine(ref, { state })),
            isComplete,
          );
          for (const { ref, state } of machines) {
            const [former, now] = [before.get(ref), kept.get(ref)];
            const goes_on =
              former !== undefined &&
              former.vanishedAt === null &&
              (former.state === state || (isUp(former) && isUp(now)));
            expect(now.stateSince).toBe(goes_on ? former.stateSince : at);
            expect(now.firstSeenAt).toBe(former?.firstSeenAt ?? at);
            expect(now.firstSeenAt).toBeLessThanOrEqual(now.lastSeenAt);
          }
        }
      }),
    );
  });

  it("that shows what is known already writes each machine once an hour", () => {
    const kept = new Kept();
    let written = 0;
    for (let at = START; at < START + DAY; at += LIST_EVERY_MS) {
      kept.take(at, [listedMachine("a"), listedMachine("b", { state: "stopped" })]);
      written += kept.taken.written.length;
    }
    expect(written).toBe(2 * 24);
  });

  it("forgets a machine a week after it was last seen", () => {
    const kept = new Kept().take(START, [listedMachine("a")]).take(START + HOUR, []);
    kept.take(START + 7 * DAY, []);
    expect(kept.get("a").vanishedAt).toBe(START + HOUR);
    expect(kept.take(START + 7 * DAY + HOUR, []).taken.forgotten).toEqual(["a"]);
  });

  it("bounds what is kept of a connection", () => {
    const kept = new Kept();
    for (let turn = 0; turn < 3; turn++) {
      const many = Array.from({ length: 10_000 }, (_, index) => listedMachine(`${turn}-${index}`));
      kept.take(START + turn * LIST_EVERY_MS, many);
    }
    expect(kept.rows.size).toBe(20_000);
    expect(kept.rows.has("0-1")).toBe(false);
    expect(kept.rows.has("2-1")).toBe(true);
  });

  it("cuts what a provider says short, and takes control characters out", () => {
    const { name } = new Kept()
      .take(START, [listedMachine("a", { name: `a\n\u0007b${"x".repeat(500)}` })])
      .get("a");
    expect(name).toMatch(/^a bx+$/);
    expect(name).toHaveLength(200);
  });
});

describe("a machine that bills and that nobody watches", () => {
  const nobody = () => false;

  it("is told once, and again after a day, whatever it does meanwhile", () => {
    fc.assert(
      fc.property(listings, (all) => {
        const kept = new Kept();
        const told = new Map<string, number>();
        for (const [index, { machines, isComplete }] of all.entries()) {
          const at = START + index * 3 * HOUR;
          kept.take(
            at,
            machines.map(({ ref, state }) => listedMachine(ref, { state })),
            isComplete,
          );
          const seen = machines.map(({ ref }) => kept.get(ref));
          for (const one of unwatchedToTell(seen, nobody, at)) {
            expect(isUp(one) || one.state === "unknown").toBe(true);
            expect(at - (told.get(one.ref) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(REMINDER_MS);
            told.set(one.ref, at);
            kept.rows.set(one.ref, { ...one, toldAt: at });
          }
          // What is not understood is taken to bill once that lasts.
          for (const one of seen)
            if (isUp(one) || (one.state === "unknown" && one.stateSince < at))
              expect(at - (told.get(one.ref) ?? 0)).toBeLessThan(REMINDER_MS);
        }
      }),
    );
  });

  it("is told by name, price and since when; an unknown price is not nothing", () => {
    const rows = new Kept().take(START, [
      listedMachine("1", { name: "trainer", gpu: "RTX 4090", gpus: 2, hourlyCost: 0.8 }),
      listedMachine("2", { hourlyCost: 1.25, state: "starting" }),
      listedMachine("3"),
    ]).rows;
    const event = unwatchedEvent("vast", "Vast.ai", [...rows.values()], START + HOUR);
    expect(event.message).toBe(
      "3 machines at Vast.ai run, watched by nobody: $2.05 an hour and more, since the price of 1 is not known. " +
        "2 ($1.25 an hour, seen up since 2026-11-01T00:00:00Z); " +
        "trainer (2 × RTX 4090, $0.80 an hour, seen up since 2026-11-01T00:00:00Z); " +
        "3 (price not known, seen up since 2026-11-01T00:00:00Z)",
    );
    expect(event.detail).toMatchObject({ machines: 3, hourly_cost: 2.05, unpriced: 1, reminder: false });
  });

  it("costs what is not known where no price is, and is named up to a bound", () => {
    const many = Array.from({ length: 30 }, (_, index) => listedMachine(`m-${index}`));
    const event = unwatchedEvent("gcp", "Google", [...new Kept().take(START, many).rows.values()], START);
    expect(event.message).toContain("what they cost is not known");
    expect(event.message).toMatch(/and 10 more$/);
    // As it is stored: a phrase has bounds.
    const said = say("pt-BR", phraseSchema.parse(event.said));
    expect(said).toMatch(
      /^30 máquinas ligadas em Google sem que ninguém as vigie: não se sabe quanto custam\. m-0 \(/,
    );
    expect(said).toMatch(/; e mais 10$/);
    expect(said.match(/preço não conhecido, vista ligada desde 01\/11\/2026, 00:00:00 UTC/g)).toHaveLength(
      20,
    );
    expect(event.detail.hourly_cost).toBeNull();
  });
});

describe("a connection", () => {
  it("is listed every quarter of an hour, and less and less often while that fails", () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 20].map((failures) => waitUntilListing(failures, 0, 0.5) / MINUTE);
    expect(waits).toEqual([15, 15, 30, 60, 120, 240, 240, 240]);
    expect(waitUntilListing(1, HOUR, 0)).toBe(HOUR);
    expect(waitUntilListing(1, 365 * DAY, 0)).toBe(4 * HOUR);
    fc.assert(
      fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (failures, spread) => {
        const wait = waitUntilListing(failures, 0, spread);
        expect(wait).toBeGreaterThanOrEqual(0.9 * LIST_EVERY_MS);
        expect(wait).toBeLessThanOrEqual(1.1 * 4 * HOUR);
      }),
    );
  });
});
