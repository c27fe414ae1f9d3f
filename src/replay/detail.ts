import { PREPARATION_CAUSES, type PreparationCause } from "../lifecycle/model/preparation.ts";
import type { PastEvent } from "./story.ts";

/** What the details of a past event say. They are as they were stored, perhaps by another release. */

type Detail = PastEvent["detail"];

export function textIn(detail: Detail, name: string): string | null {
  const value = detail[name];
  return typeof value === "string" ? value : null;
}

export function numberIn(detail: Detail, name: string): number | null {
  const value = detail[name];
  return typeof value === "number" ? value : null;
}

/** To the second, as ISO 8601 is kept, unless the rest of it is kept too. */
export function momentIn(detail: Detail, name: string): number | null {
  const at = Date.parse(textIn(detail, name) ?? "");
  return Number.isNaN(at) ? null : at + (numberIn(detail, `${name}_ms`) ?? 0);
}

/** Who or what has an instance hibernated: the policy by a rule of its own, or somebody outside of it. */
export interface Asked {
  readonly reason: "idle" | "silence" | "owner" | "instance";
  readonly because: PreparationCause | null;
}

/** Why an order to hibernate was given, or prepared for; null where its event does not say. */
export function askedBy({ detail }: PastEvent): Asked | null {
  const rule = textIn(detail, "rule");
  if (rule === null) return null;
  if (rule.startsWith("orphan.")) return { reason: "silence", because: null };
  if (rule === "instance") return { reason: "instance", because: null };
  const because = PREPARATION_CAUSES.find(
    (cause) => cause === (rule === "max_runtime_hours" ? "max_runtime" : rule),
  );
  if (because === undefined) return null;
  return { reason: because === "idle" ? "idle" : "owner", because };
}
