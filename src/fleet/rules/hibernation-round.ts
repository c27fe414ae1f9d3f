import type { HibernationRound } from "../../lifecycle/model/instance-event.ts";
import type { Status } from "../../lifecycle/model/phase.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import { phrase } from "../../lifecycle/model/words/phrase.ts";
import type { Phrase, Said } from "../../lifecycle/model/words/said.ts";
import { whySpared } from "../../lifecycle/rules/round.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";

/** What a hibernation of many would do to each instance, by what its fleet knows of it, and what that would save. */

/** Whom it is asked of, and how. */
export interface Asked {
  readonly by: HibernationRound["by"];
  /** `false`: keep-alives that the fleet knows of hold nothing back. */
  readonly respectKeepAlive: boolean;
  readonly onlyIdle: boolean;
  readonly status: Status | null;
}

/** Why an instance is left alone. The first that applies. */
export type SkippedBecause =
  | Exclude<Status, "running" | "orphaned">
  | NonNullable<ShownView["control"]["why_not"]>
  // Of a budget alone: its policy only observes.
  | "observe"
  | NonNullable<ReturnType<typeof whySpared>>;

export type Verdict =
  | {
      readonly does: "hibernate";
      /** What it does now. */
      readonly because: "working" | "idle" | "silent";
      /** Dollars an hour; null where its price is not known. */
      readonly savesHourly: number | null;
    }
  | { readonly does: "skip"; readonly because: SkippedBecause };

/** A view has times in whole seconds: the keep-alive may end this much later. */
const WITHIN_MS = SECOND_MS;

/** What would be asked of an instance. It decides anew once it is asked: it may know better. */
export function roundFor(view: ShownView, asked: Asked, askedAt: number): HibernationRound {
  const { by, onlyIdle, status, respectKeepAlive } = asked;
  const until = keptAliveUntil(view);
  const keepAliveUpTo = respectKeepAlive || until === null ? 0 : until;
  return { by, askedAt, onlyIdle, status, keepAliveUpTo };
}

export function verdictOf(view: ShownView, asked: Asked, now: number): Verdict {
  const { status, health, control } = view;
  switch (status) {
    case "pending":
    case "hibernating":
    case "hibernated":
    case "waking":
    case "deleting":
    case "deleted":
      return { does: "skip", because: status };
    case "running":
    case "orphaned": {
      const isIdle = health === "idle";
      const meant = { status, isIdle, keepAliveUntil: keptAliveUntil(view) };
      const because = control.why_not ?? whySpared(meant, roundFor(view, asked, now), now);
      if (because !== null) return { does: "skip", because };
      if (asked.by === "budget" && view.mode === "observe") return { does: "skip", because: "observe" };
      return {
        does: "hibernate",
        because: status === "orphaned" ? "silent" : isIdle ? "idle" : "working",
        savesHourly: savesHourly(view),
      };
    }
  }
}

function keptAliveUntil({ keep_alive_until }: ShownView): number | null {
  return keep_alive_until === null ? null : Date.parse(keep_alive_until) + WITHIN_MS;
}

/** What it would still cost counts as nothing where nobody has said it, as everywhere in savings. */
function savesHourly({ rate, hibernated_cost }: ShownView): number | null {
  return rate === null ? null : Math.max(0, rate - (hibernated_cost ?? 0));
}

/** A hibernation of many as a whole. */
export interface RoundCounts {
  readonly hibernate: number;
  readonly skip: number;
  /** How many are left alone, by why. */
  readonly skipped: Readonly<Partial<Record<SkippedBecause, number>>>;
  /** Dollars an hour, of those whose price is known. */
  readonly savesHourly: number;
  /** Of those to be hibernated: whose price is not known, so that nobody knows what they would save. */
  readonly unknownRates: number;
}

export const NO_COUNTS: RoundCounts = {
  hibernate: 0,
  skip: 0,
  skipped: {},
  savesHourly: 0,
  unknownRates: 0,
};

export function counted(counts: RoundCounts, verdict: Verdict): RoundCounts {
  switch (verdict.does) {
    case "hibernate":
      return {
        ...counts,
        hibernate: counts.hibernate + 1,
        savesHourly: counts.savesHourly + (verdict.savesHourly ?? 0),
        unknownRates: counts.unknownRates + Number(verdict.savesHourly === null),
      };
    case "skip":
      return {
        ...counts,
        skip: counts.skip + 1,
        skipped: { ...counts.skipped, [verdict.because]: (counts.skipped[verdict.because] ?? 0) + 1 },
      };
  }
}

/** What became of one that was asked. */
export type RoundEnd =
  | "ordered"
  /** There is no such instance any more. */
  | "unknown"
  /** The service can't read what is stored of it. */
  | "unreadable"
  /** It did not answer, or decided nothing, for as long as it was tried. */
  | "out_of_reach"
  /** The account was suspended, or the fleet set back, before it was asked. */
  | "dropped"
  /** Its owner raised the budget, or the period was over, before it was asked. */
  | "within_budget"
  /** The code of its refusal. */
  | string;

/** Nothing is left to do: it is as its owner wanted, or the instance itself said that it is no longer meant. */
const AS_IT_SHOULD_BE: ReadonlySet<RoundEnd> = new Set([
  "ordered",
  "unknown",
  "hibernating",
  "hibernated",
  "deleted",
  "kept_alive",
  "not_idle",
  "changed",
  "within_budget",
  // Its owner's policy only observes, and its owner was told.
  "observe",
  // It is being woken or deleted by a later word.
  "busy",
]);

/** Whether one that ended so goes on costing money although it was to be hibernated. */
export function isLeft(end: RoundEnd | null): boolean {
  return end !== null && !AS_IT_SHOULD_BE.has(end);
}

/** A request that is older hibernates nobody. What was out of reach for so long is given up, and the owner is told. */
export const ROUND_LASTS_MS = HOUR_MS;

/** After the first failure; each further one doubles it, up to ten minutes. */
export function roundRetryMs(failures: number): number {
  return Math.min(10 * MINUTE_MS, 15 * SECOND_MS * 2 ** failures);
}

/** How its event counts the instances. */
export function describeCounts({ hibernate, savesHourly, unknownRates }: RoundCounts): Phrase {
  const unknown = unknownRates === 0 ? "" : phrase("round.unpriced", { count: unknownRates });
  return phrase("round.counts", { count: hibernate, saving: savesHourly, unknown });
}

const ENDS_IN_WORDS = ["out_of_reach", "unreadable", "dropped", "no_provider", "busy", "silent"] as const;

/** Why one was not hibernated; the code of a refusal as it is, where there are no words for it. */
export function describeEnd(end: RoundEnd): Said {
  const known = ENDS_IN_WORDS.find((each) => each === end);
  return known === undefined ? end : phrase(`round.${known}`);
}
