import { HOUR_MS } from "../../lifecycle/model/time.ts";
import type { InventoryMachine } from "./inventory.ts";

/**
 * Two connections of one account list the same machines. Such a machine is one entry of the inventory, as it is claimed once: it is
 * told once, and registered once.
 */

/** A machine as one connection lists it. */
interface Listed extends InventoryMachine {
  readonly connection: string;
  readonly provider: string;
  /** Whether the present credentials of its connection have shown it, and are not refused. */
  readonly isCurrent: boolean;
}

/** A connection that has not seen the machine for this much longer than another shows it as it was. A steady one is noted once an hour. */
const STALE_AFTER_MS = 2 * HOUR_MS;

/** Each machine once, in the order in which they come first. The `preferred` connection speaks for those that it still sees. */
export function entriesOf<M extends Listed>(machines: readonly M[], preferred: string | null = null): M[] {
  const groups = Map.groupBy(machines, ({ provider, ref }) => `${provider} ${ref}`);
  return [...groups.values()].flatMap((seen) => entryOf(seen, preferred) ?? []);
}

/** One connection speaks for the machine. What it does not know, another one may. */
function entryOf<M extends Listed>(seen: readonly M[], preferred: string | null): M | null {
  const latest = Math.max(...seen.map(({ lastSeenAt }) => lastSeenAt));
  const [speaker, ...others] = seen.toSorted((a, b) => compared(a, b, latest, preferred));
  if (speaker === undefined) return null;
  const isGone = speaker.vanishedAt !== null;
  const listing = [speaker, ...others].filter(({ vanishedAt }) => (vanishedAt !== null) === isGone);
  const told = seen.flatMap(({ toldAt }) => toldAt ?? []);
  return {
    ...speaker,
    hourlyCost: firstKnown(listing.map(({ hourlyCost }) => hourlyCost)),
    stoppedHourlyCost: firstKnown(listing.map(({ stoppedHourlyCost }) => stoppedHourlyCost)),
    memberOf: firstKnown(listing.map(({ memberOf }) => memberOf)),
    firstSeenAt: Math.min(...seen.map(({ firstSeenAt }) => firstSeenAt)),
    lastSeenAt: latest,
    vanishedAt: isGone ? Math.max(...seen.map(({ vanishedAt }) => vanishedAt ?? 0)) : null,
    toldAt: told.length === 0 ? null : Math.max(...told),
  };
}

/** First who can still be asked for it, then who lists it, then who has seen it lately, then who knew it first. */
function compared(a: Listed, b: Listed, latest: number, preferred: string | null): number {
  return (
    Number(b.isCurrent) - Number(a.isCurrent) ||
    Number(a.vanishedAt !== null) - Number(b.vanishedAt !== null) ||
    Number(isStale(a, latest)) - Number(isStale(b, latest)) ||
    Number(b.connection === preferred) - Number(a.connection === preferred) ||
    a.firstSeenAt - b.firstSeenAt ||
    (a.connection < b.connection ? -1 : 1)
  );
}

function isStale({ lastSeenAt }: Listed, latest: number): boolean {
  return latest - lastSeenAt > STALE_AFTER_MS;
}

function firstKnown<T>(values: readonly (T | null)[]): T | null {
  return values.find((value) => value !== null) ?? null;
}
