import type { WeeklyWindow } from "../../lifecycle/model/window-settings.ts";
import { DAYS, type Day } from "../../lifecycle/model/windows.ts";
import { language, words } from "../words.ts";
import type { PolicyWindow } from "./policy-fields.ts";
import { isWeekly } from "./policy-values.ts";

/** Windows of time, as people read them. */

/** A Monday. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

export function dayName(day: Day, weekday: "short" | "long"): string {
  return new Intl.DateTimeFormat(language.value, { weekday, timeZone: "UTC" })
    .format(MONDAY_MS + DAYS.indexOf(day) * DAY_MS)
    .replace(/\.$/, "");
}

/** One of every week whose end is not after its start ends on the next day. */
export function endsNextDay({ from, to }: WeeklyWindow): boolean {
  return to <= from;
}

export function spokenWindows(windows: readonly PolicyWindow[], timezone: string): string {
  if (windows.length === 0) return words.value.policy.windows.none;
  return windows.map((window) => spokenWindow(window, timezone)).join(" · ");
}

function spokenWindow(window: PolicyWindow, timezone: string): string {
  if (isWeekly(window)) return `${spokenDays(window.days)} ${window.from}–${window.to}`;
  const [from, to] = [new Date(window.from), new Date(window.to)];
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) return `${window.from}–${window.to}`;
  return new Intl.DateTimeFormat(language.value, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: timezone,
  }).formatRange(from, to);
}

/** Three days and more that follow each other as a range. */
function spokenDays(days: readonly Day[]): string {
  if (DAYS.every((day) => days.includes(day))) return words.value.policy.windows.everyDay;
  const runs: Day[][] = [];
  for (const [index, day] of DAYS.entries()) {
    if (!days.includes(day)) continue;
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1) === DAYS[index - 1]) run.push(day);
    else runs.push([day]);
  }
  return runs
    .flatMap((run) => {
      const [first, last] = [run[0], run.at(-1)];
      if (first === undefined || last === undefined) return [];
      return run.length < 3
        ? run.map((day) => dayName(day, "short"))
        : [`${dayName(first, "short")}–${dayName(last, "short")}`];
    })
    .join(", ");
}
