import { roundDollars } from "../../lifecycle/model/dollars.ts";
import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { messageOf } from "../../lifecycle/model/outbox.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../lifecycle/model/time.ts";
import { phrase, together } from "../../lifecycle/model/words/phrase.ts";
import type { Phrase } from "../../lifecycle/model/words/said.ts";
import { text } from "../../lifecycle/model/words/say.ts";
import { gpuNames, type InventoryMachine, isUp, type Listing } from "./inventory.ts";

/** What the owner of a connection is told of its machines, and of listings that fail or leave a part out. */

/** What is not understood for so long may go on so, and bills for all that anybody knows. */
const UNKNOWN_FOR_MS = 30 * MINUTE_MS;

/** Whether the machine bills, as far as anybody can tell. */
function mayBill(machine: Pick<InventoryMachine, "state" | "stateSince">, at: number): boolean {
  return isUp(machine) || (machine.state === "unknown" && at - machine.stateSince >= UNKNOWN_FOR_MS);
}

/** A machine that goes on unwatched is told again after this long. */
export const REMINDER_MS = DAY_MS;

/**
 * Of the machines that a listing shows, those of which their owner is to be told: they bill, nobody watches them, and nothing else
 * starts and stops them.
 */
export function unwatchedToTell<M extends InventoryMachine>(
  machines: readonly M[],
  isWatched: (machine: M) => boolean,
  at: number,
): M[] {
  return machines.filter(
    (machine) =>
      mayBill(machine, at) &&
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
  machines: readonly (InventoryMachine & { readonly watchedBy?: string | null })[],
  at: number,
): HistoryEvent {
  const dear = machines.toSorted((a, b) => (b.hourlyCost ?? -1) - (a.hourlyCost ?? -1));
  const priced = machines.filter(({ hourlyCost }) => hourlyCost !== null);
  const total = priced.reduce((sum, { hourlyCost }) => sum + (hourlyCost ?? 0), 0);
  const unpriced = machines.length - priced.length;
  const isReminder = machines.every(({ toldAt }) => toldAt !== null);
  const named = dear.slice(0, NAMED).map(described);
  const left = machines.length - named.length;
  const told = {
    count: machines.length,
    provider,
    cost: sayCost(total, priced.length, unpriced),
    // Two lists in one, since a phrase holds few parts.
    named: together("semicolons", [
      together("semicolons", named.slice(0, NAMED / 2)),
      together("semicolons", named.slice(NAMED / 2)),
      left === 0 ? "" : phrase("unwatched.more", { count: left }),
    ]),
  };
  return {
    id: `unwatched-${connection}-${at.toString(36)}`,
    at,
    kind: "unwatched_machines",
    severity: "warning",
    ...messageOf(isReminder ? phrase("unwatched.still_run", told) : phrase("unwatched.run", told)),
    detail: {
      connection,
      machines: machines.length,
      hourly_cost: priced.length === 0 ? null : roundDollars(total),
      unpriced,
      // As other events say it.
      ...(priced.length === 0 ? {} : { rate: roundDollars(total) }),
      unknown_rates: unpriced,
      reminder: isReminder,
      refs: dear
        .slice(0, NAMED)
        .map(({ ref }) => ref)
        .join(" "),
    },
  };
}

function sayCost(rate: number, priced: number, unpriced: number): Phrase {
  if (priced === 0) return phrase("unwatched.cost_unknown");
  return unpriced === 0
    ? phrase("unwatched.cost", { rate })
    : phrase("unwatched.cost_more", { rate, count: unpriced });
}

/** One that has a watcher is told all the same: that one takes it for hibernated. */
function described(machine: InventoryMachine & { readonly watchedBy?: string | null }): Phrase {
  const { ref, name, createdAt, hourlyCost, stateSince, watchedBy = null } = machine;
  const since = { at: stateSince };
  const facts = together("commas", [
    gpuNames(machine) ?? "",
    hourlyCost === null ? phrase("unwatched.price_unknown") : phrase("unwatched.price", { rate: hourlyCost }),
    createdAt === null ? "" : phrase("unwatched.created", { at: createdAt }),
    isUp(machine) ? phrase("unwatched.up", since) : phrase("unwatched.unsure", since),
    watchedBy === null ? "" : phrase("unwatched.asleep", { id: watchedBy }),
  ]);
  return phrase("unwatched.machine", { name: name ?? ref, facts });
}

/** An instance that counts as hibernated for so long has a machine that is stopped, or one that was never stopped. */
export const ASLEEP_FOR_MS = HOUR_MS;

/** That a part of the machines can't be listed is told again after this long. */
export const PARTIAL_TOLD_EVERY_MS = DAY_MS;

/** What a listing left out, in words; null for a whole one. */
export function leftOut({ isComplete, unlisted }: Pick<Listing, "isComplete" | "unlisted">): string | null {
  if (!isComplete) return text("fleet.list_cut");
  const names = [...new Set(unlisted.map(({ name }) => name))];
  if (names.length === 0) return null;
  const more = names.length > NAMED ? `, and ${names.length - NAMED} more` : "";
  return `what is in ${names.slice(0, NAMED).join(", ")}${more} is not listed`;
}

/** What the owner is told once two listings in a row have left a part out. */
export function partlyListedEvent(
  connection: string,
  provider: string,
  problem: string,
  at: number,
): HistoryEvent {
  return {
    id: partlyListedId(connection),
    at,
    kind: "listing_failed",
    severity: "warning",
    ...messageOf(phrase("fleet.partly_listed", { provider, problem })),
    detail: { connection, problem },
  };
}

export function partlyListedId(connection: string): string {
  return `partly-listed-${connection}`;
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
    ...messageOf(phrase("fleet.not_listed", { provider, problem })),
    detail: { connection, problem },
  };
}
