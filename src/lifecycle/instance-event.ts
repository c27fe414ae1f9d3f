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
  | { readonly type: "guard.permitted" }
  | { readonly type: "guard.deferred" }
  | {
      readonly type: "action.succeeded";
      readonly actionId: string;
      readonly snapshotId: string | null;
    }
  | { readonly type: "action.failed"; readonly actionId: string; readonly because: string };
