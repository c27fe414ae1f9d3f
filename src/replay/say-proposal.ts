import { roundDollars, spokenDollars } from "../lifecycle/model/dollars.ts";
import { HOUR_MS } from "../lifecycle/model/time.ts";
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

/** In minutes below an hour. */
function spokenHours(hours: number): string {
  return hours < 1 ? `${Math.round(hours * 60)} min` : `${Math.round(hours * 10) / 10} h`;
}

/** It in plain English. */
export function proposalInEnglish(said: Said): string {
  switch (said.code) {
    case "spares":
      return `With ${setting(said.parameters)} you would have kept ${kept(said.parameters)} and interrupted nobody.`;
    case "keep":
      return `What is in force, ${setting(said.parameters)}, keeps ${kept(said.parameters)} and interrupts nobody.`;
    case "spares_some":
      return (
        `With ${setting(said.parameters)} you would have interrupted nobody, but kept only ${kept(said.parameters)}. ` +
        `${capital(setting(said.parameters.other))} would have kept ${kept(said.parameters.other)} and interrupted ${work(said.parameters.other)}.`
      );
    case "interrupts":
      return (
        `No setting saves anything without interrupting work. The gentlest that keeps half of the savings is ` +
        `${setting(said.parameters)}: it would have kept ${kept(said.parameters)} and interrupted ${work(said.parameters)}.`
      );
    case "alike":
      return `Each setting would have come to the same: ${amount(said.parameters)} saved, and nobody interrupted.`;
    case "nothing_to_save":
      return "No setting would have saved anything: no machine was idle for long enough.";
  }
}

function setting({ hibernate_after_minutes, threshold_percent }: SettingSaid): string {
  return `idle ${hibernate_after_minutes} min at ${threshold_percent} %`;
}

function kept(said: SettingSaid): string {
  return `${said.share_percent} % of the savings (${amount(said)})`;
}

function amount({ saved, hibernated_hours }: SettingSaid): string {
  return saved === null ? `${spokenHours(hibernated_hours)} of hibernation` : spokenDollars(saved);
}

function work({ interruptions, work_cut_hours }: SettingSaid): string {
  const times = interruptions === 1 ? "once" : `${interruptions} times`;
  return Math.round(work_cut_hours * 60) === 0
    ? `work ${times}`
    : `work ${times}, ${spokenHours(work_cut_hours)} of it while the machine was off`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
