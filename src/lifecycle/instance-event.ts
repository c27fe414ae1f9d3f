import type { HeartbeatReport } from "./heartbeat.ts";
import type { Profile } from "./state.ts";

/** What happens to an instance from outside: the input of `decide`. */
export type InstanceEvent =
  | { readonly type: "registered" }
  | { readonly type: "heartbeat"; readonly report: HeartbeatReport }
  /** Time has passed. `dueAt` is when the alarm was to fire. */
  | { readonly type: "alarm"; readonly dueAt: number }
  | { readonly type: "keep_alive"; readonly durationMs: number }
  | { readonly type: "hibernate.requested" }
  | { readonly type: "wake.requested" }
  | { readonly type: "changed"; readonly changes: Partial<Omit<Profile, "registeredAt">> }
  /** The policy passed to `decide` is new; gaps so far were counted by the former interval. */
  | { readonly type: "policy.changed"; readonly formerIntervalMs: number }
  | { readonly type: "token.rotated" }
  | { readonly type: "removed" }
  | { readonly type: "cleanup" }
  /** `openedAt`: when the guard last opened; silence before that moment does not count. */
  | { readonly type: "guard.permitted"; readonly openedAt: number | null }
  | { readonly type: "guard.deferred" }
  /** The provider is about to be told: from here on the order can't be called off. */
  | { readonly type: "action.started"; readonly actionId: string }
  | {
      readonly type: "action.succeeded";
      readonly actionId: string;
      readonly snapshotId: string | null;
      /** Who says so, and what was found before: kept with the event. */
      readonly confirmedBy: string;
    }
  /** The provider has no such instance any more. */
  | { readonly type: "action.gone"; readonly actionId: string }
  | { readonly type: "action.failed"; readonly actionId: string; readonly because: string };
