import { z } from "zod";
import { roundDollars } from "../lifecycle/model/dollars.ts";
import { type CostTotals, dollarsOf, type Spent } from "../lifecycle/model/ledger.ts";
import { HOUR_MS, toIso } from "../lifecycle/model/time.ts";
import type { Language } from "../lifecycle/model/words/said.ts";
import { say } from "../lifecycle/model/words/say.ts";
import { proposalPhrase, type Said } from "../replay/say-proposal.ts";

/** What a month has cost, as its owner is told: from sums to figures. `cost-report-notice.ts` puts it into words. */

/**
 * What an instance costs money by that its owner could do without.
 * - `idle_past_warning`: it idled on after it was warned of. `idle_unwarned`: it idled, and nobody was warned.
 * - `silent`: it ran, or may have run, and was not heard.
 * - `hibernated`: it was stopped, and went on billing, for its disk or its address.
 */
export const HABITS = ["idle_past_warning", "idle_unwarned", "silent", "hibernated"] as const;

export interface Habit {
  readonly habit: (typeof HABITS)[number];
  readonly instanceId: string;
  readonly name: string;
  readonly spent: Spent;
}

/** Null where they were not counted from the month's beginning. */
export interface Hibernations {
  readonly hibernations: number;
  readonly regretted: number;
}

export interface MonthCosts {
  /** Its first instant. */
  readonly month: number;
  readonly costs: CostTotals;
  readonly hibernations: Hibernations | null;
}

/** What another policy would have saved, by the newest preview of days that end in the month. */
export interface PreviewedSavings {
  /** The days that were replayed, in ms. */
  readonly from: number;
  readonly to: number;
  readonly instances: number;
  /** Dollars, beyond what was really saved; negative where it is less, and null where nobody knows what any of the machines costs. */
  readonly savedBeyond: number | null;
  /** Of hibernation, likewise. */
  readonly hibernatedBeyondMs: number;
  readonly interruptions: number;
  /** What the preview proposes; null where nothing can be. */
  readonly proposal: Said | null;
}

export interface CostReport extends MonthCosts {
  /** The month is not over. */
  readonly isSoFar: boolean;
  /** The costs of all of its days are known that ever were. */
  readonly isComplete: boolean;
  /** The costliest, dearest first; null where nobody could look them up. */
  readonly habits: readonly Habit[] | null;
  /** Null when nothing is known of it. */
  readonly before: MonthCosts | null;
  /** Null without a preview. Absent where a former release says it. */
  readonly previewed?: PreviewedSavings | null | undefined;
}

const hoursSchema = z.object({
  working: z.number(),
  idle: z.number(),
  silent: z.number(),
  hibernated: z.number(),
});

const count = z.int().nullable();

/** The parts of a report's figures, as messages and the HTTP API have them. All amounts are dollars. */
export const reportedHabitSchema = z.object({
  habit: z.enum(HABITS),
  instance_id: z.string(),
  name: z.string(),
  hours: z.number(),
  cost: z.number(),
});

export const reportedMonthSchema = z.object({
  month: z.string().describe("A UTC month: `2026-11`"),
  cost: z.number(),
  wasted: z.number().describe("Of `cost`: while idle past the warning, orphaned, or never heard"),
  saved: z.number().describe("By confirmed hibernation"),
  hours: hoursSchema,
  cost_by_use: hoursSchema,
  reported: z.number().describe("Of `cost`: what machines reported themselves"),
  unpriced_hours: z.number().describe("Hours without a known price, which are in no amount"),
  hibernations: count.describe("`null`: they were not counted from the month's beginning"),
  regretted: count.describe("Of those that were woken in this month: within ten minutes"),
});

export const reportedPreviewSchema = z
  .object({
    from: z.string(),
    to: z.string(),
    instances: z.number(),
    saved_beyond: z
      .number()
      .nullable()
      .describe("Dollars beyond what was really saved; negative: less. `null`: no price is known"),
    hibernated_hours_beyond: z.number().describe("Hours of hibernation, likewise"),
    interruptions: z.number().describe("How often work would have come while a machine was off"),
    proposal: z.string().nullable().describe("What the preview proposes, in a sentence"),
  })
  .describe("What another policy would have come to, by the newest preview of days that end in the month");

/** A report's figures, made of these parts. */
export function costReportSchema<
  Month extends typeof reportedMonthSchema,
  ReportedHabit extends typeof reportedHabitSchema,
  ReportedPreview extends typeof reportedPreviewSchema,
>(month: Month, habit: ReportedHabit, preview: ReportedPreview) {
  return z.object({
    ...month.shape,
    so_far: z.boolean().describe("The month is not over"),
    complete: z.boolean().describe("Whether all days are known; `false`: the amounts may be too low"),
    habits: z
      .array(habit)
      .nullable()
      .describe(
        "What cost the most of what could be spared, dearest first; `null`: it can't be looked up now",
      ),
    before: z.union([month, z.null()]).describe("The month before; `null`: nothing is known of it"),
    previewed: z
      .union([preview, z.null()])
      .default(null)
      .describe("`null`: no policy was tried on days that end in the month"),
  });
}

export const reportedCostsSchema = costReportSchema(
  reportedMonthSchema,
  reportedHabitSchema,
  reportedPreviewSchema,
);
export type ReportedCosts = z.infer<typeof reportedCostsSchema>;
type ReportedMonth = z.infer<typeof reportedMonthSchema>;

/** A report in figures, and a proposal in this language. */
export function reportedCosts(
  { isSoFar, isComplete, habits, before, previewed, ...month }: CostReport,
  language: Language = "en",
): ReportedCosts {
  return {
    ...reportedMonth(month),
    so_far: isSoFar,
    complete: isComplete,
    habits:
      habits?.map(({ habit, instanceId, name, spent }) => ({
        habit,
        instance_id: instanceId,
        name,
        hours: roundHours(spent.ms),
        cost: roundDollars(spent.dollars),
      })) ?? null,
    before: before === null ? null : reportedMonth(before),
    previewed: previewed == null ? null : reportedPreview(previewed, language),
  };
}

function reportedPreview(
  previewed: PreviewedSavings,
  language: Language,
): z.infer<typeof reportedPreviewSchema> {
  const { from, to, instances, savedBeyond, hibernatedBeyondMs, interruptions, proposal } = previewed;
  return {
    from: toIso(from),
    to: toIso(to),
    instances,
    saved_beyond: savedBeyond === null ? null : roundDollars(savedBeyond),
    hibernated_hours_beyond: roundHours(hibernatedBeyondMs),
    interruptions,
    proposal: proposal === null ? null : say(language, proposalPhrase(proposal)),
  };
}

function reportedMonth({ month, costs, hibernations }: MonthCosts): ReportedMonth {
  const { working, idle, silent, hibernated } = costs;
  return {
    month: monthOf(month),
    cost: roundDollars(dollarsOf(costs)),
    wasted: roundDollars(costs.wasted),
    saved: roundDollars(costs.saved),
    hours: {
      working: roundHours(working.ms),
      idle: roundHours(idle.ms),
      silent: roundHours(silent.ms),
      hibernated: roundHours(hibernated.ms),
    },
    cost_by_use: {
      working: roundDollars(working.dollars),
      idle: roundDollars(idle.dollars),
      silent: roundDollars(silent.dollars),
      hibernated: roundDollars(hibernated.dollars),
    },
    reported: roundDollars(costs.reported),
    unpriced_hours: roundHours(costs.unpricedMs),
    hibernations: hibernations?.hibernations ?? null,
    regretted: hibernations?.regretted ?? null,
  };
}

function roundHours(ms: number): number {
  return Math.round((ms / HOUR_MS) * 100) / 100;
}

/** The UTC month that begins then: `2026-11`. */
export function monthOf(month: number): string {
  return new Date(month).toISOString().slice(0, 7);
}

/** The id of the fleet's event that a month's report was told. */
export function reportEventId(month: number): string {
  return `cost-report-${monthOf(month)}`;
}
