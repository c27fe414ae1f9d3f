/** How an instance stood over time, as its events tell it. Pure. */

export interface PastEvent {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly severity: "info" | "warning" | "critical";
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type Standing = "idle" | "silent" | "hibernated";

/** Both in ms. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly standing: Standing;
}

type Turn =
  | { readonly to: Standing; readonly since: "idle_since" | "last_heartbeat" | null }
  | { readonly to: "running" }
  /** There is no machine any more. */
  | { readonly to: "gone" };

const TURNS: Readonly<Record<string, Turn>> = {
  idle: { to: "idle", since: "idle_since" },
  orphaned: { to: "silent", since: "last_heartbeat" },
  never_heard: { to: "silent", since: null },
  found_running: { to: "silent", since: null },
  hibernated: { to: "hibernated", since: null },
  dead_man_hibernated: { to: "hibernated", since: null },
  wake_failed: { to: "hibernated", since: null },
  busy: { to: "running" },
  first_heartbeat: { to: "running" },
  recovered: { to: "running" },
  woken: { to: "running" },
  waking: { to: "running" },
  kept_alive: { to: "running" },
  hibernate_failed: { to: "running" },
  gone: { to: "gone" },
  deleted: { to: "gone" },
};

/** The kinds of events by which an instance comes to stand otherwise. */
export const TURNING_KINDS = Object.keys(TURNS);

/** `events`: in any order, those before `fromMs` too that tell how it stood then. */
export function bandsOf(events: readonly PastEvent[], fromMs: number, toMs: number): readonly Band[] {
  const bands: Band[] = [];
  let standing: Standing | null = null;
  let since = fromMs;
  const end = (at: number) => {
    const [from, to] = [Math.max(fromMs, since), Math.min(toMs, at)];
    if (standing !== null && to > from) bands.push({ from, to, standing });
  };
  for (const event of inOrder(events)) {
    const turn = TURNS[event.kind];
    if (turn === undefined) continue;
    const next = turn.to === "running" || turn.to === "gone" ? null : turn.to;
    if (next === standing) continue;
    const at = Math.max(since, beganAt(event, turn));
    end(at);
    standing = next;
    since = at;
  }
  end(toMs);
  return bands;
}

function beganAt({ at, detail }: PastEvent, turn: Turn): number {
  const told = "since" in turn && turn.since !== null ? detail[turn.since] : null;
  const began = typeof told === "string" ? Date.parse(told) : Number.NaN;
  return Number.isNaN(began) ? Date.parse(at) : Math.min(began, Date.parse(at));
}

function inOrder(events: readonly PastEvent[]): readonly PastEvent[] {
  const each = new Map(events.map((event) => [event.id, event]));
  return [...each.values()].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

/** How it stood at a moment; null where it ran, or nobody knows. */
export function standingAt(bands: readonly Band[], atMs: number): Standing | null {
  return bands.find(({ from, to }) => atMs >= from && atMs <= to)?.standing ?? null;
}
