import type { PastEvent } from "./story.ts";

/** When the machine really was off, as its events tell. */
export interface OffSpan {
  /** When the order was given that ended in it; as `from` where nobody knows of one. */
  readonly orderedAt: number;
  /** When that was confirmed. */
  readonly from: number;
  /** When it was back; null where it is not. */
  readonly to: number | null;
  /** What had it off: its policy, its silence, or somebody whose word no policy is: a person, a budget, the machine itself. */
  readonly by: "policy" | "silence" | "outside";
  /** When somebody or something had it woken, and who; null where nobody has. */
  readonly woken: { readonly at: number; readonly by: "schedule" | "outside" } | null;
  /** From the word to wake it until it was back; null where nobody gave one, or it was not heard to be back. */
  readonly wakeTookMs: number | null;
}

type Known = Omit<OffSpan, "to" | "wakeTookMs">;

/** Oldest first. */
export function offSpansOf(events: readonly PastEvent[]): readonly OffSpan[] {
  const spans: OffSpan[] = [];
  let orderedAt: number | null = null;
  let off: Known | null = null;
  for (const event of events) {
    const { at, kind, detail } = event;
    switch (kind) {
      case "preparing":
      case "hibernating":
        orderedAt ??= at;
        break;
      case "hibernate_cancelled":
      case "hibernate_failed":
      case "preparation_cancelled":
        orderedAt = null;
        break;
      case "hibernated":
        if (off !== null) spans.push(ended(off, at));
        off = { orderedAt: Math.min(orderedAt ?? at, at), from: at, by: causeOf(detail), woken: null };
        orderedAt = null;
        break;
      case "waking":
      case "wake_failed":
        if (off !== null) off = withWake(off, event);
        break;
      case "orphaned":
        // It was started, and nothing was heard of it.
        if (off !== null && off.woken !== null) {
          spans.push(ended(off, at));
          off = null;
        }
        break;
      case "woken":
        if (off !== null) spans.push({ ...ended(off, at), wakeTookMs: off.woken && at - off.woken.at });
        off = null;
        break;
      case "found_running":
        if (off !== null) spans.push(ended(off, at));
        off = null;
        break;
      case "changed":
      case "gone":
        // No machine that was off is there any more.
        if (off !== null && (kind === "gone" || detail.moved === true)) {
          spans.push({ ...off, to: at, wakeTookMs: null });
          off = null;
        }
        break;
      default:
        break;
    }
  }
  return off === null ? spans : [...spans, { ...off, to: null, wakeTookMs: null }];
}

function withWake(off: Known, { at, kind, detail }: PastEvent): Known {
  const by = detail.rule === "schedule" ? "schedule" : "outside";
  return { ...off, woken: kind === "wake_failed" ? null : { at, by } };
}

function ended(off: Known, to: number): OffSpan {
  return { ...off, to, woken: off.woken ?? { at: to, by: "outside" }, wakeTookMs: null };
}

function causeOf({ reason, because }: PastEvent["detail"]): OffSpan["by"] {
  if (because === "schedule" || because === "max_runtime") return "policy";
  if (because != null) return "outside";
  if (reason === "silence") return "silence";
  return reason === "owner" || reason === "instance" ? "outside" : "policy";
}
