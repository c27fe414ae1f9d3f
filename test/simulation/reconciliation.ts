import {
  type CostTotals,
  costsInAll,
  costsOfDay,
  dollarsOf,
  type Ledger,
  timePutDown,
  type Usage,
} from "../../src/lifecycle/model/ledger.ts";
import { hasBegunAnew } from "../../src/lifecycle/model/ledger-report.ts";
import { hibernationOf, type Phase } from "../../src/lifecycle/model/phase.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import { ledgerAt, type Rate, rateOf, usageOf } from "../../src/lifecycle/rules/costs.ts";
import { dollarsOf as dollarsIn, type Meter, type Stretch } from "./meter.ts";
import type { Rented } from "./rented.ts";

/**
 * Why the ledger of an instance and the bill of its machine differ. Whenever the ledger puts time down, what the machine is thought to
 * do is held against what its provider's meter shows of the same time.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const REASONS = {
  stopped: "stopped by hand: counts as running or silent until a list shows it",
  started: "started by hand: counts as hibernated until its heartbeat, or a list",
  destroyed: "destroyed by hand: counts as silent until that is proven",
  ordered: "an order on its way: from what the provider does until it is confirmed",
  unknown: "nobody knows whether it runs: no price is put down",
  unpriced: "no price is known yet",
  unpricedAsleep: "no price is known of a stopped one",
  changed: "a price has changed, and was not said yet",
  learnt: "a learnt price is an estimate",
  reports: "reports are rounded to cents, and come on top of what a hibernated one costs",
  seconds: "the provider bills whole seconds",
} as const;
export type Reason = keyof typeof REASONS;

/** Time that was put down together, and what the machine was thought to do. */
interface Piece {
  readonly from: number;
  readonly until: number;
  readonly usage: Usage | null;
  readonly source: Rate["source"];
  readonly isUnknown: boolean;
  readonly turnedBy: Rented["turnedBy"];
}

export interface Reconciled {
  readonly ledger: number;
  readonly bill: number;
  /** Dollars by which the ledger exceeds the bill, by their reason. */
  readonly differences: ReadonlyMap<Reason, number>;
  readonly unexplained: number;
  readonly ofDays: number;
  /** Of the counters. */
  readonly saved: number;
  readonly savedByLedger: number;
}

export class Reconciliation {
  readonly rented: Rented;
  readonly #meter: Meter;
  readonly #differences = new Map<Reason, number>();
  state: InstanceState | null = null;
  /** Time that was put down twice, or not at all. */
  misplacedMs = 0;
  /** Time that a report may yet cover. */
  #open: Piece[] = [];
  #inAll: CostTotals | null = null;
  /** What the days have come to that nothing can change any more. */
  #ofDays = 0;

  constructor(rented: Rented, meter: Meter) {
    this.rented = rented;
    this.#meter = meter;
  }

  /** Its actor saved another state. */
  saved(next: InstanceState): void {
    const before = this.state;
    this.state = next;
    const { ledger } = next;
    if (ledger === undefined) throw new Error("each state has a ledger");
    if (before?.ledger === ledger) return;
    const inAll = costsInAll(ledger);
    if (before?.ledger !== undefined && this.#inAll !== null) {
      this.#putDown(before, before.ledger, next, ledger, this.#inAll, inAll);
    }
    this.#inAll = inAll;
  }

  #putDown(
    state: InstanceState,
    before: Ledger,
    next: InstanceState,
    after: Ledger,
    former: CostTotals,
    inAll: CostTotals,
  ): void {
    const isReport = after.reported !== before.reported;
    const piece = this.#pieceOf(state, before, after.until);
    const unpricedMs = isReport ? 0 : inAll.unpricedMs - former.unpricedMs;
    const pieces = piece === null ? [] : doubtedIn(piece, unpricedMs);
    const lengthMs = piece?.usage == null ? 0 : piece.until - piece.from;
    this.misplacedMs += Math.abs(timePutDown(after) - timePutDown(before) - lengthMs);
    this.#open.push(...pieces);
    if (isReport) {
      const priced = pieces.reduce((sum, one) => sum + pricedOf(one), 0);
      const correction = dollarsOf(inAll) - dollarsOf(former) - priced;
      this.#report(ledgerAt(state, after.until), coveredFrom(before, next), correction);
    }
    this.#settle(after);
  }

  #pieceOf(state: InstanceState, ledger: Ledger, until: number): Piece | null {
    if (until <= ledger.until) return null;
    return {
      from: ledger.until,
      until,
      usage: usageOf(state, ledger),
      source: rateOf(state, ledger).source,
      isUnknown: isUnknown(state.phase),
      turnedBy: this.rented.turnedBy,
    };
  }

  /** The report took the place of the price in what it covers. */
  #report(ledger: Ledger, from: number, correction: number): void {
    let difference = correction;
    const rest: Piece[] = [];
    for (const piece of this.#open) {
      const [before, covered] = splitAt(piece, from);
      if (before !== null) rest.push(before);
      if (covered === null) continue;
      if (!isOpenIn(ledger, covered) && !isAsleep(covered)) rest.push(covered);
      else if (isAsleep(covered) && from === Number.NEGATIVE_INFINITY) this.#compare(covered);
      else difference += pricedOf(covered) - this.#exactBill(covered);
    }
    this.#note("reports", difference);
    this.#open = rest;
  }

  /** What no report can change any more is compared by its price. */
  #settle(ledger: Ledger | null): void {
    const stillOpen: Piece[] = [];
    for (const piece of this.#open) {
      const isOpen = ledger !== null && (isAsleep(piece) || isOpenIn(ledger, piece));
      if (isOpen && this.rented.isReporting) stillOpen.push(piece);
      else this.#compare(piece);
    }
    this.#open = stillOpen;
  }

  #compare(piece: Piece): void {
    for (const stretch of this.#meter.between(this.rented.id, piece.from, piece.until)) {
      const difference = pricedOf({ ...piece, ...timesOf(stretch) }) - dollarsIn(stretch);
      if (difference !== 0) this.#note(reasonOf(piece, stretch), difference);
    }
  }

  #exactBill({ from, until }: Piece): number {
    return this.#meter
      .between(this.rented.id, from, until)
      .reduce((sum, stretch) => sum + dollarsIn(stretch), 0);
  }

  #note(reason: Reason, dollars: number): void {
    this.#differences.set(reason, (this.#differences.get(reason) ?? 0) + dollars);
  }

  /** A day is over, at its end: nothing can change the one before it any more. */
  endDay(now: number): void {
    if (this.state !== null) this.#ofDays += dollarsOf(costsOfDay(ledgerAt(this.state, now), now - 2 * DAY));
  }

  end(now: number): Reconciled {
    const { state } = this;
    if (state?.ledger === undefined) throw new Error("it was never registered");
    const ledger = ledgerAt(state, now);
    const piece = this.#pieceOf(state, state.ledger, now);
    if (piece !== null) this.#open.push(piece);
    this.#settle(null);
    const bill = this.#meter.bill(this.rented.id, now);
    const exact = this.#meter
      .between(this.rented.id, ledger.since, now)
      .reduce((sum, stretch) => sum + dollarsIn(stretch), 0);
    this.#note("seconds", exact - bill);
    const total = costsInAll(ledger);
    const explained = [...this.#differences.values()].reduce((sum, dollars) => sum + dollars, 0);
    const yesterday = dollarsOf(costsOfDay(ledger, now - DAY));
    return {
      ledger: dollarsOf(total),
      bill,
      differences: this.#differences,
      unexplained: dollarsOf(total) - bill - explained,
      ofDays: this.#ofDays + yesterday,
      saved: state.counters.saved.totalDollars,
      savedByLedger: costsInAll(state.ledger).saved,
    };
  }
}

/** An event may say that it is not known of the last part of a hibernation whether it was one. */
function doubtedIn(piece: Piece, unpricedMs: number): Piece[] {
  if (piece.usage?.use !== "hibernated" || piece.usage.hourlyCost === null || unpricedMs === 0)
    return [piece];
  const from = piece.until - unpricedMs;
  const [known, doubted] = splitAt(piece, from);
  const unknown =
    doubted === null ? [] : [{ ...doubted, isUnknown: true, usage: { ...piece.usage, hourlyCost: null } }];
  return known === null ? unknown : [known, ...unknown];
}

function splitAt(piece: Piece, at: number): [Piece | null, Piece | null] {
  if (at <= piece.from) return [null, piece];
  if (at >= piece.until) return [piece, null];
  return [
    { ...piece, until: at },
    { ...piece, from: at },
  ];
}

/** From when on the newest report covers what is open. */
function coveredFrom(before: Ledger, { ledger, recent }: InstanceState): number {
  const [reported, uptimeSeconds] = [ledger?.reported ?? null, recent.at(-1)?.uptimeSeconds ?? null];
  if (reported === null) throw new Error("nothing was reported");
  if (uptimeSeconds === null) throw new Error("each report says for how long it was up");
  const uptimeMs = 1000 * uptimeSeconds;
  if (!hasBegunAnew(before, { ...reported, uptimeMs })) return Number.NEGATIVE_INFINITY;
  return Math.max(before.reported?.at ?? Number.NEGATIVE_INFINITY, reported.at - uptimeMs);
}

function isOpenIn({ open }: Ledger, piece: Piece): boolean {
  return open.some(({ from, until }) => from <= piece.from && piece.until <= until);
}

function isAsleep({ usage }: Piece): boolean {
  return usage?.use === "hibernated";
}

function isUnknown(phase: Phase): boolean {
  return phase.status === "waking"
    ? phase.openLook !== undefined
    : hibernationOf(phase)?.openLook !== undefined;
}

function timesOf({ from, until }: Stretch) {
  return { from, until };
}

function pricedOf({ from, until, usage }: Piece): number {
  return ((until - from) / HOUR) * (usage?.hourlyCost ?? 0);
}

function reasonOf(piece: Piece, { billed }: Stretch): Reason {
  const { usage, source, turnedBy } = piece;
  const isByHand = turnedBy === "hand";
  if (piece.isUnknown) return "unknown";
  if (usage === null) return isByHand ? "destroyed" : "ordered";
  switch (billed) {
    case "nothing":
      return isByHand ? "destroyed" : "ordered";
    case "asleep":
      if (!isAsleep(piece)) return isByHand ? "stopped" : "ordered";
      return usage.hourlyCost === null ? "unpricedAsleep" : "changed";
    case "awake":
      if (isAsleep(piece)) return isByHand ? "started" : "ordered";
      if (usage.hourlyCost === null) return "unpriced";
      return source === "learnt" ? "learnt" : "changed";
  }
}
