import { computed, signal } from "@preact/signals";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";

/** The instances that are selected, to do the same with all of them. */

/** So many can be selected: each is asked for by itself. */
export const MOST_MARKED = 1000;

export const marked = signal<ReadonlySet<string>>(new Set());

export const isAnyMarked = computed(() => marked.value.size > 0);

/** The last one that was marked by itself: with Shift, all between it and the next are. */
let last: string | null = null;

/** Marks it, or takes its mark away. `shown`: with Shift, the rows of the table in their order. */
export function toggleMark(instanceId: string, shown: readonly ShownView[] | null): void {
  const next = new Set(marked.value);
  const isMarking = !next.has(instanceId);
  for (const id of between(last, instanceId, shown)) {
    if (isMarking) next.add(id);
    else next.delete(id);
  }
  last = instanceId;
  marked.value = bounded(next);
}

/** Marks all of them, or none. */
export function markAll(shown: readonly ShownView[], isMarking: boolean): void {
  marked.value = isMarking ? bounded(new Set(shown.map(({ instance_id }) => instance_id))) : new Set();
  last = null;
}

export function clearMarks(): void {
  marked.value = new Set();
  last = null;
}

function between(from: string | null, to: string, shown: readonly ShownView[] | null): readonly string[] {
  if (from === null || shown === null) return [to];
  const ids = shown.map(({ instance_id }) => instance_id);
  const [one, other] = [ids.indexOf(from), ids.indexOf(to)];
  if (one === -1 || other === -1) return [to];
  return ids.slice(Math.min(one, other), Math.max(one, other) + 1);
}

function bounded(ids: ReadonlySet<string>): ReadonlySet<string> {
  return ids.size <= MOST_MARKED ? ids : new Set([...ids].slice(0, MOST_MARKED));
}
