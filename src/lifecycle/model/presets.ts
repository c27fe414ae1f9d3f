import type { PolicyOverrides } from "./policy-settings.ts";

/** Sets of values under one name. Whoever names a preset sets these fields: nothing keeps the name itself. */

export const PRESETS = ["thrifty", "balanced", "careful"] as const;

export type Preset = (typeof PRESETS)[number];

/** `custom`: the values are those of no preset. */
export type ShownPreset = Preset | "custom";

/** What a preset sets, and nothing else. */
export interface PresetValues {
  readonly idle: { readonly warn_after_seconds: number; readonly hibernate_after_seconds: number };
  readonly orphan: { readonly delete_after_days: number | null };
}

/** Each sets the same fields. `thrifty` is what holds where nobody has set anything. */
export const PRESET_VALUES: Readonly<Record<Preset, PresetValues>> = {
  thrifty: {
    idle: { warn_after_seconds: 180, hibernate_after_seconds: 300 },
    orphan: { delete_after_days: 7 },
  },
  balanced: {
    idle: { warn_after_seconds: 900, hibernate_after_seconds: 1800 },
    orphan: { delete_after_days: 7 },
  },
  careful: {
    idle: { warn_after_seconds: 2700, hibernate_after_seconds: 3600 },
    orphan: { delete_after_days: null },
  },
};

/** Which preset an effective policy comes to. */
export function presetOf({ idle, orphan }: PresetValues): ShownPreset {
  const isSame = (preset: Preset) => {
    const values = PRESET_VALUES[preset];
    return (
      idle.warn_after_seconds === values.idle.warn_after_seconds &&
      idle.hibernate_after_seconds === values.idle.hibernate_after_seconds &&
      orphan.delete_after_days === values.orphan.delete_after_days
    );
  };
  return PRESETS.find(isSame) ?? "custom";
}

/** One level's overrides with the preset written out, and without its name. What is set explicitly beside it wins. */
export function expandPreset<Overrides extends PolicyOverrides>({
  preset,
  ...explicit
}: Overrides & { readonly preset?: Preset | undefined }): Omit<Overrides, "preset"> {
  if (preset === undefined) return explicit;
  const values = PRESET_VALUES[preset];
  return {
    ...explicit,
    idle: { ...values.idle, ...explicit.idle },
    orphan: { ...values.orphan, ...explicit.orphan },
  };
}
