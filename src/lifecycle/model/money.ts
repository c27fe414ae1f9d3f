import { roundDollars } from "./dollars.ts";
import type { EventDetail, HistoryEventKind } from "./history-event.ts";

/** What the machine of an event costs at that moment: the figures in the event's detail. `say-money.ts` puts them into words. */

/** All are dollars but `unknown_rates`. */
export const FIGURES = [
  /** An hour, now. */
  "rate",
  /** An hour while it runs, of a machine that is hibernated. */
  "running_cost",
  /** An hour while it is hibernated. */
  "hibernated_cost",
  /** How much less an hour would cost if it were hibernated. */
  "would_save_hourly",
  /** How much less an hour costs, since it is hibernated or gone. */
  "saves_hourly",
  /** By this idleness or silence, from its beginning to now. */
  "wasted",
  /** Of several machines: how many have a price that nobody knows. */
  "unknown_rates",
  /** Of one that is gone: since it was registered. */
  "cost_total",
  "wasted_total",
] as const;

export type Figure = (typeof FIGURES)[number];

/** What is not known is left out: it is never zero. */
export type Money = Readonly<Partial<Record<Figure, number>>>;

/**
 * What money has to do with events of a kind.
 * - `now`: what the machine costs as it stands.
 * - `if it runs`: nobody knows whether it does. `once it runs`: it is being started.
 * - `gone`: it costs no more.
 * - `together`: it is of several machines. `said`: so, and the message says already what they cost.
 * - `none`: nothing.
 */
export type Bearing = "now" | "if it runs" | "once it runs" | "gone" | "together" | "said" | "none";

const BEARING: Record<HistoryEventKind, Bearing> = {
  registered: "none",
  changed: "none",
  policy_changed: "none",
  token_rotated: "none",
  first_heartbeat: "none",
  idle: "now",
  busy: "now",
  would_hibernate: "now",
  stop_planned: "now",
  looks_stuck: "now",
  source_unknown: "now",
  never_heard: "if it runs",
  orphaned: "now",
  silent: "now",
  abandoned: "now",
  rebooted: "none",
  recovered: "now",
  flapping: "now",
  kept_alive: "now",
  preparing: "now",
  prepared: "now",
  preparation_failed: "now",
  preparation_overdue: "now",
  preparation_cancelled: "now",
  reclaimed: "now",
  dead_man_hibernated: "none",
  hibernating: "now",
  hibernate_cancelled: "now",
  hibernate_failed: "now",
  hibernated: "now",
  would_wake: "once it runs",
  waking: "once it runs",
  wake_failed: "now",
  woken: "now",
  guard_deferred: "now",
  guard_permitted: "now",
  guard_closed: "together",
  guard_opened: "none",
  would_delete: "now",
  deleting: "now",
  delete_cancelled: "now",
  delete_failed: "now",
  accepted_too_late: "now",
  found_running: "now",
  unwatched: "if it runs",
  vanished: "if it runs",
  unwatched_machines: "said",
  listing_failed: "none",
  looked: "now",
  deleted: "gone",
  gone: "gone",
  history_lost: "none",
  delivery_parked: "none",
  alert_not_delivered: "none",
  connection_refused: "together",
  enrollment_refused: "none",
  invariant_breached: "none",
  operator_acted: "none",
  resumed: "none",
  hibernate_all: "said",
  not_all_hibernated: "together",
  budget_reached: "said",
  cleanup: "none",
  reconciliation: "none",
  cost_report: "none",
  user_suspended: "none",
  user_resumed: "none",
  user_deleted: "none",
};

/** A kind of a newer version has none. */
export function bearingOf(kind: string): Bearing {
  return isKnown(kind) ? BEARING[kind] : "none";
}

function isKnown(kind: string): kind is HistoryEventKind {
  return Object.hasOwn(BEARING, kind);
}

/** The figures in the detail of an event of this kind, perhaps of another version. */
export function moneyIn(kind: string, detail: Readonly<Record<string, unknown>>): Money {
  return bearingOf(kind) === "none" ? {} : figuresIn(detail);
}

/** Those of these figures that are known, rounded. */
export function moneyOf(dollars: Readonly<Partial<Record<Figure, number | null>>>): Money & EventDetail {
  const money = figuresIn(dollars);
  return Object.fromEntries(Object.entries(money).map(([figure, value]) => [figure, roundDollars(value)]));
}

function figuresIn(fields: Readonly<Record<string, unknown>>): Money {
  return Object.fromEntries(
    FIGURES.flatMap((figure) => {
      const value = fields[figure];
      return typeof value === "number" ? [[figure, value]] : [];
    }),
  );
}
