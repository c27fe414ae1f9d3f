import type { Severity } from "../../lifecycle/model/history-event.ts";
import type { ChannelKind } from "./settings.ts";

/** What is known of a channel, but for its settings. Pure: a fleet decides by it without what sends. */

export interface ChannelRecord {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string;
  readonly minimumSeverity: Severity;
  readonly createdAt: number;
  /** False until the owner of its address has agreed: until then it is told of nothing. */
  readonly confirmed: boolean;
  /** Since when it is told of nothing, and why; null when it is told. A fleet of the former release does not say. */
  readonly paused?: Pause | null;
  readonly lastDelivery: { readonly at: number; readonly delivered: boolean; readonly detail: string } | null;
}

export interface Pause {
  readonly at: number;
  /** Its owner asked for it, or the other side said that there is no such channel any more. */
  readonly because: "asked" | "gone";
}

/** Whether alerts go there. */
export function mayBeTold({ confirmed, paused }: Pick<ChannelRecord, "confirmed" | "paused">): boolean {
  return confirmed && (paused ?? null) === null;
}
