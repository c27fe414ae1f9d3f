import { type PolicyOverrides, type PolicySettings, policyOverridesSchema } from "./policy-settings.ts";

/** What a change of policy keeps of the settings before it, so that the past can be told by the policy that was in force. */

/** As much as this is kept. A schedule of many windows is about half of it. */
const LONGEST = 4000;

/** The former values of what has changed, as JSON text; undefined where they are too long to be kept. */
export function sayFormer(former: PolicySettings, settings: PolicySettings): string | undefined {
  const said = JSON.stringify(changedFields(former, settings));
  return said.length <= LONGEST ? said : undefined;
}

/** The former values of what has changed; null where they cannot be read. */
export function readFormer(said: unknown): PolicyOverrides | null {
  if (typeof said !== "string") return null;
  try {
    return policyOverridesSchema.safeParse(JSON.parse(said)).data ?? null;
  } catch {
    return null;
  }
}

/** Groups are compared field by field, and lists as a whole. */
function changedFields(former: object, settings: object): Record<string, unknown> {
  const present = new Map<string, unknown>(Object.entries(settings));
  const changed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(former)) {
    const next = present.get(name);
    if (JSON.stringify(value) === JSON.stringify(next)) continue;
    changed[name] = isGroup(value) && isGroup(next) ? changedFields(value, next) : value;
  }
  return changed;
}

function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
