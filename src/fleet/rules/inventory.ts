import { roundDollars, spokenDollars } from "../../lifecycle/model/dollars.ts";
import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from "../../lifecycle/model/time.ts";
import { mayBeUnlisted } from "../../providers/listing.ts";
import type { ListedMachine, UnlistedPart } from "../../providers/provider.ts";

/**
 * What listings of a connection's machines mean. Seeing a machine is proof. Not seeing it is none, unless the listing is complete.
 */

/** A machine as the inventory keeps it. */
export interface InventoryMachine extends ListedMachine {
  readonly firstSeenAt: number;
  /** While nothing changes it is noted once an hour. */
  readonly lastSeenAt: number;
  /** Since when it has been seen in this state; what starts and what runs is one. */
  readonly stateSince: number;
  /** When its owner was last told that nobody watches it; null before. */
  readonly toldAt: number | null;
  /** The first complete listing without it; null while it is listed. */
  readonly vanishedAt: number | null;
}

/** What a provider listed. */
export interface Listing {
  /** When it began: it shows how the machines were then, or later. */
  readonly startedAt: number;
  readonly machines: readonly ListedMachine[];
  /** Whether it went through to its end. */
  readonly isComplete: boolean;
  /** What its provider could not list. */
  readonly unlisted: readonly UnlistedPart[];
}

/** Whether a machine that it does not show would be in it, if it were there. */
export function wouldShow({ isComplete, unlisted }: Listing, ref: string): boolean {
  return isComplete && !mayBeUnlisted(unlisted, ref);
}

/** A listing that holds more ends there, and is not complete. */
export const MACHINES_PER_LISTING = 10_000;
export const PAGES_PER_LISTING = 1000;

/** A machine that is not seen for this long is forgotten. */
const KEPT_MS = 7 * DAY_MS;
const ROWS_PER_CONNECTION = 2 * MACHINES_PER_LISTING;

/** A machine that does not change is noted as seen this often, to save writes. */
const NOTED_EVERY_MS = HOUR_MS;

const LONGEST_TEXT = 200;

export interface Taken {
  /** New and changed machines. */
  readonly written: readonly InventoryMachine[];
  /** References of machines that are no longer kept. */
  readonly forgotten: readonly string[];
}

/** Whether the machine is up, so that its GPUs are billed. */
export function isUp({ state }: Pick<ListedMachine, "state">): boolean {
  return state === "running" || state === "starting";
}

/** Its GPUs in words, such as `2 × RTX 4090`; null where their model is not known. */
export function gpuNames({ gpu, gpus }: Pick<ListedMachine, "gpu" | "gpus">): string | null {
  return gpu !== null && gpus !== null && gpus > 1 ? `${gpus} × ${gpu}` : gpu;
}

/** Takes a listing in. `known`: all that is kept of its connection. */
export function takeListing(known: readonly InventoryMachine[], listing: Listing): Taken {
  const { startedAt, machines } = listing;
  const before = new Map(known.map((machine) => [machine.ref, machine]));
  const listed = new Map(machines.map((machine) => [machine.ref, shortened(machine)]));
  const seen = [...listed.values()].map((machine) => see(machine, before.get(machine.ref), startedAt));
  const unseen = known.filter(({ ref }) => !listed.has(ref));
  const left = unseen.map((machine) =>
    wouldShow(listing, machine.ref) ? vanish(machine, startedAt) : machine,
  );
  const [kept, forgotten] = keep(seen, left, startedAt);
  return { written: kept.filter((machine) => machine !== before.get(machine.ref)), forgotten };
}

function shortened(machine: ListedMachine): ListedMachine {
  const short = (text: string | null) => text?.replaceAll(/\p{Cc}+/gu, " ").slice(0, LONGEST_TEXT) ?? null;
  return { ...machine, name: short(machine.name), gpu: short(machine.gpu), region: short(machine.region) };
}

function see(machine: ListedMachine, before: InventoryMachine | undefined, at: number): InventoryMachine {
  if (before === undefined) {
    return { ...machine, firstSeenAt: at, lastSeenAt: at, stateSince: at, toldAt: null, vanishedAt: null };
  }
  const isSameState =
    before.vanishedAt === null && (before.state === machine.state || (isUp(before) && isUp(machine)));
  const now: InventoryMachine = {
    ...machine,
    firstSeenAt: before.firstSeenAt,
    lastSeenAt: at,
    stateSince: isSameState ? before.stateSince : at,
    toldAt: before.toldAt,
    vanishedAt: null,
  };
  const isNews = isSameState ? factsOf(now) !== factsOf(before) : true;
  return isNews || at - before.lastSeenAt >= NOTED_EVERY_MS ? now : before;
}

/** All that a provider says of a machine. */
function factsOf(machine: ListedMachine): string {
  const { ref, name, state, gpu, gpus, region, createdAt, hourlyCost, stoppedHourlyCost, memberOf } = machine;
  return JSON.stringify([
    ref,
    name,
    state,
    gpu,
    gpus,
    region,
    createdAt,
    hourlyCost,
    stoppedHourlyCost,
    memberOf,
  ]);
}

function vanish(machine: InventoryMachine, at: number): InventoryMachine {
  return machine.vanishedAt === null ? { ...machine, vanishedAt: at } : machine;
}

function keep(
  seen: readonly InventoryMachine[],
  left: readonly InventoryMachine[],
  at: number,
): [InventoryMachine[], string[]] {
  const room = Math.max(0, ROWS_PER_CONNECTION - seen.length);
  const latest = left.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);
  const isKept = (machine: InventoryMachine, index: number) =>
    index < room && at - (machine.vanishedAt ?? machine.lastSeenAt) < KEPT_MS;
  const kept = latest.filter(isKept);
  const forgotten = latest.filter((machine, index) => !isKept(machine, index));
  return [[...seen, ...kept], forgotten.map(({ ref }) => ref)];
}

/** A machine that goes on unwatched is told again after this long. */
export const REMINDER_MS = DAY_MS;

/**
 * Of the machines that a listing shows, those of which their owner is to be told: they are up, nobody watches them, and nothing else
 * starts and stops them.
 */
export function unwatchedToTell<M extends InventoryMachine>(
  machines: readonly M[],
  isWatched: (machine: M) => boolean,
  at: number,
): M[] {
  return machines.filter(
    (machine) =>
      isUp(machine) &&
      machine.vanishedAt === null &&
      machine.memberOf === null &&
      !isWatched(machine) &&
      (machine.toldAt === null || at - machine.toldAt >= REMINDER_MS),
  );
}

/** So many machines are named; the others are counted. */
const NAMED = 20;

/** What the owner is told of these machines at once. A price that is not known is not taken for nothing. */
export function unwatchedEvent(
  connection: string,
  provider: string,
  machines: readonly InventoryMachine[],
  at: number,
): HistoryEvent {
  const dear = machines.toSorted((a, b) => (b.hourlyCost ?? -1) - (a.hourlyCost ?? -1));
  const priced = machines.filter(({ hourlyCost }) => hourlyCost !== null);
  const total = priced.reduce((sum, { hourlyCost }) => sum + (hourlyCost ?? 0), 0);
  const unpriced = machines.length - priced.length;
  const isReminder = machines.every(({ toldAt }) => toldAt !== null);
  const named = dear.slice(0, NAMED).map(described);
  const more = machines.length > NAMED ? [`and ${machines.length - NAMED} more`] : [];
  const [machine, run] =
    machines.length === 1 ? ["1 machine", "runs"] : [`${machines.length} machines`, "run"];
  return {
    id: `unwatched-${connection}-${at.toString(36)}`,
    at,
    kind: "unwatched_machines",
    severity: "warning",
    message: `${machine} at ${provider} ${isReminder ? `still ${run}` : run}, watched by nobody: ${together(total, priced.length, unpriced)}. ${[...named, ...more].join("; ")}`,
    detail: {
      connection,
      machines: machines.length,
      hourly_cost: priced.length === 0 ? null : roundDollars(total),
      unpriced,
      reminder: isReminder,
      refs: dear
        .slice(0, NAMED)
        .map(({ ref }) => ref)
        .join(" "),
    },
  };
}

function together(total: number, priced: number, unpriced: number): string {
  if (priced === 0) return "what they cost is not known";
  const sum = `${spokenDollars(total)} an hour`;
  return unpriced === 0 ? `${sum} in all` : `${sum} and more, since the price of ${unpriced} is not known`;
}

function described(machine: InventoryMachine): string {
  const { ref, name, createdAt, hourlyCost, stateSince } = machine;
  const price = hourlyCost === null ? "price not known" : `${spokenDollars(hourlyCost)} an hour`;
  const created = createdAt === null ? null : `created ${toIso(createdAt)}`;
  const facts = [gpuNames(machine), price, created, `seen up since ${toIso(stateSince)}`].filter(
    (fact) => fact !== null,
  );
  return `${name ?? ref} (${facts.join(", ")})`;
}

/** A connection is listed this often. */
export const LIST_EVERY_MS = 15 * MINUTE_MS;

/** However often it failed, it is listed again after this long. */
const LONGEST_WAIT_MS = 4 * HOUR_MS;

/** After so many failures in a row the owner is told, once. */
export const FAILURES_TOLD = 3;

/** How long until a connection is listed again. `spread`: from 0 to 1, so that not all are listed at once. */
export function waitUntilListing(failures: number, retryAfterMs: number, spread: number): number {
  const wait = Math.min(LIST_EVERY_MS * 2 ** Math.min(Math.max(0, failures - 1), 10), LONGEST_WAIT_MS);
  return Math.max(Math.min(retryAfterMs, LONGEST_WAIT_MS), Math.round(wait * (0.9 + 0.2 * spread)));
}

/** What the owner is told once listings fail again and again. */
export function listingFailedEvent(
  connection: string,
  provider: string,
  problem: string,
  at: number,
): HistoryEvent {
  return {
    id: `listing-${connection}-${at.toString(36)}`,
    at,
    kind: "listing_failed",
    severity: "warning",
    message: `The machines at ${provider} can't be listed: ${problem}. Until they can, nobody sees what runs there without being watched. It is tried again and again`,
    detail: { connection, problem },
  };
}
