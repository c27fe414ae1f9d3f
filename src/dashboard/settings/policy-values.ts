import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { WeeklyWindow } from "../../lifecycle/model/window-settings.ts";
import { type FieldKind, type FieldValue, POLICY_FIELDS, type PolicyWindow } from "./policy-fields.ts";

/** Where the fields of a policy stand, where a value comes from, and how a change is written. Pure. */

/** The way to a field from the whole policy, as the API names it. */
export type Path = readonly string[];

export interface PlacedField {
  readonly path: Path;
  readonly kind: FieldKind;
}

/** What stands in this part itself, without what its own parts hold. */
export function fieldsOf(part: object, path: Path = []): PlacedField[] {
  return Object.entries(part).flatMap(([name, kind]) =>
    isKind(kind) ? [{ path: [...path, name], kind }] : [],
  );
}

/** All of them. */
export function allFields(part: object = POLICY_FIELDS, path: Path = []): PlacedField[] {
  return Object.entries(part).flatMap(([name, inner]) =>
    isKind(inner) ? [{ path: [...path, name], kind: inner }] : allFields(Object(inner), [...path, name]),
  );
}

function isKind(value: unknown): value is FieldKind {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** What these overrides, or this policy, say of a field; undefined when nothing. */
export function valueAt(from: PolicyOverrides | PolicySettings, path: Path): FieldValue | undefined {
  const value = path.reduce<unknown>((holder, name) => (isHolder(holder) ? holder[name] : undefined), from);
  switch (typeof value) {
    case "number":
    case "boolean":
    case "string":
      return value;
    default:
      return value === null || isWindows(value) ? value : undefined;
  }
}

function isHolder(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isWindows(value: unknown): value is readonly PolicyWindow[] {
  return Array.isArray(value) && value.every((each) => isHolder(each) && "from" in each && "to" in each);
}

export function isWeekly(window: PolicyWindow): window is WeeklyWindow {
  return "days" in window;
}

/** The overrides with one field set, or with it left out again (undefined). Nothing is left of a part that holds nothing. */
export function withValue(
  overrides: PolicyOverrides,
  path: Path,
  value: FieldValue | undefined,
): PolicyOverrides {
  const changed: PolicyOverrides = { ...overrides, ...placed(overrides, path, value) };
  for (const [name, each] of Object.entries(changed))
    if (each === undefined) Reflect.deleteProperty(changed, name);
  return changed;
}

function placed(
  holder: object,
  [name = "", ...rest]: Path,
  value: FieldValue | undefined,
): Record<string, unknown> {
  if (rest.length === 0) return { [name]: value };
  const former = Object.entries(holder).find(([each]) => each === name)?.[1];
  const inner = isHolder(former) ? former : {};
  const changed = Object.entries({ ...inner, ...placed(inner, rest, value) }).filter(
    ([, each]) => each !== undefined,
  );
  return { [name]: changed.length === 0 ? undefined : Object.fromEntries(changed) };
}

/** In how many fields two levels' overrides differ. */
export function changesBetween(one: PolicyOverrides, other: PolicyOverrides): number {
  const isChanged = ({ path }: PlacedField) =>
    JSON.stringify(valueAt(one, path)) !== JSON.stringify(valueAt(other, path));
  return allFields().filter(isChanged).length;
}
