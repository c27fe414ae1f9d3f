import type { InstanceEvent } from "../lifecycle/model/instance-event.ts";
import { orphanOf, preparationOf } from "../lifecycle/model/phase.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import { type InstanceState, machineOf } from "../lifecycle/model/state.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actionOf } from "../lifecycle/rules/order.ts";
import { momentIn, numberIn, textIn } from "./detail.ts";
import type { PastEvent } from "./story.ts";

/** What came from outside, as an event tells it: no policy decides upon it, only upon what follows from it. */

export interface Input {
  readonly events: readonly InstanceEvent[];
  /** The policy that holds from here on; absent where it stays. */
  readonly policy?: Policy | undefined;
}

/**
 * What may have brought this event about: the first that does is taken for it. `next`: the policy from its moment on. Whatever an
 * instance is asked, such as how it is, has it take the steps that are due by then, though no alarm would.
 */
export function inputsOf(event: PastEvent, around: Around): readonly Input[] {
  const asked = input({ type: "alarm", dueAt: event.at });
  return [...broughtBy(event, around), asked];
}

export interface Around {
  readonly state: InstanceState;
  readonly policy: Policy;
  readonly next: Policy;
  /** Why the order of this event was given, by how it ended; null where that is not told. */
  readonly reason: string | null;
}

function broughtBy(event: PastEvent, { state, policy, next, reason }: Around): readonly Input[] {
  const { detail } = event;
  const actionId = actionOf(state)?.id ?? "none";
  switch (event.kind) {
    case "kept_alive":
      return [input({ type: "keep_alive", durationMs: keptAliveMs(event, state) })];
    case "policy_changed":
      return [{ events: [{ type: "policy.changed", former: policy }], policy: next }];
    case "changed":
      return [input({ type: "changed", changes: changesOf(event, state), sighted: null })];
    case "waking":
      return textIn(detail, "rule") === null ? [input({ type: "wake.requested" })] : [];
    case "preparation_cancelled":
      return preparationOf(state.phase) === null || detail.by_person !== true
        ? []
        : [input({ type: "wake.requested" })];
    case "preparing":
    case "hibernating":
    case "would_hibernate":
      return [...hibernationsOf(event, reason), ...permits(event, state).map((permit) => input(permit))];
    case "hibernated":
      return detail.by_hand === true
        ? [input(listed(event, "stopped"))]
        : [input(succeeded(actionId, textIn(detail, "confirmed_by")))];
    case "hibernate_failed":
    case "delete_failed":
      return [input({ type: "action.failed", actionId, because: "it failed" })];
    case "wake_failed":
      return [
        input({
          type: "action.failed",
          actionId,
          because: "it failed",
          notCancelled: detail.may_start === true ? "nobody knows" : undefined,
        }),
      ];
    case "woken":
    case "hibernate_cancelled":
    case "delete_cancelled":
    case "recovered":
    case "accepted_too_late":
      return tried(event, actionId);
    case "deleted":
      return [input(succeeded(actionId, null, textIn(detail, "snapshot_id")))];
    case "gone":
      return [
        input({ type: "action.gone", actionId }),
        input(listed(event, "terminated")),
        input(looked(state, { shows: "gone" })),
      ];
    case "found_running":
      return [
        input({ type: "action.found_running", actionId }),
        input(listed(event, "running")),
        input(looked(state, { shows: "running" })),
      ];
    case "looked":
      return [input(looked(state, { shows: "stopped" }))];
    case "unwatched":
      return [input(looked(state, { shows: "unknown", because: "it does not say", isPassing: false }))];
    case "vanished":
      return [input(vanished(event))];
    case "guard_deferred":
    case "guard_permitted":
    case "deleting":
    case "would_delete":
    case "silent":
    case "abandoned":
      return guardAnswers(event, state);
    case "resumed": {
      const origin = detail.origin === "import" ? "import" : "restore";
      return [input({ type: "resumed", origin, knownUntil: momentIn(detail, "known_until") })];
    }
    case "operator_acted":
      return [
        input({
          type: "operator.acted",
          act: detail.act === "repeat_order" ? "repeat_order" : "end_order",
          operator: "the operator",
          because: "it was asked",
          requestId: "",
          actionId,
        }),
      ];
    default:
      return [];
  }
}

function input(...events: readonly InstanceEvent[]): Input {
  return { events };
}

/** Whole seconds where nobody had kept it alive before: the end is kept to the second. */
function keptAliveMs({ at, detail }: PastEvent, { clock }: InstanceState): number {
  const until = momentIn(detail, "keep_alive_until") ?? at;
  const known = clock.keepAliveUntil ?? 0;
  if (Math.floor(known / SECOND_MS) * SECOND_MS === until) return known - at;
  return Math.ceil((until - at) / SECOND_MS) * SECOND_MS;
}

/** Only a move to another machine changes what is decided. */
function changesOf({ detail, at }: PastEvent, { profile }: InstanceState) {
  return detail.moved === true ? { providerRef: `${profile.providerRef ?? ""}+${at}` } : {};
}

/** The try that was on its way was refused, or taken: perhaps after what called the order off, which is found with that. */
function tried({ at }: PastEvent, actionId: string): readonly Input[] {
  const asked: InstanceEvent = { type: "alarm", dueAt: at };
  const [refused, accepted]: readonly InstanceEvent[] = [
    { type: "action.refused", actionId },
    { type: "action.accepted", actionId },
  ];
  if (refused === undefined || accepted === undefined) return [];
  return [[refused], [accepted], [asked, refused], [asked, accepted]].map((events) => ({ events }));
}

/** A person's word, or a budget's. */
function hibernationsOf({ detail, at }: PastEvent, reason: string | null): Input[] {
  const rule = textIn(detail, "rule");
  const prepare = detail.unprepared === "asked" ? false : undefined;
  if (rule === "owner") return [input({ type: "hibernate.requested", prepare })];
  if (rule !== "kill_switch" && rule !== "budget") return [];
  const round = {
    by: rule,
    askedAt: momentIn(detail, "asked_at") ?? at,
    status: null,
    keepAliveUpTo: Number.MAX_SAFE_INTEGER,
  } as const;
  const isSaid = detail.only_idle === true || reason === "idle";
  const choices = isSaid ? [true] : reason === null ? [false, true] : [false];
  return choices.map((onlyIdle) => input({ type: "hibernate.requested", round: { ...round, onlyIdle } }));
}

function permits({ detail }: PastEvent, state: InstanceState): InstanceEvent[] {
  const step = orphanOf(state.phase)?.guard?.step;
  return step === undefined || textIn(detail, "rule")?.startsWith("orphan.") !== true
    ? []
    : [{ type: "guard.permitted", step, openedAt: null }];
}

/** The answers to a question that is open, or that the daily cleanup asks. */
function guardAnswers(event: PastEvent, state: InstanceState): readonly Input[] {
  const { kind, detail } = event;
  const asked = orphanOf(state.phase)?.guard?.step;
  const cleanup: InstanceEvent = { type: "cleanup" };
  const answers = (step: "hibernate" | "force_hibernate" | "delete"): readonly InstanceEvent[] =>
    kind === "guard_deferred"
      ? [{ type: "guard.deferred", step }]
      : [{ type: "guard.permitted", step, openedAt: momentIn(detail, "counts_from") }];
  const open = asked === undefined ? [] : [input(...answers(asked))];
  if (kind === "silent" || kind === "abandoned") return open;
  return [...open, input(cleanup), input(cleanup, ...answers("delete"))];
}

function succeeded(
  actionId: string,
  confirmedBy: string | null,
  snapshotId: string | null = null,
): InstanceEvent {
  return { type: "action.succeeded", actionId, snapshotId, confirmedBy: confirmedBy ?? "its provider" };
}

/** When the list began is kept to the second. */
function listed({ at, detail }: PastEvent, shown: "running" | "stopped" | "terminated"): InstanceEvent {
  const begunAt = Math.min(at, (momentIn(detail, "listed_at") ?? at) + SECOND_MS - 1);
  return {
    type: "machine.listed",
    shown,
    stoppedUntil: null,
    hourlyCost: null,
    sighted: { at: begunAt, credentialsSetAt: 0, gpus: null },
  };
}

function vanished({ at, detail }: PastEvent): InstanceEvent {
  return {
    type: "machine.vanished",
    listedAt: Math.min(at, (momentIn(detail, "listed_at") ?? at) + SECOND_MS - 1),
    seenAt: momentIn(detail, "last_seen_at") ?? at,
    credentialsSetAt: numberIn(detail, "credentials_set_at") ?? 0,
  };
}

function looked(
  state: InstanceState,
  answer: Extract<InstanceEvent, { type: "looked" }>["answer"],
): InstanceEvent {
  return { type: "looked", machine: machineOf(state.profile), answer, sighted: null };
}
