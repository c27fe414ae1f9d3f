import type { ActionKind, StopCause } from "../lifecycle/model/effects.ts";
import { type Action, type Awake, type Hibernated, orphanOf, type Phase } from "../lifecycle/model/phase.ts";
import { type InstanceState, machineOf } from "../lifecycle/model/state.ts";
import { openLook } from "../lifecycle/rules/look.ts";
import { askedBy, textIn } from "./detail.ts";
import type { PastEvent } from "./story.ts";

/** The parts of `take-over.ts` that are about orders. */

export function hibernating(state: InstanceState, event: PastEvent): InstanceState {
  const asked = askedBy(event);
  const isForced = textIn(event.detail, "action_id")?.startsWith("force-hibernate") === true;
  return {
    ...state,
    phase: {
      status: "hibernating",
      action: action(state, event, isForced ? "force_hibernate" : "hibernate"),
      reason: asked?.reason ?? "owner",
      because: stopCause(asked?.because),
      before: awake(state.phase),
    },
  };
}

function stopCause(because: string | null | undefined): StopCause | undefined {
  return (["schedule", "max_runtime", "budget", "kill_switch"] as const).find((cause) => cause === because);
}

function awake(phase: Phase): Awake {
  switch (phase.status) {
    case "pending":
    case "orphaned":
      return phase;
    case "running":
      return { status: "running", idle: phase.idle };
    case "hibernating":
      return phase.before;
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return { status: "running", idle: null };
  }
}

export function action(state: InstanceState, { id, at, detail }: PastEvent, kind: ActionKind): Action {
  return {
    id: textIn(detail, "action_id") ?? `${kind.replace("_", "-")}-${id}`,
    kind,
    orderedAt: at,
    machine: machineOf(state.profile),
    handover: { state: "waiting" },
    tries: 0,
  };
}

type Cause = Pick<Hibernated, "reason" | "because">;

export function asleep(at: number, { reason, because }: Cause): Hibernated {
  return { status: "hibernated", since: at, unsavedFrom: at, reason, because, orphan: null };
}

export function hibernated(state: InstanceState, event: PastEvent): InstanceState {
  const { at, detail } = event;
  const reason =
    (["idle", "silence", "owner", "instance"] as const).find((each) => each === detail.reason) ?? "owner";
  const place = reason === "silence" ? orphanOf(state.phase) : null;
  const slept: InstanceState = {
    ...state,
    phase: {
      ...asleep(at, { reason, because: stopCause(textIn(detail, "because")) }),
      orphan: place === null ? null : { ...place, guard: null, failed: null },
    },
    clock: { ...state.clock, graceUntil: null },
  };
  return detail.announced === true ? openLook(slept, at) : slept;
}
