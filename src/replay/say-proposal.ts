import { roundDollars } from "../lifecycle/model/dollars.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
import { phrase } from "../lifecycle/model/words/phrase.ts";
import type { Phrase } from "../lifecycle/model/words/said.ts";
import { say } from "../lifecycle/model/words/say.ts";
import type { IdleSetting, RatedPoint } from "./proposal-points.ts";

/** What is said of a proposal: a code with parameters, which the page words in its reader's language. */
export type Said =
  /** This setting interrupts nobody, and keeps this share of the savings. */
  | { readonly code: "spares"; readonly parameters: SettingSaid }
  /** So does the one in force. */
  | { readonly code: "keep"; readonly parameters: SettingSaid }
  /** It keeps less than half: the other one keeps more, and interrupts. */
  | { readonly code: "spares_some"; readonly parameters: SettingSaid & { readonly other: SettingSaid } }
  /** None saves anything without interrupting. */
  | { readonly code: "interrupts"; readonly parameters: SettingSaid }
  /** Every setting comes to the same. */
  | { readonly code: "alike"; readonly parameters: SettingSaid }
  /** No setting saves anything: nothing was idle for long enough, or nothing can be hibernated. */
  | { readonly code: "nothing_to_save"; readonly parameters: Record<string, never> };

export interface SettingSaid {
  readonly threshold_percent: number;
  readonly hibernate_after_minutes: number;
  readonly share_percent: number;
  /** Dollars; null where nobody knows what the machines cost. */
  readonly saved: number | null;
  readonly hibernated_hours: number;
  readonly interruptions: number;
  readonly work_cut_hours: number;
}

/** Hours of hibernation, where nobody knows what any of the machines costs. */
export type Measure = "dollars" | "hours";

interface Chosen {
  readonly points: readonly RatedPoint[];
  readonly measure: Measure;
  readonly proposed: RatedPoint | null;
  readonly trade: RatedPoint | null;
}

/** `present`: what is in force now. */
export function sayProposal({ points, measure, proposed, trade }: Chosen, present: IdleSetting | null): Said {
  const said = (point: RatedPoint) => settingSaid(point, measure);
  if (proposed === null) {
    return trade === null
      ? { code: "nothing_to_save", parameters: {} }
      : { code: "interrupts", parameters: said(trade) };
  }
  if (trade !== null) return { code: "spares_some", parameters: { ...said(proposed), other: said(trade) } };
  if (points.length > 1 && points.every((point) => isAlike(point, proposed))) {
    return { code: "alike", parameters: said(proposed) };
  }
  const inForce = points.find(
    (point) =>
      point.thresholdPercent === present?.thresholdPercent &&
      point.hibernateAfterMinutes === present.hibernateAfterMinutes,
  );
  return inForce !== undefined && isAlike(inForce, proposed)
    ? { code: "keep", parameters: said(inForce) }
    : { code: "spares", parameters: said(proposed) };
}

function isAlike(point: RatedPoint, other: RatedPoint): boolean {
  return point.sharePercent === other.sharePercent && point.interruptions === other.interruptions;
}

function settingSaid(point: RatedPoint, measure: Measure): SettingSaid {
  return {
    threshold_percent: point.thresholdPercent,
    hibernate_after_minutes: point.hibernateAfterMinutes,
    share_percent: point.sharePercent,
    saved: measure === "dollars" ? roundDollars(point.saved) : null,
    hibernated_hours: hours(point.hibernatedMs),
    interruptions: point.interruptions,
    work_cut_hours: hours(point.workCutMs),
  };
}

/** To some seconds: what is told of the same setting elsewhere is not to differ by minutes. */
function hours(durationMs: number): number {
  return Math.round((1000 * durationMs) / HOUR_MS) / 1000;
}

/** It in plain English. */
export function proposalInEnglish(said: Said): string {
  return say("en", proposalPhrase(said));
}

/** It for any language. */
export function proposalPhrase(said: Said): Phrase {
  switch (said.code) {
    case "spares":
      return phrase("proposal.spares", { setting: setting(said.parameters), kept: kept(said.parameters) });
    case "keep":
      return phrase("proposal.keep", { setting: setting(said.parameters), kept: kept(said.parameters) });
    case "spares_some": {
      const { other, ...sparing } = said.parameters;
      return phrase("proposal.spares_some", {
        setting: setting(sparing),
        kept: kept(sparing),
        minutes: other.hibernate_after_minutes,
        threshold: other.threshold_percent,
        more: kept(other),
        work: work(other),
      });
    }
    case "interrupts":
      return phrase("proposal.interrupts", {
        setting: setting(said.parameters),
        kept: kept(said.parameters),
        work: work(said.parameters),
      });
    case "alike":
      return phrase("proposal.alike", { amount: amount(said.parameters) });
    case "nothing_to_save":
      return phrase("proposal.nothing_to_save");
  }
}

function setting({ hibernate_after_minutes, threshold_percent }: SettingSaid): Phrase {
  return phrase("proposal.setting", { minutes: hibernate_after_minutes, threshold: threshold_percent });
}

function kept(said: SettingSaid): Phrase {
  return phrase("proposal.kept", { share: said.share_percent, amount: amount(said) });
}

function amount({ saved, hibernated_hours }: SettingSaid): Phrase {
  return saved === null
    ? phrase("proposal.hibernation", { hours: hoursPhrase(hibernated_hours) })
    : phrase("proposal.dollars", { amount: saved });
}

function work({ interruptions, work_cut_hours }: SettingSaid): Phrase {
  const times =
    interruptions === 1 ? phrase("proposal.work_once") : phrase("proposal.work", { count: interruptions });
  return Math.round(work_cut_hours * 60) === 0
    ? times
    : phrase("proposal.work_cut", { work: times, hours: hoursPhrase(work_cut_hours) });
}

/** In minutes below an hour. */
function hoursPhrase(count: number): Phrase {
  return count < 1
    ? phrase("proposal.minutes", { count: Math.round(count * 60) })
    : phrase("proposal.hours", { count: Math.round(count * 10) / 10 });
}
