import { hasTags, type Tag } from "../../lifecycle/model/tags.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import type { Amount } from "../costs/answers.ts";
import { attentionOf, urgencyOf } from "./attention.ts";
import { costToday, isWasting, sumOfRates, wastedToday } from "./money.ts";

/** Which instances the table shows and in which order, and what the summary says. Pure. */

/** What the list can be narrowed to by one click on a figure. */
const GROUPS = {
  active: ({ status, health }: ShownView) => status === "running" && health !== "idle",
  idle: ({ status, health }: ShownView) => status === "running" && health === "idle",
  orphaned: ({ status }: ShownView) => status === "orphaned",
  hibernated: ({ status }: ShownView) => status === "hibernated" || status === "hibernating",
  unstoppable: ({ control }: ShownView) => control.nobody_can_stop,
  costing: ({ rate }: ShownView) => rate !== null && rate > 0,
  wasting: (instance: ShownView) => isWasting(instance) && instance.rate !== 0,
  unpriced: ({ rate }: ShownView) => rate === null,
} as const;

export type Group = keyof typeof GROUPS;

export const GROUP_NAMES: readonly Group[] = [
  "active",
  "idle",
  "orphaned",
  "hibernated",
  "unstoppable",
  "costing",
  "wasting",
  "unpriced",
];

export const SORT_KEYS = [
  "attention",
  "next",
  "name",
  "status",
  "heartbeat",
  "gpu",
  "rate",
  "cost",
  "wasted",
  "provider",
] as const;

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

/** `nowMs`: what is due soon comes first where the list is sorted by attention. */
export function select(
  instances: readonly ShownView[],
  selection: Selection,
  nowMs: number,
): readonly ShownView[] {
  const wanted = selection.search.trim().toLowerCase();
  const { group, status, connection, tags, sort, descending } = selection;
  const ranked: Ranked[] = [];
  for (const each of instances) {
    const isChosen =
      (group === null || GROUPS[group](each)) &&
      (status === null || each.status === status) &&
      (connection === null || each.connection === connection) &&
      hasTags(each.tags, tags) &&
      (wanted === "" ||
        each.name.toLowerCase().includes(wanted) ||
        each.instance_id.toLowerCase().includes(wanted));
    if (!isChosen) continue;
    const [tier, rank] = sort === "attention" ? attentionOf(each, nowMs) : [0, RANKS[sort](each)];
    ranked.push({ instance: each, tier, rank, name: nameOrder(each) });
  }
  const sign = descending ? -1 : 1;
  ranked.sort(
    (a, b) =>
      sign * (a.tier - b.tier || compare(a.rank, b.rank)) ||
      compare(a.name, b.name) ||
      compare(a.instance.instance_id, b.instance.instance_id),
  );
  return ranked.map(({ instance }) => instance);
}

/** All that a comparison needs is made once: a big list is sorted anew with every change. */
interface Ranked {
  readonly instance: ShownView;
  readonly tier: number;
  readonly rank: number | string;
  readonly name: string;
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

interface Summary {
  readonly counts: Readonly<Record<Group, number>>;
  /** Dollars an hour of instances that nobody can stop. */
  readonly unstoppableAnHour: Amount;
}

export function summarize(instances: readonly ShownView[]): Summary {
  const count = (group: Group) =>
    instances.reduce((sum, instance) => sum + (GROUPS[group](instance) ? 1 : 0), 0);
  return {
    counts: {
      active: count("active"),
      idle: count("idle"),
      orphaned: count("orphaned"),
      hibernated: count("hibernated"),
      unstoppable: count("unstoppable"),
      costing: count("costing"),
      wasting: count("wasting"),
      unpriced: count("unpriced"),
    },
    unstoppableAnHour: sumOfRates(instances.filter(GROUPS.unstoppable).map(({ rate }) => rate)),
  };
}

const names = new WeakMap<ShownView, string>();

/** As people sort names, whatever their case and accents, and numbers in them as numbers, in a text that is quick to compare. */
function nameOrder(instance: ShownView): string {
  const known = names.get(instance);
  if (known !== undefined) return known;
  const order = instance.name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/\d+/g, (digits) => digits.padStart(16, "0"));
  names.set(instance, order);
  return order;
}

const RANKS: Readonly<Record<Exclude<SortKey, "attention">, (instance: ShownView) => number | string>> = {
  name: nameOrder,
  status: urgencyOf,
  heartbeat: ({ last_heartbeat }) => last_heartbeat ?? "",
  gpu: ({ gpu_utilization }) => gpu_utilization ?? -1,
  // What is not known is not nothing: it comes after all that is.
  rate: ({ rate }) => rate ?? -1,
  cost: (instance) => costToday(instance) ?? -1,
  wasted: (instance) => wastedToday(instance) ?? -1,
  // What has no next step comes after all that has.
  next: ({ lifecycle }) => lifecycle.at ?? "~",
  provider: ({ provider, connection }) => `${provider} ${connection ?? ""}`,
};

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
