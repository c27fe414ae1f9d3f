/** The numbers that a proposal's code comes with, checked: a newer service may say others. Pure. */

export interface Setting {
  readonly thresholdPercent: number;
  readonly hibernateAfterMinutes: number;
  readonly sharePercent: number;
  /** Dollars; null where nobody knows what the machines cost. */
  readonly saved: number | null;
  readonly hibernatedHours: number;
  readonly interruptions: number;
  readonly workCutHours: number;
}

/** Null where these are not the numbers of a setting. */
export function settingIn(parameters: unknown): Setting | null {
  if (typeof parameters !== "object" || parameters === null) return null;
  const given = new Map<string, unknown>(Object.entries(parameters));
  const numberAt = (name: string) => {
    const value = given.get(name);
    return typeof value === "number" ? value : Number.NaN;
  };
  const setting: Setting = {
    thresholdPercent: numberAt("threshold_percent"),
    hibernateAfterMinutes: numberAt("hibernate_after_minutes"),
    sharePercent: numberAt("share_percent"),
    saved: given.get("saved") === null ? null : numberAt("saved"),
    hibernatedHours: numberAt("hibernated_hours"),
    interruptions: numberAt("interruptions"),
    workCutHours: numberAt("work_cut_hours"),
  };
  return Object.values(setting).some(Number.isNaN) ? null : setting;
}
