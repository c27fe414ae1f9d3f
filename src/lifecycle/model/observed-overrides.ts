import type { PolicyOverrides } from "./policy-settings.ts";

/**
 * How overrides are kept and handed on under a policy that observes. The release before this one knows nothing of that, and would
 * act: it finds both ladders switched off. This one finds beside them what their owner has set.
 */

interface Observed {
  readonly idle: PolicyOverrides["idle"] | null;
  readonly orphan: PolicyOverrides["orphan"] | null;
}

/** The user's level. */
export function toKept(overrides: PolicyOverrides): PolicyOverrides {
  return overrides.mode === "observe" ? switchedOff(overrides) : overrides;
}

/** An instance's own level. It is left as it is where the user's switches both ladders off for it, too. */
export function toKeptOfInstance(own: PolicyOverrides, user: PolicyOverrides): PolicyOverrides {
  if ((own.mode ?? user.mode) !== "observe") return own;
  const isOn = own.idle?.enabled === true || own.orphan?.enabled === true;
  return own.mode === "observe" || isOn ? switchedOff(own) : own;
}

function switchedOff(overrides: PolicyOverrides): PolicyOverrides {
  const { idle = null, orphan = null } = overrides;
  const observed: Observed = { idle, orphan };
  const kept = {
    ...overrides,
    idle: { ...idle, enabled: false },
    orphan: { ...orphan, enabled: false },
    observed,
  };
  return kept;
}

/** What their owner has set, as far as anybody can read it. */
export function fromKept({
  observed,
  ...kept
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof observed !== "object" || observed === null) return kept;
  const { idle: _, orphan: __, ...others } = kept;
  const groups = Object.entries(observed).filter(([, group]) => group !== null);
  return { ...others, ...Object.fromEntries(groups) };
}
