import { compilePolicy } from "../lifecycle/model/policy.ts";
import type { PolicySettings } from "../lifecycle/model/policy-settings.ts";
import { PRESET_VALUES, PRESETS, type Preset } from "../lifecycle/model/presets.ts";
import { actualOf } from "./actual.ts";
import type { Replayed } from "./outcome.ts";
import { type ReplayOptions, replay } from "./replay.ts";
import type { Story } from "./story.ts";

/** Whose figures stand side by side: what really happened, and what policies would have made of it. */
export const COMPARED = ["actual", "candidate", "in_force", ...PRESETS] as const;

export type Compared = (typeof COMPARED)[number];

export type Comparison = Readonly<Record<Compared, Replayed>>;

/**
 * What really happened in the story, beside what the candidate, the policy in force now, and each preset would have made of it.
 * `byPreset`: the settings of the instance by a preset; without it, those in force with the values of the preset.
 */
export function comparisonOf(
  story: Story,
  candidate: PolicySettings,
  { speed = 1, ...options }: ReplayOptions = {},
  byPreset: ((preset: Preset) => PolicySettings) | null = null,
): Comparison {
  const inForce = story.policies.at(-1)?.settings ?? candidate;
  const presetOf = byPreset ?? ((preset: Preset) => withPreset(inForce, preset));
  const by = (settings: PolicySettings) =>
    replay(story, compilePolicy(settings, speed), { ...options, speed });
  return {
    actual: actualOf(story, speed),
    candidate: by(candidate),
    in_force: by(inForce),
    thrifty: by(presetOf("thrifty")),
    balanced: by(presetOf("balanced")),
    careful: by(presetOf("careful")),
  };
}

/** The same settings with the values of the preset. It acts, also where the settings only observe: what it would save is asked. */
export function withPreset(settings: PolicySettings, preset: Preset): PolicySettings {
  const values = PRESET_VALUES[preset];
  return {
    ...settings,
    mode: "act",
    idle: { ...settings.idle, ...values.idle },
    orphan: { ...settings.orphan, ...values.orphan },
  };
}
