import { spokenDollars } from "../lifecycle/model/dollars.ts";
import { type CostTotals, dollarsOf, type Spent } from "../lifecycle/model/ledger.ts";
import { HOUR_MS, spokenDuration, toIso } from "../lifecycle/model/time.ts";
import { proposalInEnglish } from "../replay/say-proposal.ts";
import {
  type CostReport,
  type Habit,
  type Hibernations,
  type MonthCosts,
  type PreviewedSavings,
  reportEventId,
  reportedCosts,
} from "./cost-report.ts";
import type { Notice, NoticeLine } from "./notice.ts";

/** What a month has cost, in words: pure. */

/** What a month has cost, in one sentence. */
export function reportTitle({ month, costs }: MonthCosts): string {
  const { wasted, saved } = costs;
  return `${spokenMonth(month)}: ${spokenDollars(dollarsOf(costs))} spent, ${spokenDollars(wasted)} of it wasted, ${spokenDollars(saved)} saved`;
}

/** The message that tells a report. `at`: when its month ended. */
export function reportNotice(report: CostReport, at: number): Notice {
  const eventId = reportEventId(report.month);
  const own = (message: string): NoticeLine => lineOf({ instanceId: "", name: "", message, at, eventId });
  const group = { kind: "cost_report", severity: "info", more: 0 } as const;
  const { habits, previewed } = report;
  const ofHabits = habits?.map(({ instanceId, name, habit, spent }) =>
    lineOf({ instanceId, name, message: sayHabit(habit, spent), at, eventId }),
  );
  return {
    title: reportTitle(report),
    severity: "info",
    groups: [
      { ...group, heading: `What ${spokenMonth(report.month)} has cost`, lines: sums(report).map(own) },
      ...(ofHabits === undefined || ofHabits.length === 0
        ? []
        : [{ ...group, heading: "What cost the most and could be spared", lines: ofHabits }]),
      ...(previewed == null
        ? []
        : [
            {
              ...group,
              heading: "What another policy would have saved",
              lines: sayPreviewed(previewed).map(own),
            },
          ]),
    ],
    report: reportedCosts(report),
  };
}

function lineOf(line: Omit<NoticeLine, "keepAlive">): NoticeLine {
  return { ...line, keepAlive: null };
}

function sums({ month, costs, hibernations, isComplete, habits, before }: CostReport): string[] {
  const beside = (say: (of: MonthCosts) => string | null) => {
    const said = before === null ? null : say(before);
    return said === null || before === null ? "" : ` (${spokenMonthBefore(month, before.month)}: ${said})`;
  };
  const line = (what: string, say: (costs: CostTotals) => number) =>
    `${what}: ${spokenDollars(say(costs))}${beside((of) => spokenDollars(say(of.costs)))}`;
  return [
    line("Spent", dollarsOf),
    line("Wasted", ({ wasted }) => wasted),
    line("Saved by hibernation", ({ saved }) => saved),
    hibernations === null
      ? "Hibernations: not counted from the month's beginning"
      : `Hibernations: ${sayRegrets(hibernations)} woken within ten minutes${beside((of) => of.hibernations && sayRegrets(of.hibernations))}`,
    ...(costs.unpricedMs === 0
      ? []
      : [`${spokenHours(costs.unpricedMs)} have no known price, and are in none of this`]),
    ...(isComplete ? [] : ["Not all days of the month are known now: it may be more"]),
    ...(habits === null ? ["Which instances cost the most could not be looked up"] : []),
  ];
}

function sayPreviewed({
  from,
  to,
  instances,
  interruptions,
  proposal,
  ...beyond
}: PreviewedSavings): string[] {
  const of = instances === 1 ? "one instance" : `${instances} instances`;
  const work = interruptions === 0 ? "nobody interrupted" : `work interrupted ${times(interruptions)}`;
  return [
    `As tried on ${of} from ${dayOf(from)} to ${dayOf(to)}: ${sayBeyond(beyond)} than was, and ${work}`,
    ...(proposal === null ? [] : [proposalInEnglish(proposal)]),
  ];
}

/** `$12.00 more saved`; in hours of hibernation where no price is known. */
function sayBeyond({ savedBeyond, hibernatedBeyondMs }: Beyond): string {
  return savedBeyond === null
    ? `${spokenHours(Math.abs(hibernatedBeyondMs))} ${hibernatedBeyondMs < 0 ? "less" : "more"} hibernated`
    : `${spokenDollars(Math.abs(savedBeyond))} ${savedBeyond < 0 ? "less" : "more"} saved`;
}

type Beyond = Pick<PreviewedSavings, "savedBeyond" | "hibernatedBeyondMs">;

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function dayOf(moment: number): string {
  return toIso(moment).slice(0, 10);
}

function sayRegrets({ hibernations, regretted }: Hibernations): string {
  return `${hibernations}, ${regretted === 0 ? "none" : regretted} of them`;
}

function sayHabit(habit: Habit["habit"], { ms, dollars }: Spent): string {
  const [hours, cost] = [spokenHours(ms), spokenDollars(dollars)];
  switch (habit) {
    case "idle_past_warning":
      return `idled ${hours} past its warning: ${cost}`;
    case "idle_unwarned":
      return `idled ${hours} without a warning: ${cost}`;
    case "silent":
      return `was silent for ${hours}: ${cost}`;
    case "hibernated":
      return `was hibernated for ${hours}, and billed all the same: ${cost}`;
  }
}

/** Whole hours, which is what money is reckoned by: `61 hours`. */
function spokenHours(ms: number): string {
  return ms < 2 * HOUR_MS ? spokenDuration(ms) : `${Math.round(ms / HOUR_MS)} hours`;
}

function spokenMonth(month: number): string {
  return new Intl.DateTimeFormat("en-US", { month: "long", year: "numeric", timeZone: "UTC" }).format(month);
}

/** The month before needs its year only where that is another one. */
function spokenMonthBefore(month: number, before: number): string {
  const isSameYear = new Date(month).getUTCFullYear() === new Date(before).getUTCFullYear();
  return isSameYear ? (spokenMonth(before).split(" ")[0] ?? "") : spokenMonth(before);
}
