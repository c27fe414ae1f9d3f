import { hasTags, type Tag } from "../../lifecycle/model/tags.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import type { Amount } from "../costs/answers.ts";
import { costToday, sumOfRates, wastedToday } from "./money.ts";

/** Which instances the table shows and in which order, and what the summary says. Pure. */

/** The instances that a tile of the summary stands for. */
const GROUPS = {
  active: ({ status, health }: ShownView) => status === "running" && health !== "idle",
  idle: ({ status, health }: ShownView) => status === "running" && health === "idle",
  orphaned: ({ status }: ShownView) => status === "orphaned",
  hibernated: ({ status }: ShownView) => status === "hibernated" || status === "hibernating",
  unstoppable: ({ control }: ShownView) => control.nobody_can_stop,
} as const;

export type Group = keyof typeof GROUPS;

export const SORT_KEYS = ["next", "name", "status", "heartbeat", "gpu", "rate", "cost", "wasted"] as const;

export type SortKey = (typeof SORT_KEYS)[number];

/** Of money the most comes first. */
export function isDescendingFirst(sort: SortKey): boolean {
  return sort === "rate" || sort === "cost" || sort === "wasted";
}

export interface Selection {
  readonly group: Group | null;
  readonly status: ShownView["status"] | null;
  /** The id of a connection to a provider. */
  readonly connection: string | null;
  /** All of them. */
  readonly tags: readonly Tag[];
  readonly search: string;
  readonly sort: SortKey;
  readonly descending: boolean;
}

export function select(instances: readonly ShownView[], selection: Selection): ShownView[] {
  const wanted = selection.search.trim().toLowerCase();
  const { group, status, connection, tags, sort, descending } = selection;
  const chosen = instances.filter(
    (each) =>
      (group === null || GROUPS[group](each)) &&
      (status === null || each.status === status) &&
      (connection === null || each.connection === connection) &&
      hasTags(each.tags, tags) &&
      (wanted === "" ||
        each.name.toLowerCase().includes(wanted) ||
        each.instance_id.toLowerCase().includes(wanted)),
  );
  const order = COMPARE[sort];
  return chosen.sort((a, b) => (descending ? order(b, a) : order(a, b)) || byName(a, b));
}

/** Instances of which nothing is known but their ids: they are in no group and have no status. */
export function selectUnreadable<T extends { readonly instance_id: string }>(
  unreadable: readonly T[],
  { group, status, connection, tags, search }: Selection,
): T[] {
  if (group !== null || status !== null || connection !== null || tags.length > 0) return [];
  const wanted = search.trim().toLowerCase();
  return unreadable.filter(({ instance_id }) => instance_id.toLowerCase().includes(wanted));
}

interface Summary extends Record<Group, number> {
  /** Dollars an hour of instances that nobody can stop. */
  readonly unstoppableAnHour: Amount;
}

export function summarize(instances: readonly ShownView[]): Summary {
  const count = (group: Group) => instances.filter(GROUPS[group]).length;
  return {
    active: count("active"),
    idle: count("idle"),
    orphaned: count("orphaned"),
    hibernated: count("hibernated"),
    unstoppable: count("unstoppable"),
    unstoppableAnHour: sumOfRates(instances.filter(GROUPS.unstoppable).map(({ rate }) => rate)),
  };
}

const byName = (a: ShownView, b: ShownView) =>
  a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.instance_id < b.instance_id ? -1 : 1);

/** The status that most wants a look comes first. */
const URGENCY: Record<ShownView["status"], number> = {
  orphaned: 0,
  hibernating: 1,
  waking: 2,
  deleting: 3,
  running: 4,
  pending: 5,
  hibernated: 6,
  deleted: 7,
};

/** What was never heard wants a look like what is silent. */
function urgencyOf({ status, health }: ShownView): number {
  return status === "pending" && health === "unhealthy" ? URGENCY.orphaned : URGENCY[status];
}

const COMPARE: Record<SortKey, (a: ShownView, b: ShownView) => number> = {
  name: byName,
  status: (a, b) => urgencyOf(a) - urgencyOf(b),
  heartbeat: (a, b) => compare(a.last_heartbeat ?? "", b.last_heartbeat ?? ""),
  gpu: (a, b) => (a.gpu_utilization ?? -1) - (b.gpu_utilization ?? -1),
  // What is not known is not nothing: it comes after all that is.
  rate: (a, b) => (a.rate ?? -1) - (b.rate ?? -1),
  cost: (a, b) => (costToday(a) ?? -1) - (costToday(b) ?? -1),
  wasted: (a, b) => (wastedToday(a) ?? -1) - (wastedToday(b) ?? -1),
  // What has no next step comes after all that has.
  next: (a, b) => compare(a.lifecycle.at ?? "~", b.lifecycle.at ?? "~"),
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
