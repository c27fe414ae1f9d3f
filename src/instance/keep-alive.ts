import type { AskedBy, Origin } from "../lifecycle/model/origin.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { nextTimeOfDay } from "../lifecycle/model/zone.ts";
import { type KeepAliveEnd, type KeepAliveOutcome, UNKNOWN } from "./outcomes.ts";
import { InstanceRounds } from "./rounds.ts";
import { settingsOf } from "./settings-of.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** The link of an alert that keeps an instance alive. */
export interface KeepAliveLink {
  readonly id: string;
  readonly expiresAt: number;
  readonly registeredAt: number;
}

/** What the reader of a link may choose. `minutes` null: as long as the policy says. */
export type LinkChoice =
  | { readonly does: "keep_alive"; readonly minutes: number | null }
  | { readonly does: "hibernate" };

export type LinkOutcome =
  | KeepAliveOutcome
  | { readonly outcome: "used" }
  | { readonly outcome: "hibernating" };

/** An instance is kept alive by hand. It is decided on and saved before it is answered. */
export class KeptInstance extends InstanceRounds {
  /** `minutes` null means as long as the policy says. */
  async keepAlive(minutes: number | null, requestId?: string, askedBy?: AskedBy): Promise<KeepAliveOutcome> {
    const stored = this.life.known();
    if (stored === null) return this.life.absence();
    const origin = { requestId, askedBy };
    return this.#keepFor(stored, this.#lengthOf(stored, minutes), Date.now(), origin);
  }

  /** A question of its own: a version before this one would take the end for minutes. */
  async keepAliveUntil(end: KeepAliveEnd, requestId?: string, askedBy?: AskedBy): Promise<KeepAliveOutcome> {
    const stored = this.life.known();
    if (stored === null) return this.life.absence();
    const now = Date.now();
    const { timezone } = settingsOf(stored).schedule;
    const until = "at" in end ? end.at : nextTimeOfDay(end.timezone ?? timezone, end.timeOfDay, now);
    return this.#keepFor(stored, Math.max(0, until - now), now, { requestId, askedBy });
  }

  /**
   * By the link of an alert, which works once, and only for the registration that it was made for: which links were used is
   * forgotten with the instance.
   */
  async useLink(link: KeepAliveLink, requestId?: string): Promise<LinkOutcome> {
    return this.followLink(link, { does: "keep_alive", minutes: null }, requestId);
  }

  /** The same, with what its reader chose. A question of its own: a version before this one knows nothing but to keep alive. */
  async followLink(link: KeepAliveLink, choice: LinkChoice, requestId?: string): Promise<LinkOutcome> {
    const stored = this.life.known();
    if (stored === null) return this.life.absence();
    if (stored.state.profile.registeredAt !== link.registeredAt) return UNKNOWN;
    const { id, expiresAt } = link;
    if (stored.usedLinks.some((used) => used.id === id)) return { outcome: "used" };
    const now = Date.now();
    const stillGood = stored.usedLinks.filter((used) => used.expiresAt > now);
    const withThis = { ...stored, usedLinks: [...stillGood, { id, expiresAt }] };
    switch (choice.does) {
      case "keep_alive":
        return this.#keepFor(withThis, this.#lengthOf(stored, choice.minutes), now, { requestId });
      case "hibernate":
        return this.#hibernate(withThis, now, requestId);
    }
  }

  #lengthOf(stored: StoredInstance, minutes: number | null): number {
    return minutes === null ? this.life.policy(stored).keepAliveMs : (minutes * MINUTE_MS) / this.life.speed;
  }

  async #hibernate(stored: StoredInstance, now: number, requestId: string | undefined): Promise<LinkOutcome> {
    const { life } = this;
    const decided = await life.decide(stored, { type: "hibernate.requested", prepare: true }, now, {
      requestId,
    });
    if (decided.outcome === "unavailable") return decided;
    if (decided.refusal !== null) return { outcome: "refused", refusal: decided.refusal };
    life.outbox.emptySoon();
    return { outcome: "hibernating" };
  }

  async #keepFor(
    stored: StoredInstance,
    durationMs: number,
    now: number,
    origin: Origin,
  ): Promise<KeepAliveOutcome> {
    const { life } = this;
    const decided = await life.decide(stored, { type: "keep_alive", durationMs }, now, origin);
    if (decided.outcome === "unavailable") return decided;
    const { stored: next, refusal } = decided;
    if (refusal !== null) return { outcome: "refused", refusal };
    life.outbox.emptySoon();
    const until = next.state.clock.keepAliveUntil ?? now;
    return {
      outcome: "accepted",
      validForMinutes: Math.ceil(((until - now) * life.speed) / MINUTE_MS),
      until,
    };
  }
}
