import type { Use } from "../../lifecycle/model/ledger.ts";
import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { ShownPreset } from "../../lifecycle/model/presets.ts";
import type { Tags } from "../../lifecycle/model/tags.ts";

/** What the API says of previews, as far as the page shows it. All amounts are dollars. */

/** In the order in which they are compared. */
export const COMPARED = ["actual", "candidate", "in_force", "thrifty", "balanced", "careful"] as const;

export type Compared = (typeof COMPARED)[number];

/** What a stretch of time came to, or would have come to. */
export interface Figures {
  readonly hours: Readonly<Record<Use, number>>;
  /** Time whose price nobody knows: it is in none of the amounts. */
  readonly unpriced_hours: number;
  readonly cost: number;
  readonly wasted: number;
  readonly saved: number;
  readonly hibernations: number;
  readonly regrets: number;
  readonly deletions: number;
  readonly interruptions: number;
  readonly delayed_minutes: number;
  readonly work_cut_hours: number;
}

export interface Result extends Figures {
  readonly of: Compared;
}

export interface Interruption {
  readonly instance_id: string;
  readonly name: string;
  readonly at: string;
  readonly hibernated_at: string;
  readonly evidence: string;
  readonly delayed_minutes: number;
  readonly work_cut_hours: number;
}

export interface Basis {
  readonly readings: number;
  readonly coarse_hours: number;
  readonly assumed_idle_hours: number;
  readonly readings_without_use: number;
}

/** One pair of numbers, and what it would have come to. */
export interface Point {
  readonly threshold_percent: number;
  readonly hibernate_after_minutes: number;
  readonly saved: number;
  readonly hibernated_hours: number;
  /** Of the most that any pair saves. */
  readonly share_percent: number;
  readonly interruptions: number;
  readonly work_cut_hours: number;
  /** Whether no other pair saves as much and interrupts less. */
  readonly is_frontier: boolean;
  readonly is_proposed: boolean;
}

/** What is proposed: a code with its parameters, and the same in English. */
export interface Worded {
  readonly says: { readonly code: string; readonly parameters: object };
  readonly message: string;
}

export interface FleetProposal extends Worded {
  readonly frontier: readonly Point[];
  /** By what savings are compared: in hours of hibernation where nobody knows a price. */
  readonly measure: SavingsMeasure;
  readonly proposed: Point | null;
  readonly by_tag: readonly (Worded & {
    /** `key:value`. */
    readonly tag: string;
    readonly instances: number;
  })[];
}

export type SavingsMeasure = "dollars" | "hours";

export interface InstanceLine {
  readonly instance_id: string;
  readonly name: string;
  readonly tags: Tags;
  readonly actual: Figures;
  readonly candidate: Figures;
  readonly proposal: Worded | null;
}

export interface InstanceLines {
  readonly instances: readonly InstanceLine[];
  readonly next_cursor: string | null;
}

/** A preview as the list has it. */
export interface KeptPreview {
  readonly id: string;
  readonly created_at: string;
  readonly state: "running" | "done" | "failed";
  readonly failed_because: string | null;
  readonly days: number;
  readonly from: string;
  readonly to: string;
  /** As a whole. */
  readonly policy: PolicySettings;
  readonly preset: ShownPreset;
  /** As it was given. */
  readonly overrides: PolicyOverrides;
  /** In place of the own overrides of its instances; null: they stood. */
  readonly instance_policy: PolicyOverrides | null;
  /** Both null: all instances. */
  readonly asked_of: {
    readonly instances: readonly string[] | null;
    readonly tag: Tags | null;
  };
  readonly instances: { readonly total: number; readonly done: number; readonly skipped: number };
  readonly results: readonly Result[];
}

export interface PolicyReplay extends KeptPreview {
  /** Of the candidate; the longest, if there are many. */
  readonly interruptions: readonly Interruption[];
  readonly basis: Basis;
  /** The first of them. */
  readonly by_instance: readonly InstanceLine[];
  readonly proposal: FleetProposal | null;
  readonly skipped: readonly { readonly instance_id: string; readonly because: string }[];
}

export const PREVIEWS = "/api/agent/policy/preview";

export const previewAddress = (id: string) => `${PREVIEWS}/${encodeURIComponent(id)}`;
