import { z } from "zod";
import { component } from "../http/openapi.ts";
import {
  type PolicyOverrides,
  policyOverridesSchema,
  policySettingsSchema,
} from "../lifecycle/model/policy-settings.ts";
import { expandPreset, PRESETS, type Preset, type PresetValues } from "../lifecycle/model/presets.ts";

/** Presets, as requests name them and answers show them. */

/** A field of overrides as they are sent. */
export const presetSchema = z
  .enum(PRESETS)
  .describe("Sets several fields at once. What is set beside it wins; its name is not kept");

export const shownPresetSchema = z
  .enum([...PRESETS, "custom"])
  .describe("Whose values these are; `custom`: of no preset");

const { idle, orphan } = policySettingsSchema.shape;

const presetValuesSchema = z.object({
  idle: idle.pick({ warn_after_seconds: true, hibernate_after_seconds: true }),
  orphan: orphan.pick({ delete_after_days: true }),
}) satisfies z.ZodType<PresetValues>;

export const presetsSchema = component(
  "PolicyPresets",
  z
    .object({ thrifty: presetValuesSchema, balanced: presetValuesSchema, careful: presetValuesSchema })
    .describe("What each preset sets"),
);

/** Overrides as they are kept: with the preset written out, and their fields in the order of the schema. */
export function writtenOut(
  sent: PolicyOverrides & { readonly preset?: Preset | undefined },
): PolicyOverrides {
  return policyOverridesSchema.parse(expandPreset(sent));
}
