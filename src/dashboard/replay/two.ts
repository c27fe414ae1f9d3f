import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import { presetOf, type ShownPreset } from "../../lifecycle/model/presets.ts";
import type { FieldValue } from "../settings/policy-fields.ts";
import { allFields, type PlacedField, valueAt } from "../settings/policy-values.ts";
import type { KeptPreview } from "./answers.ts";
import {
  type Difference,
  differenceOf,
  figureOf,
  isShown,
  MEASURES,
  type Measure,
  type MeasureUnit,
  resultOf,
  unitOf,
  type Value,
} from "./comparing.ts";

/** Two kept previews, held against each other. Pure. */

export interface TwoRow {
  readonly measure: Measure;
  readonly unit: MeasureUnit;
  readonly first: Value;
  readonly second: Value;
  /** The second against the first. */
  readonly difference: Difference | null;
}

/** What their candidates came to. */
export function rowsOfTwo(one: KeptPreview, other: KeptPreview): TwoRow[] {
  const [first, second] = [one, other].map(({ results }) => resultOf(results, "candidate"));
  if (first == null || second == null) return [];
  return MEASURES.flatMap((measure) => {
    const [a, b] = [figureOf(first, measure), figureOf(second, measure)];
    if (!isShown(measure, [a, b])) return [];
    const difference = differenceOf(measure, b, a);
    return [{ measure, unit: unitOf(measure), first: a, second: b, difference }];
  });
}

/** Previews that were made so soon after each other are of the same days. */
const SAME_TIME_MS = 6 * 3_600_000;

/** Whether they are of the same instances and days. */
export function areAlike(one: KeptPreview, other: KeptPreview): boolean {
  const isSameTime = Math.abs(Date.parse(one.from) - Date.parse(other.from)) < SAME_TIME_MS;
  return (
    one.days === other.days &&
    isSameTime &&
    JSON.stringify(one.asked_of) === JSON.stringify(other.asked_of) &&
    one.instances.total === other.instances.total
  );
}

export interface PolicyDifference {
  readonly field: PlacedField;
  readonly first: FieldValue | undefined;
  readonly second: FieldValue | undefined;
}

export function policyDifferences(one: KeptPreview, other: KeptPreview): PolicyDifference[] {
  return allFields().flatMap((field) => {
    const [first, second] = [triedAt(one, field.path), triedAt(other, field.path)];
    return JSON.stringify(first) === JSON.stringify(second) ? [] : [{ field, first, second }];
  });
}

/** What held of a field: where an instance's own overrides were tried, these first. */
export function triedAt({ policy, instance_policy }: Tried, path: readonly string[]): FieldValue | undefined {
  const own = instance_policy === null ? undefined : valueAt(instance_policy, path);
  return own === undefined ? valueAt(policy, path) : own;
}

type Tried = Pick<KeptPreview, "policy" | "instance_policy">;

export interface TriedNumbers {
  readonly preset: ShownPreset;
  readonly idle: Pick<PolicySettings["idle"], "threshold_percent" | "hibernate_after_seconds">;
}

/** By what a preview is told apart from others at a glance. */
export function triedNumbers({ policy, instance_policy }: Tried): TriedNumbers {
  const idle = { ...policy.idle, ...instance_policy?.idle };
  const orphan = { ...policy.orphan, ...instance_policy?.orphan };
  return { preset: presetOf({ idle, orphan }), idle };
}
