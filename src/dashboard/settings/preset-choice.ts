import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import {
  PRESET_VALUES,
  type Preset,
  type PresetValues,
  presetOf,
  type ShownPreset,
} from "../../lifecycle/model/presets.ts";
import type { FieldValue } from "./policy-fields.ts";
import { type Path, valueAt, withValue } from "./policy-values.ts";

/** Presets as one choice: what a level says of their fields, and what the levels above it say. Pure. */

/** `above`: the level says nothing of their fields itself. */
export type PresetChoice = ShownPreset | "above";

const PATHS: readonly Path[] = Object.entries(PRESET_VALUES.thrifty).flatMap(([group, values]) =>
  Object.keys(values).map((field) => [group, field]),
);

/** What a level's overrides come to, with those of the levels above it, the nearest first. */
export function presetChoice(own: PolicyOverrides, above: readonly PolicyOverrides[]): PresetChoice {
  if (PATHS.every((path) => valueAt(own, path) === undefined)) return "above";
  return presetOf(presetNumbers([own, ...above]));
}

/** The numbers of presets as these levels give them, the nearest first. Where none does, the service is thrifty. */
export function presetNumbers(levels: readonly PolicyOverrides[]): PresetValues {
  const { thrifty } = PRESET_VALUES;
  return levels.reduceRight<PresetValues>(
    (numbers, { idle, orphan }) => ({
      idle: {
        warn_after_seconds: idle?.warn_after_seconds ?? numbers.idle.warn_after_seconds,
        hibernate_after_seconds: idle?.hibernate_after_seconds ?? numbers.idle.hibernate_after_seconds,
      },
      orphan: {
        delete_after_days:
          orphan?.delete_after_days === undefined
            ? numbers.orphan.delete_after_days
            : orphan.delete_after_days,
      },
    }),
    thrifty,
  );
}

/** The overrides with the numbers of a preset, or without any of their own. */
export function withPreset(own: PolicyOverrides, choice: Preset | "above"): PolicyOverrides {
  const given = (path: Path): FieldValue | undefined =>
    choice === "above" ? undefined : valueAt(PRESET_VALUES[choice], path);
  return PATHS.reduce((overrides, path) => withValue(overrides, path, given(path)), own);
}
