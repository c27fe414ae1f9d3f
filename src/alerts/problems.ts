import type { HistoryEvent, HistoryEventKind } from "../lifecycle/model/history-event.ts";

/**
 * What an alert says is wrong, and which events say that it is so no more: pure. Of an instance only the newest alert of each problem
 * is open: a machine that is silent and then given up is in one trouble, and not in two.
 */

/** What goes on until an event says that it is over. */
const LASTING_PROBLEMS = ["silence", "use", "order", "guard"] as const;

export type LastingProblem = (typeof LASTING_PROBLEMS)[number];

/** What nobody ever says is over: it is as long as somebody has to see it. */
type Incident = "incident";

/** An alert of no problem tells news. */
const PROBLEM: Record<HistoryEventKind, LastingProblem | Incident | null> = {
  registered: null,
  changed: null,
  policy_changed: null,
  token_rotated: null,
  first_heartbeat: null,
  idle: "use",
  busy: null,
  would_hibernate: "use",
  stop_planned: "use",
  looks_stuck: "use",
  source_unknown: "use",
  never_heard: "silence",
  orphaned: "silence",
  silent: "silence",
  abandoned: "silence",
  rebooted: null,
  recovered: null,
  flapping: "incident",
  kept_alive: null,
  preparing: null,
  prepared: null,
  preparation_failed: "use",
  preparation_overdue: "use",
  preparation_cancelled: null,
  reclaimed: "incident",
  dead_man_hibernated: "incident",
  hibernating: null,
  hibernate_cancelled: null,
  hibernate_failed: "order",
  hibernated: null,
  would_wake: "order",
  waking: null,
  wake_failed: "order",
  woken: null,
  guard_deferred: "guard",
  guard_permitted: null,
  guard_closed: "guard",
  guard_opened: null,
  would_delete: "silence",
  deleting: null,
  delete_cancelled: null,
  delete_failed: "order",
  accepted_too_late: "order",
  found_running: "silence",
  unwatched: "silence",
  vanished: "silence",
  unwatched_machines: "incident",
  listing_failed: "incident",
  looked: null,
  deleted: null,
  gone: null,
  history_lost: "incident",
  delivery_parked: "incident",
  alert_not_delivered: "incident",
  connection_refused: "incident",
  enrollment_refused: "incident",
  invariant_breached: "incident",
  operator_acted: null,
  resumed: null,
  hibernate_all: null,
  not_all_hibernated: "incident",
  budget_reached: "incident",
  cleanup: null,
  reconciliation: null,
  cost_report: null,
  user_suspended: null,
  user_resumed: null,
  user_deleted: null,
};

const ENDS: Partial<Record<HistoryEventKind, readonly LastingProblem[]>> = {
  first_heartbeat: ["silence"],
  busy: ["use", "order"],
  hibernate_cancelled: ["use"],
  hibernated: ["use", "order"],
  kept_alive: ["use", "silence"],
  recovered: ["silence", "order"],
  woken: ["silence", "use", "order"],
  guard_permitted: ["guard"],
  guard_opened: ["guard"],
  deleted: LASTING_PROBLEMS,
  gone: LASTING_PROBLEMS,
};

/** What begins a trouble, or says what is done next: a further one is no repetition, even where nothing has ended the last one. */
const EACH_ANEW: ReadonlySet<string> = new Set<HistoryEventKind>([
  "idle",
  "stop_planned",
  "never_heard",
  "orphaned",
  "silent",
  "abandoned",
  "found_running",
]);

/** Whether it may only repeat what was told before. Whatever is critical never does: where that lasts it is told once. */
export function mayRepeat({ kind, severity }: Pick<HistoryEvent, "severity"> & { kind: string }): boolean {
  return severity !== "critical" && !EACH_ANEW.has(kind);
}

/** What the alert says is wrong; null for news, and for a kind of another version. */
export function problemOf(kind: string): LastingProblem | Incident | null {
  return isKnown(kind) ? PROBLEM[kind] : null;
}

/** What is over with an event of this kind, of the same instance. */
export function endsOf(kind: string): readonly LastingProblem[] {
  return isKnown(kind) ? (ENDS[kind] ?? []) : [];
}

function isKnown(kind: string): kind is HistoryEventKind {
  return Object.hasOwn(PROBLEM, kind);
}
