import { type CostTotals, dollarsOf, type Spent } from "../lifecycle/model/ledger.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import { ANYBODY, type Phrase, type Said } from "../lifecycle/model/words/said.ts";
import { say } from "../lifecycle/model/words/say.ts";
import { proposalPhrase } from "../replay/say-proposal.ts";
import {
  type CostReport,
  type Habit,
  type Hibernations,
  type MonthCosts,
  type PreviewedSavings,
  reportEventId,
  reportedCosts,
} from "./cost-report.ts";
import { languageOf, type Notice, type NoticeLine } from "./notice.ts";

/** What a month has cost, in words: pure. */

/** What a month has cost, in one sentence. */
export function reportTitle({ month, costs }: MonthCosts): Phrase {
  const { wasted, saved } = costs;
  return phrase("report.title", { month, spent: dollarsOf(costs), wasted, saved });
}

/** The message that tells a report. `at`: when its month ended. `reader`: in whose words. */
export function reportNotice(report: CostReport, at: number, reader = ANYBODY): Notice {
  const { month, habits, previewed } = report;
  const eventId = reportEventId(month);
  const own = (message: Phrase): NoticeLine =>
    lineOf({ instanceId: "", name: "", message: say(reader, message), at, eventId });
  const group = { kind: "cost_report", severity: "info", more: 0 } as const;
  const ofHabits = habits?.map(({ instanceId, name, habit, spent }) =>
    lineOf({ instanceId, name, message: say(reader, sayHabit(habit, spent)), at, eventId }),
  );
  return {
    title: say(reader, reportTitle(report)),
    severity: "info",
    groups: [
      { ...group, heading: say(reader, phrase("report.costs", { month })), lines: sums(report).map(own) },
      ...(ofHabits === undefined || ofHabits.length === 0
        ? []
        : [{ ...group, heading: say(reader, phrase("report.habits")), lines: ofHabits }]),
      ...(previewed == null
        ? []
        : [
            {
              ...group,
              heading: say(reader, phrase("report.policy")),
              lines: sayPreviewed(previewed).map(own),
            },
          ]),
    ],
    report: reportedCosts(report, reader.language),
    ...languageOf(reader),
  };
}

function lineOf(line: Omit<NoticeLine, "keepAlive">): NoticeLine {
  return { ...line, keepAlive: null };
}

function sums({ month, costs, hibernations, isComplete, habits, before }: CostReport): Phrase[] {
  const line = (code: "report.spent" | "report.wasted" | "report.saved", of: (costs: CostTotals) => number) =>
    phrase(code, {
      amount: of(costs),
      before:
        before === null
          ? ""
          : phrase("report.before", { month: sayMonthBefore(month, before.month), amount: of(before.costs) }),
    });
  return [
    line("report.spent", dollarsOf),
    line("report.wasted", ({ wasted }) => wasted),
    line("report.saved", ({ saved }) => saved),
    hibernations === null
      ? phrase("report.hibernations_unknown")
      : sayHibernations(hibernations, sayHibernationsBefore(month, before)),
    ...(costs.unpricedMs === 0 ? [] : [phrase("report.unpriced", { hours: sayHours(costs.unpricedMs) })]),
    ...(isComplete ? [] : [phrase("report.incomplete")]),
    ...(habits === null ? [phrase("report.habits_unknown")] : []),
  ];
}

function sayHibernations({ hibernations: count, regretted }: Hibernations, before: Said): Phrase {
  return regretted === 0
    ? phrase("report.hibernations_fine", { count, before })
    : phrase("report.hibernations", { count, regretted, before });
}

function sayHibernationsBefore(thisMonth: number, before: MonthCosts | null): Said {
  if (before === null || before.hibernations === null) return "";
  const { hibernations: count, regretted } = before.hibernations;
  const month = sayMonthBefore(thisMonth, before.month);
  return regretted === 0
    ? phrase("report.hibernations_before_fine", { month, count })
    : phrase("report.hibernations_before", { month, count, regretted });
}

function sayPreviewed({
  from,
  to,
  instances,
  interruptions,
  proposal,
  ...beyond
}: PreviewedSavings): Phrase[] {
  const of =
    instances === 1 ? phrase("report.one_instance") : phrase("report.instances", { count: instances });
  const work = sayInterruptions(interruptions);
  return [
    phrase("report.tried", { of, from, to, beyond: sayBeyond(beyond), work }),
    ...(proposal === null ? [] : [proposalPhrase(proposal)]),
  ];
}

/** `$12.00 more saved`; in hours of hibernation where no price is known. */
function sayBeyond({ savedBeyond, hibernatedBeyondMs }: Beyond): Phrase {
  if (savedBeyond !== null) {
    const amount = Math.abs(savedBeyond);
    return phrase(savedBeyond < 0 ? "report.less_saved" : "report.more_saved", { amount });
  }
  const hours = sayHours(Math.abs(hibernatedBeyondMs));
  return phrase(hibernatedBeyondMs < 0 ? "report.less_hibernated" : "report.more_hibernated", { hours });
}

type Beyond = Pick<PreviewedSavings, "savedBeyond" | "hibernatedBeyondMs">;

function sayInterruptions(count: number): Phrase {
  if (count === 0) return phrase("report.nobody_interrupted");
  return count === 1 ? phrase("report.interrupted_once") : phrase("report.interrupted", { count });
}

function sayHabit(habit: Habit["habit"], { ms, dollars }: Spent): Phrase {
  return phrase(`report.${habit}`, { hours: sayHours(ms), amount: dollars });
}

/** Whole hours, which is what money is reckoned by: `61 hours`. */
function sayHours(ms: number): Phrase {
  return ms < 2 * HOUR_MS
    ? phrase("report.duration", { duration: ms })
    : phrase("report.hours", { count: Math.round(ms / HOUR_MS) });
}

/** The month before needs its year only where that is another one. */
function sayMonthBefore(month: number, before: number): Phrase {
  const isSameYear = new Date(month).getUTCFullYear() === new Date(before).getUTCFullYear();
  return phrase(isSameYear ? "report.month_of_year" : "report.month", { month: before });
}
