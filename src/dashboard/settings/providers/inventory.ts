/** Machines as providers list them. Pure. */

export interface ListedMachine {
  readonly connection: string;
  readonly ref: string;
  readonly name: string | null;
  readonly state: string;
  readonly gpu: string | null;
  readonly gpus: number | null;
  readonly region: string | null;
  readonly hourly_cost: number | null;
  readonly stopped_hourly_cost: number | null;
  readonly member_of: string | null;
  readonly vanished_at: string | null;
}

export interface Listing {
  readonly connection: string;
  readonly listed_at: string | null;
  readonly problem: string | null;
}

export interface Inventory {
  readonly machines: readonly ListedMachine[];
  readonly connections: readonly Listing[];
  readonly next_cursor: string | null;
}

/** What nobody watches, of all connections; what is on this page of the answer is enough to begin with. */
export const UNWATCHED = "/api/agent/inventory?watched=false&limit=1000";

export const keyOf = ({ connection, ref }: Pick<ListedMachine, "connection" | "ref">) =>
  JSON.stringify([connection, ref]);

export const nameOf = ({ name, ref }: Pick<ListedMachine, "name" | "ref">) => name ?? ref;

/** The machines of a connection that can be watched: what bills first, and the dearest of that. */
export function watchable(machines: readonly ListedMachine[], connection: string): ListedMachine[] {
  return machines
    .filter(
      (machine) =>
        machine.connection === connection && machine.vanished_at === null && machine.state !== "terminated",
    )
    .toSorted(
      (one, other) =>
        Number(other.member_of === null) - Number(one.member_of === null) ||
        Number(isBilling(other)) - Number(isBilling(one)) ||
        (priceOf(other) ?? -1) - (priceOf(one) ?? -1) ||
        nameOf(one).localeCompare(nameOf(other)),
    );
}

/** Whether its machines have been listed; till then nobody knows what is there. */
export function isListed({ connections }: Inventory, connection: string): boolean {
  return connections.some((each) => each.connection === connection && each.listed_at !== null);
}

export function isBilling({ state }: ListedMachine): boolean {
  return state === "running" || state === "starting";
}

/** What it costs an hour as it is; null where its provider does not say. */
export function priceOf(machine: ListedMachine): number | null {
  return machine.state === "stopped" ? machine.stopped_hourly_cost : machine.hourly_cost;
}

export interface Total {
  /** Of those whose price is known; null where that is none. */
  readonly dollars: number | null;
  readonly unknown: number;
}

/** What they cost an hour: only what bills counts, and a price that is not known is not nothing. */
export function totalOf(machines: readonly ListedMachine[]): Total {
  const prices = machines.filter(isBilling).map(priceOf);
  const known = prices.filter((price) => price !== null);
  return {
    dollars: known.length === 0 ? null : known.reduce((sum, price) => sum + price, 0),
    unknown: prices.length - known.length,
  };
}
