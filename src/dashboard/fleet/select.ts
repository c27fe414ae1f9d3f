import type { LiveView } from "../../lifecycle/views/instance-view.ts";

/** Which instances the table shows and in which order, and what the summary says. Pure. */

/** The instances that a tile of the summary stands for. */
const GROUPS = {
  active: ({ status, health }: LiveView) => status === "running" && health !== "idle",
  idle: ({ status, health }: LiveView) => status === "running" && health === "idle",
  orphaned: ({ status }: LiveView) => status === "orphaned",
  hibernated: ({ status }: LiveView) => status === "hibernated" || status === "hibernating",
} as const;

export type Group = keyof typeof GROUPS;

export const SORT_KEYS = ["next", "name", "status", "heartbeat", "gpu", "cost"] as const;

export type SortKey = (typeof SORT_KEYS)[number];

export interface Selection {
  readonly group: Group | null;
  readonly status: LiveView["status"] | null;
  readonly search: string;
  readonly sort: SortKey;
  readonly descending: boolean;
}

export function select(instances: readonly LiveView[], selection: Selection): LiveView[] {
  const wanted = selection.search.trim().toLowerCase();
  const { group, status, sort, descending } = selection;
  const chosen = instances.filter(
    (each) =>
      (group === null || GROUPS[group](each)) &&
      (status === null || each.status === status) &&
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
  { group, status, search }: Selection,
): T[] {
  if (group !== null || status !== null) return [];
  const wanted = search.trim().toLowerCase();
  return unreadable.filter(({ instance_id }) => instance_id.toLowerCase().includes(wanted));
}

interface Summary extends Record<Group, number> {
  /** Dollars an hour that running, hibernated and never heard instances cost, as far as they say. */
  readonly dollarsAnHour: number;
}

export function summarize(instances: readonly LiveView[]): Summary {
  const count = (group: Group) => instances.filter(GROUPS[group]).length;
  return {
    active: count("active"),
    idle: count("idle"),
    orphaned: count("orphaned"),
    hibernated: count("hibernated"),
    dollarsAnHour: instances.reduce((sum, each) => sum + costNow(each), 0),
  };
}

function costNow({ status, health, hourly_cost, hibernated_cost }: LiveView): number {
  switch (status) {
    case "running":
    case "orphaned":
    case "hibernating":
    case "waking":
    case "deleting":
      return hourly_cost ?? 0;
    case "hibernated":
      return hibernated_cost ?? 0;
    // One that was never heard may run.
    case "pending":
      return health === "unhealthy" ? (hourly_cost ?? 0) : 0;
    case "deleted":
      return 0;
  }
}

const byName = (a: LiveView, b: LiveView) =>
  a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.instance_id < b.instance_id ? -1 : 1);

/** The status that most wants a look comes first. */
const URGENCY: Record<LiveView["status"], number> = {
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
function urgencyOf({ status, health }: LiveView): number {
  return status === "pending" && health === "unhealthy" ? URGENCY.orphaned : URGENCY[status];
}

const COMPARE: Record<SortKey, (a: LiveView, b: LiveView) => number> = {
  name: byName,
  status: (a, b) => urgencyOf(a) - urgencyOf(b),
  heartbeat: (a, b) => compare(a.last_heartbeat ?? "", b.last_heartbeat ?? ""),
  gpu: (a, b) => (a.gpu_utilization ?? -1) - (b.gpu_utilization ?? -1),
  cost: (a, b) => a.cost_today - b.cost_today,
  // What has no next step comes after all that has.
  next: (a, b) => compare(a.lifecycle.at ?? "~", b.lifecycle.at ?? "~"),
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
