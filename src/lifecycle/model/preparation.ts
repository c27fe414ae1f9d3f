import type { EventDetail } from "./history-event.ts";
import type { Phrase } from "./words/said.ts";

/** The hooks of the owner, such as one that saves a checkpoint, run on the machine before it is hibernated. */

/** For what a hibernation is, as the machine and its owner are told. */
export const PREPARATION_CAUSES = [
  "idle",
  "owner",
  "schedule",
  "max_runtime",
  "budget",
  "kill_switch",
] as const;

export type PreparationCause = (typeof PREPARATION_CAUSES)[number];

/** An order to hibernate, as it was decided on. */
export interface PreparedOrder {
  /** Only for idleness is it called off by work. */
  readonly reason: "idle" | "owner";
  readonly because: PreparationCause;
  /** In English. */
  readonly message: string;
  /** It, for any language; absent of one that a former release decided on. */
  readonly said?: Phrase | undefined;
  readonly detail: EventDetail;
}

/** A preparation under way: the order waits for it. */
export interface Preparation {
  readonly id: string;
  readonly beganAt: number;
  /** The order is given then at the latest. */
  readonly limitAt: number;
  readonly order: PreparedOrder;
  /** Absent until the machine has said how far it is. */
  readonly heard?: PreparationHeard | undefined;
  /** Whether the owner was told that a hook has failed. */
  readonly isFailureTold: boolean;
}

/** How far the hooks are, as the machine last said. */
export interface PreparationHeard {
  readonly state: "running" | "succeeded" | "failed";
  readonly seconds: number;
  /** The newest line of their output. */
  readonly line: string | null;
  /** The last of their output, once they have ended. */
  readonly log: string | null;
}

/** A preparation that is over. */
export interface EndedPreparation extends Omit<PreparationHeard, "state" | "seconds"> {
  readonly id: string;
  readonly because: PreparationCause;
  readonly beganAt: number;
  readonly endedAt: number;
  /** `failed`, `overdue`: it was hibernated at the limit all the same. */
  readonly outcome: "succeeded" | "failed" | "overdue" | "cancelled";
  /** For how long the hooks ran, by the machine's word; null where it said nothing. */
  readonly seconds: number | null;
}
