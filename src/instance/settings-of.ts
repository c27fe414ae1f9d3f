import { mergePolicy, type PolicySettings } from "../lifecycle/model/policy-settings.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** The policy of the instance, all levels merged. */
export function settingsOf(stored: Pick<StoredInstance, "userPolicy" | "overrides">): PolicySettings {
  return mergePolicy(stored.userPolicy, stored.overrides);
}
