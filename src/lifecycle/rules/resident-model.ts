import type { InstanceState } from "../model/state.ts";
import { HOUR_MS, MINUTE_MS } from "../model/time.ts";
import { phrase } from "../model/words/phrase.ts";
import type { Said } from "../model/words/said.ts";

/** GPU memory that is held while nothing works, as by a model that nobody asks: it is no work, and is said as such. */

/** Less than this is no model: drivers and desktops hold some. */
const LEAST_GB = 1;

/** How much is held without work; null while there is work, or next to nothing is held. */
export function residentModelGb({ use, recent, agent }: InstanceState): number | null {
  if (use === undefined || use.quietSince === null) return null;
  const listed = agent.gpus.reduce((sum, { vram_used_gb }) => sum + (vram_used_gb ?? 0), 0);
  const held = recent.at(-1)?.vramUsedGb ?? listed;
  return held >= LEAST_GB ? Math.round(10 * held) / 10 : null;
}

/** `Resident model (23.1 GB), 42 min without work`; empty where there is none. */
export function sayResidentModel(state: InstanceState, now: number): Said {
  const gb = residentModelGb(state);
  const since = state.use?.quietSince ?? null;
  if (gb === null || since === null) return "";
  const forMs = Math.max(0, now - since);
  return forMs < 2 * HOUR_MS
    ? phrase("idle.resident_model", { gigabytes: gb, minutes: Math.floor(forMs / MINUTE_MS) })
    : phrase("idle.resident_model_hours", { gigabytes: gb, hours: Math.floor(forMs / HOUR_MS) });
}
