import type { Detail } from "./detail.ts";

/** How far an instance is on its way to its next step. Pure. */

type Stepping = Pick<
  Detail,
  "lifecycle" | "last_heartbeat" | "orphaned_since" | "hibernated_since" | "registered_at"
> & { readonly use: { readonly without_work_since: string | null } | null };

/** From 0 to 1; null where nothing runs towards a step. */
export function progressOf(instance: Stepping, nowMs: number): number | null {
  const { next_step, at, blocked_by } = instance.lifecycle;
  if (next_step === null || at === null || blocked_by !== null) return null;
  const began = beganAt(instance, next_step);
  if (began === null) return null;
  const [from, to] = [Date.parse(began), Date.parse(at)];
  if (!(to > from)) return null;
  return Math.min(1, Math.max(0, (nowMs - from) / (to - from)));
}

function beganAt(
  { use, last_heartbeat, orphaned_since, hibernated_since, registered_at }: Stepping,
  step: NonNullable<Stepping["lifecycle"]["next_step"]>,
): string | null {
  switch (step) {
    case "warn":
      return use?.without_work_since ?? null;
    case "hibernate":
      return orphaned_since ?? use?.without_work_since ?? null;
    case "orphan":
    case "never_heard":
      return last_heartbeat ?? registered_at;
    case "force_hibernate":
    case "delete":
      return orphaned_since;
    case "wake":
      return hibernated_since;
  }
}
