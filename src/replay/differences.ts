import type { HistoryEvent } from "../lifecycle/model/history-event.ts";
import { orphanOf } from "../lifecycle/model/phase.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { SECOND_MS, toIso } from "../lifecycle/model/time.ts";
import type { Beginning } from "./beginning.ts";
import { momentIn } from "./detail.ts";
import type { Heard } from "./heard.ts";
import type { PastEvent, PolicyInForce } from "./story.ts";

/** Where what really happened is not what the policies in force make of it, and why. */

/**
 * - `policy_unknown`: the policy of that time is not kept.
 * - `history_begins`: nobody knows how it stood before, and nothing was agreed on since.
 * - `history_lost`: not all that happened meanwhile is kept.
 * - `order_failed`, `person_acted`, `provider_said`, `guard`: it was brought about from outside, in a way that its events do not tell.
 * - `service_away`: silence was counted anew, because the service could hear nobody.
 * - `late_readings`: the machine could not reach the service; what it read meanwhile came later.
 * - `repeated_heartbeat`: a heartbeat was sent once more, which is a sign of life and is not kept.
 * - `alarm_late`: what was due was done later.
 * - `unexplained`: none of these.
 */
export const REASONS = [
  "policy_unknown",
  "history_begins",
  "history_lost",
  "order_failed",
  "person_acted",
  "provider_said",
  "guard",
  "service_away",
  "late_readings",
  "repeated_heartbeat",
  "alarm_late",
  "unexplained",
] as const;

export type Reason = (typeof REASONS)[number];

/** An event that happened and was not predicted, or the other way round. */
export interface Difference {
  readonly at: number;
  readonly kind: string;
  readonly was: "not predicted" | "only predicted";
  readonly reason: Reason;
  /** What shows the reason; empty where it is unexplained. */
  readonly because: string;
}

/** Kinds that decide nothing, or rest on what is not kept of a heartbeat: no retrace predicts them. */
const NOT_RETRACED: ReadonlySet<string> = new Set([
  "registered",
  "rebooted",
  "token_rotated",
  "looks_stuck",
  "dead_man_hibernated",
  "history_lost",
  "delivery_parked",
  "alert_not_delivered",
  "connection_refused",
  "enrollment_refused",
  "invariant_breached",
]);

export function isRetraced({ kind }: { readonly kind: string }): boolean {
  return !NOT_RETRACED.has(kind);
}

/** What must be the same of an event beside its kind and time. */
const SAME_DETAILS = [
  "rule",
  "reason",
  "because",
  "mode",
  "metric",
  "threshold_percent",
  "origin",
  "regretted",
];

/** Moments are kept to the second. */
const SAME_MOMENTS = ["idle_since", "ended_at", "counts_from"];

/** Whether it is this event that was predicted, give or take `lateMs` of its time. */
export function isSame(predicted: HistoryEvent, actual: PastEvent, lateMs = SECOND_MS): boolean {
  if (predicted.kind !== actual.kind || Math.abs(predicted.at - actual.at) > lateMs) return false;
  const said: PastEvent["detail"] = predicted.detail;
  return (
    SAME_DETAILS.every(
      (name) =>
        said[name] === undefined || actual.detail[name] === undefined || said[name] === actual.detail[name],
    ) &&
    SAME_MOMENTS.every((name) => {
      const [one, other] = [momentIn(said, name), momentIn(actual.detail, name)];
      return one === null || other === null || Math.abs(one - other) <= SECOND_MS;
    })
  );
}

/** What is known of the time between the last agreement and a difference. */
export interface Between {
  readonly from: number;
  readonly at: number;
  readonly policies: readonly PolicyInForce[];
  readonly events: readonly PastEvent[];
  readonly heard: readonly Heard[];
  /** When heartbeats were sent once more, in all of the story. */
  readonly repeatedAt: readonly number[];
  readonly beginning: Beginning;
  /** Whether anything was agreed on since the story began. */
  readonly isBegun: boolean;
  readonly state: InstanceState;
}

/** Why an event was not predicted, or did not happen. `actual`: null for what was only predicted. */
export function explain(
  kind: string,
  actual: PastEvent | null,
  between: Between,
): Pick<Difference, "reason" | "because"> {
  const { policies, events, beginning, isBegun, from } = between;
  const unknown = policies.find(({ unknownBecause }) => unknownBecause !== null);
  if (unknown !== undefined) return { reason: "policy_unknown", because: unknown.unknownBecause ?? "" };
  if (!isBegun && beginning.unknown.length > 0) {
    return {
      reason: "history_begins",
      because: `not known at ${toIso(beginning.at)}: ${beginning.unknown.join(", ")}`,
    };
  }
  const lost = events.find((event) => event.kind === "history_lost");
  if (lost !== undefined)
    return { reason: "history_lost", because: `not all is kept of the time before ${toIso(lost.at)}` };
  const away = actual === null ? null : countsAnewFrom(actual, between.state);
  if (away !== null) return { reason: "service_away", because: `silence was counted from ${toIso(away)}` };
  const heard = actual === null ? null : heardUnkept(actual, between);
  if (heard !== null)
    return {
      reason: "repeated_heartbeat",
      because: `it was heard at ${toIso(heard)}, and no reading of then is kept`,
    };
  const repeated = between.heard.find(({ isRepeated }) => isRepeated);
  if (repeated !== undefined) {
    const at = toIso(repeated.reading.at);
    return {
      reason: "repeated_heartbeat",
      because: `a heartbeat of the same number came at ${at}, and what it said is not kept`,
    };
  }
  const late = between.heard.find((each) => each.late.length > 0);
  if (late !== undefined) {
    return {
      reason: "late_readings",
      because: `what was read from ${toIso(late.late[0]?.at ?? from)} on came at ${toIso(late.reading.at)}`,
    };
  }
  const brought = actual === null ? null : broughtAbout(actual);
  if (brought !== null) return { reason: brought, because: `no policy decides upon ${kind}` };
  if (orphanOf(between.state.phase)?.guard != null) {
    return { reason: "guard", because: "the outage guard was asked, and its answer is not kept" };
  }
  return { reason: "unexplained", because: "" };
}

/** From when silence was counted, where it is later than is known by readings and keep-alives. */
function countsAnewFrom({ kind, detail }: PastEvent, { phase }: InstanceState): number | null {
  if (kind !== "silent" && kind !== "abandoned") return null;
  const counted = momentIn(detail, "counts_from");
  const known = orphanOf(phase)?.clockFrom ?? null;
  return counted !== null && known !== null && counted > known + SECOND_MS ? counted : null;
}

/** When it was heard though no reading of that moment is kept. What was said then began an idle run, too. */
function heardUnkept({ kind, at, detail }: PastEvent, { state, repeatedAt }: Between): number | null {
  const idleSince = momentIn(detail, "idle_since");
  const beganIt =
    idleSince === null ? undefined : repeatedAt.find((moment) => Math.abs(moment - idleSince) <= SECOND_MS);
  if (beganIt !== undefined) return beganIt;
  // Whatever else does this is tried before.
  if (kind === "recovered" || (kind === "woken" && detail.confirmed_at === undefined)) return at;
  const heard = momentIn(detail, "last_heartbeat");
  const known = state.clock.lastHeartbeatAt;
  return heard !== null && known !== null && heard > known ? heard : null;
}

function broughtAbout({ kind }: PastEvent): Reason | null {
  switch (kind) {
    case "kept_alive":
    case "changed":
      return "person_acted";
    case "hibernate_failed":
    case "wake_failed":
    case "delete_failed":
      return "order_failed";
    case "looked":
    case "vanished":
    case "unwatched":
    case "gone":
    case "found_running":
      return "provider_said";
    case "guard_deferred":
    case "guard_permitted":
      return "guard";
    default:
      return null;
  }
}
