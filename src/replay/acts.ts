import { momentIn } from "./detail.ts";
import type { OffSpan } from "./off-spans.ts";
import type { Story } from "./story.ts";

/** What came from people, or from whoever else decides beside the policy: in a replay they act as they did. */
export type Act =
  | { readonly type: "keep_alive"; readonly at: number; readonly until: number }
  | { readonly type: "hibernate"; readonly at: number }
  /** `backAt`: when the machine was. */
  | { readonly type: "wake"; readonly at: number; readonly backAt: number };

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
  for (const { by, orderedAt, woken, to } of offSpans) {
    if (by === "outside") acts.push({ type: "hibernate", at: orderedAt });
    if (woken?.by === "outside") acts.push({ type: "wake", at: woken.at, backAt: to ?? woken.at + wakeMs });
  }
  return acts.filter(({ at }) => at > from && at <= story.to).sort((one, other) => one.at - other.at);
}
