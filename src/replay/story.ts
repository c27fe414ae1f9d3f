import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { PolicySettings } from "../lifecycle/model/policy-settings.ts";
import type { Profile } from "../lifecycle/model/state.ts";

/** What is known of an instance's past: the input of every replay. */
export interface Story {
  readonly instanceId: string;
  /** As it is now. Its prices are those of the whole story, an hour; null where nobody knows. */
  readonly profile: Profile;
  /** Whether it ever reported a GPU. */
  readonly hasGpu: boolean;
  readonly from: number;
  readonly to: number;
  /** Heartbeats within the story, oldest first, and late ones among them in the order in which they were taken. */
  readonly readings: readonly Heartbeat[];
  /** Where single heartbeats are no longer kept: hours before the first of `readings`, oldest first. */
  readonly hours: readonly PastHour[];
  /** Oldest first; and before `from` as many as say how it stood then. */
  readonly events: readonly PastEvent[];
  /** Oldest first. The first one held at `from`. */
  readonly policies: readonly PolicyInForce[];
  /** When the fleet's outage guard held steps back. */
  readonly guardClosed: readonly Span[];
}

/** Both in ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface PastEvent {
  readonly id: string;
  readonly at: number;
  /** A kind of `HistoryEventKind`, or one of another release. */
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface PolicyInForce {
  readonly from: number;
  readonly settings: PolicySettings;
  /** Whether the operator had suspended its user: no step was taken then. */
  readonly suspended: boolean;
  /** Null where the settings of that time are known. Else why those of a later time stand here. */
  readonly unknownBecause: string | null;
}

/** An hour of which only sums are kept. */
export interface PastHour {
  /** Its first moment. */
  readonly at: number;
  readonly heartbeats: number;
  /** How many of them showed work; null where that was not kept. */
  readonly workHeartbeats: number | null;
  readonly gpuMaxPercent: number | null;
}
