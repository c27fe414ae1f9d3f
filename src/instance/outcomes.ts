import type { Sighted } from "../lifecycle/model/effects.ts";
import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import type { PolicyIssue } from "../lifecycle/model/policy-issues.ts";
import type { PolicyOverrides, PolicySettings } from "../lifecycle/model/policy-settings.ts";
import type { Profile } from "../lifecycle/model/state.ts";
import type { Tags } from "../lifecycle/model/tags.ts";
import type { Refusal } from "../lifecycle/rules/refusals.ts";
import type { HeartbeatAnswer } from "../lifecycle/views/heartbeat-answer.ts";
import type { DetailView } from "../lifecycle/views/instance-view.ts";
import type { ActionOutcome } from "../orders/order.ts";

/** What an actor is told, and what it answers. */

/** What a workflow's step and a fleet hear, who try again. */
export const NOT_DECIDED = "the decision broke an invariant, and was not carried out";

export interface Registration {
  readonly userId: string;
  readonly instanceId: string;
  readonly profile: Omit<Profile, "registeredAt">;
  /** Null for a machine that was not seen: nothing is known of it. */
  readonly sighted: Sighted | null;
  readonly overrides: PolicyOverrides;
  readonly userPolicy: PolicyOverrides;
  readonly userPolicyVersion: number;
  /** Ids of effects and generations of tokens begin above it. A Worker of a former version does not say. */
  readonly idsAfter?: number;
  /** Whether its owner chose this very machine, and not a list or the machine itself. Absent is yes. */
  readonly isChosenByOwner?: boolean;
  /** Of the machine, if it registers itself. */
  readonly enrollment?: MachineEnrollment;
  readonly requestId?: string;
}

/** A machine that enrolls: by what it is known again, and with which of its owner's tokens it comes. */
export interface MachineEnrollment {
  /** Of the key that only the machine has. */
  readonly keyDigest: string;
  /** The name of the enrollment token. */
  readonly by: string;
}

/**
 * What an instance makes of a machine that enrolls as the one that it watches.
 * - `own`: this machine has enrolled it.
 * - `free`: its owner or an inventory has registered it, and nobody has sent a heartbeat yet.
 * - `taken`: it was heard, another machine has enrolled it, or it watches another one.
 */
export type EnrollmentAnswer =
  | { readonly outcome: "own" | "free"; readonly tokenGeneration: number }
  | { readonly outcome: "taken" }
  | Absent
  | Unavailable;

export interface ProfileChanges {
  readonly profile: Partial<Omit<Profile, "registeredAt" | "tags">>;
  /** Replaces its tags. Apart from the rest, since the former release could not read its own row with them there. */
  readonly tags?: Tags;
  /** Of the new machine, with a change of provider or reference; null when it was not seen. */
  readonly sighted?: Sighted | null;
  /** Replaces the instance's own overrides as a whole. */
  readonly overrides?: PolicyOverrides;
}

/** Whose instance it is, and which. */
export interface Place {
  readonly userId: string;
  readonly instanceId: string;
}

/** An instance that the actor does not know, or no longer. */
export interface Unknown {
  readonly outcome: "unknown";
}

export const UNKNOWN: Unknown = { outcome: "unknown" };

/** An instance whose stored row this version of the service cannot read. It is left as it is, and nothing is done. */
export interface Unreadable {
  readonly outcome: "unreadable";
  readonly because: string;
}

export type Absent = Unknown | Unreadable;

/** The decision broke an invariant, so all stands as before. The same may be asked again later. */
export interface Unavailable {
  readonly outcome: "unavailable";
}

export const UNAVAILABLE: Unavailable = { outcome: "unavailable" };

/** Whether an actor that was asked for a view of the instance had to say that it cannot be read. */
export function isUnreadable(answer: object): answer is Unreadable {
  return "outcome" in answer && answer.outcome === "unreadable";
}

/** Keeps the answers of those that could be read. */
export function isReadable<T extends object>(answer: T): answer is Exclude<T, Unreadable> {
  return !isUnreadable(answer);
}

export type HeartbeatOutcome =
  | { readonly outcome: "accepted"; readonly answer: HeartbeatAnswer }
  | { readonly outcome: "old_token" }
  | { readonly outcome: "suspended" }
  | Absent
  | Unavailable;

export type CommandOutcome =
  | { readonly outcome: "accepted"; readonly detail: DetailView }
  | { readonly outcome: "refused"; readonly refusal: Refusal }
  | Absent
  | Unavailable;

export type ChangeOutcome =
  | CommandOutcome
  | { readonly outcome: "bad_policy"; readonly issues: PolicyIssue[] };

/** Until a moment, or until clocks in a time zone show a time next; null: in that of the policy's schedule. */
export type KeepAliveEnd =
  | { readonly at: number }
  | { readonly timeOfDay: string; readonly timezone: string | null };

export type KeepAliveOutcome =
  /** A version before this answer does not say until when. */
  | { readonly outcome: "accepted"; readonly validForMinutes: number; readonly until?: number | undefined }
  | Exclude<CommandOutcome, { outcome: "accepted" }>;

/** The end of an action as the lifecycle hears of it. */
export function endingOf(actionId: string, outcome: ActionOutcome): InstanceEvent {
  switch (outcome.type) {
    case "succeeded":
      return {
        type: "action.succeeded",
        actionId,
        snapshotId: outcome.snapshotId,
        confirmedBy: outcome.confirmedBy,
        hourlyCost: outcome.hourlyCost,
      };
    case "gone":
      return { type: "action.gone", actionId };
    case "found_running":
      return { type: "action.found_running", actionId };
    case "failed":
      return {
        type: "action.failed",
        actionId,
        because: outcome.because,
        notCancelled: outcome.notCancelled,
        isRefused: outcome.isRefused,
        hourlyCost: outcome.hourlyCost,
      };
  }
}

/** An instance in full, with its policy as it stands and the two levels of overrides that it comes from. */
export interface DetailWithPolicy extends DetailView {
  readonly policy: PolicySettings;
  readonly policy_overrides: { readonly user: PolicyOverrides; readonly instance: PolicyOverrides };
}
