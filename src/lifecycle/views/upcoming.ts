import type { Policy } from "../model/policy.ts";
import { DAY_MS, toIso } from "../model/time.ts";
import { type Span, spansBetween } from "../model/windows.ts";

/** What the clock alone brings by a policy: when its windows begin and end. */

/** The field names are those of the HTTP API. */
export interface Upcoming {
  readonly at: string;
  /**
   * - `awake`: awake hours begin; `wake`: so, and what their schedule or idleness has hibernated is woken.
   * - `asleep`: they end, and idleness is judged again; `hibernate`: so, and what runs is hibernated.
   * - `maintenance_begins`, `maintenance_ends`: from then on silence moves nobody, or counts again.
   */
  readonly what: "awake" | "asleep" | "hibernate" | "wake" | "maintenance_begins" | "maintenance_ends";
}

const SHOWN_MS = 7 * DAY_MS;
const MAXIMUM_SHOWN = 50;

/** What comes within seven days, the first first, and at most fifty. */
export function upcoming({ schedule, maintenance }: Policy, now: number): readonly Upcoming[] {
  const until = now + SHOWN_MS;
  const awake = spansBetween(schedule.awake, schedule.timezone, now, until);
  const maintained = spansBetween(maintenance.windows, maintenance.timezone, now, until);
  return [
    ...turnsOf(awake, schedule.wake_at_start ? "wake" : "awake", endOf(schedule.outside)),
    ...turnsOf(maintained, "maintenance_begins", "maintenance_ends"),
  ]
    .filter(({ at }) => at > now && at <= until)
    .sort((one, other) => one.at - other.at)
    .slice(0, MAXIMUM_SHOWN)
    .map(({ at, what }) => ({ at: toIso(at), what }));
}

function endOf(outside: Policy["schedule"]["outside"]): Upcoming["what"] {
  switch (outside) {
    case "hibernate":
      return "hibernate";
    case "idle_rules":
      return "asleep";
  }
}

function turnsOf(spans: readonly Span[], begins: Upcoming["what"], ends: Upcoming["what"]) {
  return spans.flatMap(({ from, to }) => [
    { at: from, what: begins },
    { at: to, what: ends },
  ]);
}
