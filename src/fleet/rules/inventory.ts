import { isPrice } from "../../lifecycle/model/state.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../lifecycle/model/time.ts";
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
const MOST_GPUS = 100_000;
const LATEST_MOMENT = Date.UTC(9999, 0);

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
  const listed = new Map(machines.map((machine) => [machine.ref, bounded(machine)]));
  const seen = [...listed.values()].map((machine) => see(machine, before.get(machine.ref), startedAt));
  const unseen = known.filter(({ ref }) => !listed.has(ref));
  const left = unseen.map((machine) =>
    wouldShow(listing, machine.ref) ? vanish(machine, startedAt) : machine,
  );
  const [kept, forgotten] = keep(seen, left, startedAt);
  return { written: kept.filter((machine) => machine !== before.get(machine.ref)), forgotten };
}

/** What nobody could count with, or show, is not known. */
function bounded(machine: ListedMachine): ListedMachine {
  const short = (text: string | null) => text?.replaceAll(/\p{Cc}+/gu, " ").slice(0, LONGEST_TEXT) ?? null;
  const { name, gpu, region, memberOf, gpus, createdAt, hourlyCost, stoppedHourlyCost } = machine;
  return {
    ...machine,
    name: short(name),
    gpu: short(gpu),
    region: short(region),
    memberOf: short(memberOf),
    gpus: within(gpus, MOST_GPUS),
    createdAt: within(createdAt, LATEST_MOMENT),
    hourlyCost: hourlyCost !== null && isPrice(hourlyCost) ? hourlyCost : null,
    stoppedHourlyCost: stoppedHourlyCost !== null && isPrice(stoppedHourlyCost) ? stoppedHourlyCost : null,
  };
}

function within(amount: number | null, most: number): number | null {
  return amount !== null && amount >= 0 && amount <= most ? amount : null;
}

function see(machine: ListedMachine, before: InventoryMachine | undefined, at: number): InventoryMachine {
  if (before === undefined) {
    return { ...machine, firstSeenAt: at, lastSeenAt: at, stateSince: at, toldAt: null, vanishedAt: null };
  }
  const isSameState =
    before.vanishedAt === null && (before.state === machine.state || (isUp(before) && isUp(machine)));
  const now: InventoryMachine = {
    ...(machine.state === "unknown" ? withKnown(machine, before) : machine),
    firstSeenAt: before.firstSeenAt,
    lastSeenAt: at,
    stateSince: isSameState ? before.stateSince : at,
    toldAt: before.toldAt,
    vanishedAt: null,
  };
  const isNews = isSameState ? factsOf(now) !== factsOf(before) : true;
  return isNews || at - before.lastSeenAt >= NOTED_EVERY_MS ? now : before;
}

/** Of a machine that is not understood, what was known before still counts. */
function withKnown(machine: ListedMachine, before: ListedMachine): ListedMachine {
  return {
    ...machine,
    name: machine.name ?? before.name,
    gpu: machine.gpu ?? before.gpu,
    gpus: machine.gpus ?? before.gpus,
    region: machine.region ?? before.region,
    createdAt: machine.createdAt ?? before.createdAt,
    hourlyCost: machine.hourlyCost ?? before.hourlyCost,
    stoppedHourlyCost: machine.stoppedHourlyCost ?? before.stoppedHourlyCost,
    memberOf: machine.memberOf ?? before.memberOf,
  };
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
