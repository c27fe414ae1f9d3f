import { momentIn } from "./detail.ts";
import type { OffSpan } from "./off-spans.ts";
import type { PastEvent, Story } from "./story.ts";

/** What came from people, or from whoever else decides beside the policy: in a replay they act as they did. */
export type Act =
  | { readonly type: "keep_alive"; readonly at: number; readonly until: number }
  | { readonly type: "hibernate"; readonly at: number }
  /** `backAt`: when the machine was. */
  | { readonly type: "wake"; readonly at: number; readonly backAt: number }
  /** Its provider had it no more, for a while. */
  | { readonly type: "vanish" | "reappear"; readonly at: number }
  /** Another machine is watched in its place. */
  | { readonly type: "move"; readonly at: number };

/** Those after `from`, oldest first. */
export function actsOf(
  story: Story,
  offSpans: readonly OffSpan[],
  from: number,
  wakeMs: number,
): readonly Act[] {
  const acts: Act[] = [];
  for (const { at, kind, detail } of story.events) {
    const until = kind === "kept_alive" ? momentIn(detail, "keep_alive_until") : null;
    if (until !== null) acts.push({ type: "keep_alive", at, until });
  }
  acts.push(...absencesIn(story.events, from));
  for (const { by, orderedAt, woken, to } of offSpans) {
    if (by === "outside") acts.push({ type: "hibernate", at: orderedAt });
    if (woken?.by === "outside") acts.push({ type: "wake", at: woken.at, backAt: to ?? woken.at + wakeMs });
  }
  return acts.filter(({ at }) => at > from && at <= story.to).sort((one, other) => one.at - other.at);
}

/** From when on its provider has it no more, for good; null where it has it. */
export function goneFrom(events: readonly PastEvent[], from: number): number | null {
  const last = events.findLast((event) => event.at > from && (event.kind === "gone" || isThere(event)));
  return last?.kind === "gone" ? last.at : null;
}

/** Something that is watched has beaten, or is awaited. */
function isThere({ kind, detail }: PastEvent): boolean {
  return RETURNS.has(kind) || isMove(kind, detail);
}

const RETURNS: ReadonlySet<string> = new Set(["woken", "first_heartbeat", "found_running"]);

/** Whether its owner has another machine watched from then on. */
export function isMove(kind: string, detail: PastEvent["detail"]): boolean {
  return kind === "changed" && detail.moved === true;
}

/** When its provider had it no more and it came back, and when another machine took its place. */
function absencesIn(events: readonly PastEvent[], from: number): Act[] {
  const goneAt = goneFrom(events, from);
  const acts: Act[] = [];
  let isAway = false;
  for (const event of events) {
    const { at, kind, detail } = event;
    if (at <= from) continue;
    if (isMove(kind, detail)) acts.push({ type: "move", at });
    else if (kind === "gone" && at !== goneAt) acts.push({ type: "vanish", at });
    else if (isAway && isThere(event)) acts.push({ type: "reappear", at });
    isAway = kind === "gone" || (isAway && !isThere(event));
  }
  return acts;
}
