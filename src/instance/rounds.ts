import type { HibernationRound } from "../lifecycle/model/instance-event.ts";
import type { Refusal } from "../lifecycle/rules/refusals.ts";
import { command } from "./commands.ts";
import type { Absent, Unavailable } from "./outcomes.ts";
import { InstanceViews } from "./views.ts";

/** What became of it: ordered, or only told of; or refused with this code; or nothing was decided. */
export type RoundOutcome = "ordered" | "observe" | Refusal["code"] | (Absent | Unavailable)["outcome"];

/** What a fleet asks of many instances at once. */
export class InstanceRounds extends InstanceViews {
  /**
   * Hibernates the instance if it is still meant. A question of its own: a version before this one would take it for an order of its
   * owner, whatever the conditions.
   */
  async hibernateInRound(round: HibernationRound, requestId?: string): Promise<RoundOutcome> {
    const event = { type: "hibernate.requested", round } as const;
    const commanded = await command(this.life, event, Date.now(), { requestId });
    switch (commanded.outcome) {
      case "accepted":
        return round.by === "budget" && commanded.detail.mode === "observe" ? "observe" : "ordered";
      case "refused":
        return commanded.refusal.code;
      case "unknown":
      case "unreadable":
      case "unavailable":
        return commanded.outcome;
    }
  }
}
