import type { GuardedStep, Machine, Sighted } from "./effects.ts";
import type { HeartbeatReport } from "./heartbeat.ts";
import type { Status } from "./phase.ts";
import type { Policy } from "./policy.ts";
import type { Profile } from "./state.ts";
import type { Tag } from "./tags.ts";

/** What happens to an instance: the input of `decide`. */
export type InstanceEvent =
  /**
   * `sighted`: the machine as seen at its provider during registration; null if it was not looked up. `enrolledBy`: the name of
   * the enrollment token with which the machine has registered itself; null where its owner has.
   */
  | {
      readonly type: "registered";
      readonly sighted: Sighted | null;
      readonly enrolledBy?: string | null;
    }
  | { readonly type: "heartbeat"; readonly report: HeartbeatReport }
  /** Time has passed. `dueAt`: when the alarm should have fired. */
  | { readonly type: "alarm"; readonly dueAt: number }
  | { readonly type: "keep_alive"; readonly durationMs: number }
  /** `round`: it is asked of many at once. Absent: of this one. `prepare`: false to leave its hooks out. */
  | {
      readonly type: "hibernate.requested";
      readonly round?: HibernationRound;
      readonly prepare?: boolean | undefined;
    }
  | { readonly type: "wake.requested" }
  /** `sighted`: the machine that the changes name, if it was seen at its provider. */
  | {
      readonly type: "changed";
      readonly changes: Partial<Omit<Profile, "registeredAt">>;
      readonly sighted: Sighted | null;
    }
  /**
   * Its provider lists its machine. `shown`: how, if that is news; null for anything else. `stoppedUntil`: when it was last
   * listed as stopped, for one that runs; null when that is not known. `sighted.at`: when the list began.
   */
  | {
      readonly type: "machine.listed";
      readonly shown: "running" | "stopped" | "terminated" | null;
      readonly stoppedUntil: number | null;
      /** What it costs while it runs; null where its provider does not say. */
      readonly hourlyCost: number | null;
      /** What it costs while it is stopped. A fleet of the former release does not say. */
      readonly stoppedHourlyCost?: number | null | undefined;
      readonly sighted: Sighted;
    }
  /** Its provider's whole list, begun at `listedAt`, is without its machine, which these credentials showed at `seenAt`. */
  | {
      readonly type: "machine.vanished";
      readonly listedAt: number;
      readonly seenAt: number;
      readonly credentialsSetAt: number;
    }
  /**
   * The policy passed to `decide` is new. Everything before was decided by the former one. `formerSettings`: what was changed, as
   * `sayFormer` has it; absent where that is too long to be kept.
   */
  | {
      readonly type: "policy.changed";
      readonly former: Policy;
      readonly formerSettings?: string | undefined;
    }
  /** `enrolledBy`: as above, of a machine that is given the token. */
  | { readonly type: "token.rotated"; readonly enrolledBy?: string | null }
  | { readonly type: "removed" }
  | { readonly type: "cleanup" }
  /** Its state is of a former moment, or of another service. `knownUntil`: up to when it is known to be true; null: unknown. */
  | {
      readonly type: "resumed";
      readonly origin: "restore" | "import";
      readonly knownUntil: number | null;
    }
  /** `openedAt`: when the guard last opened; silence before that moment does not count. */
  | { readonly type: "guard.permitted"; readonly step: GuardedStep; readonly openedAt: number | null }
  | { readonly type: "guard.deferred"; readonly step: GuardedStep }
  /** Whoever carries the order out asks whether it still stands, and reports a sighting of the machine. */
  | { readonly type: "action.checked"; readonly actionId: string; readonly sighted: Sighted | null }
  /** A try is about to be made. From here on the provider may accept it at any moment. */
  | { readonly type: "action.tried"; readonly actionId: string }
  /** That try was refused, or probably never arrived. */
  | { readonly type: "action.refused"; readonly actionId: string }
  /** That try was accepted. From here on the order can't be called off. */
  | { readonly type: "action.accepted"; readonly actionId: string }
  | {
      readonly type: "action.succeeded";
      readonly actionId: string;
      readonly snapshotId: string | null;
      /** Who confirmed it, and what was found before. Kept with the event. */
      readonly confirmedBy: string;
      /** Dollars an hour that a stopped machine costs, by its provider's word. Absent where it does not say. */
      readonly hourlyCost?: number | undefined;
    }
  /** It is proven that the machine no longer exists. */
  | { readonly type: "action.gone"; readonly actionId: string }
  /** The machine runs although we hold it as hibernated: somebody started it. */
  | { readonly type: "action.found_running"; readonly actionId: string }
  | {
      readonly type: "action.failed";
      readonly actionId: string;
      readonly because: string;
      /** Of a wake: why it is not known whether its start was cancelled. Absent where it was. */
      readonly notCancelled?: string | undefined;
      /** The last try was refused for good: the provider has done nothing for that one. Absent is no. */
      readonly isRefused?: boolean | undefined;
      /** As of one that succeeded. */
      readonly hourlyCost?: number | undefined;
    }
  /** The provider is about to be asked how the machine is. */
  | { readonly type: "look.begun" }
  /** What it showed of that machine. `sighted`: what it proves; null if it did not show it. */
  | {
      readonly type: "looked";
      readonly machine: Machine;
      readonly answer: LookAnswer;
      readonly sighted: Sighted | null;
    }
  /** The operator ends an order under way, as failed, or has it carried out anew. */
  | ({ readonly type: "operator.acted"; readonly act: "end_order" | "repeat_order" } & OperatorWord & {
        readonly actionId: string;
      });

/** A hibernation that is asked of many instances at once, and what must still be so of one: else it is spared. */
export interface HibernationRound {
  /** A person's word, or the budget that this person has set. */
  readonly by: "kill_switch" | "budget";
  /** Whoever was registered since, or is meant to run since, is meant no more. */
  readonly askedAt: number;
  /** Only one that is idle past the warning. */
  readonly onlyIdle: boolean;
  /** Only one of this status; null for any. */
  readonly status: Status | null;
  /** A keep-alive that ends later holds it back. */
  readonly keepAliveUpTo: number;
  /** Only where all of this is still so. Absent: of whichever. */
  readonly place?: RoundPlace | undefined;
}

/** By what its owner tells those apart that a round is about. Absent is any. */
export interface RoundPlace {
  readonly provider?: string | undefined;
  /** The id of the connection. */
  readonly connection?: string | undefined;
  /** It has all of these. */
  readonly tag?: readonly Tag[] | undefined;
}

/** What a list of its provider's machines says to an instance. */
export type ListEvent = Extract<InstanceEvent, { type: "machine.listed" | "machine.vanished" }>;

/** How a machine is, as its provider shows it; `gone` is proven. `isPassing`: the same question may be answered soon. */
export type LookAnswer =
  | { readonly shows: "running" | "gone" }
  | { readonly shows: "stopped"; readonly hourlyCost?: number | undefined }
  | { readonly shows: "unknown"; readonly because: string; readonly isPassing: boolean };

/** Who acts for the service, and why. */
export interface OperatorWord {
  /** As events name whoever it was, such as `the operator (Ada)`. */
  readonly operator: string;
  readonly because: string;
  readonly requestId: string;
}
