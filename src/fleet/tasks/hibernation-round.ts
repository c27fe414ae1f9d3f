import type { EventDetail, HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { moneyOf } from "../../lifecycle/model/money.ts";
import { messageOf } from "../../lifecycle/model/outbox.ts";
import { writeTag } from "../../lifecycle/model/tags.ts";
import { SECOND_MS, toIso } from "../../lifecycle/model/time.ts";
import { phrase, together } from "../../lifecycle/model/words/phrase.ts";
import type { Said } from "../../lifecycle/model/words/said.ts";
import { actorOf } from "../../platform/address.ts";
import { answerOr } from "../../platform/former-object.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import {
  type Asked,
  describeCounts,
  describeEnd,
  isLeft,
  ROUND_LASTS_MS,
  type RoundEnd,
} from "../rules/hibernation-round.ts";
import { isPolicySure, type Rounds } from "../rules/state.ts";
import type { AskedHibernation } from "../tables/asked-hibernations.ts";
import { planRound, ROWS_PER_READ, type RoundPlan, type RoundRequest } from "../views/round-plan.ts";

/**
 * A hibernation of many: who is meant is decided at once and kept, and then the fleet's alarm asks each of them. What is asked
 * twice is ordered once: the instance decides.
 */

/** Keeps which instances are meant; the fleet's alarm asks them. */
export function askRound(fleet: Fleet, request: RoundRequest, limit: number, now: number): RoundPlan {
  const plan = fleet.change((state) => {
    fleet.asked.prune(now);
    const { kill_switch, budget } = state.rounds;
    // Names the round.
    const at = Math.max(now, (kill_switch?.askedAt ?? 0) + 1, (budget?.askedAt ?? 0) + 1);
    const planned = planRound(fleet, request, { at, now, limit }, (meant) => fleet.asked.add(meant, now));
    const { asked, filter } = request;
    const { hibernate, skip, savesHourly, unknownRates } = planned.counts;
    const rounds: Rounds = {
      ...state.rounds,
      [asked.by]: {
        askedAt: at,
        asked: { ...filter, tag: filter.tag?.map((tag) => ({ ...tag })), ...asked },
        hibernate,
        skip,
        savesHourly,
        unknownRates,
      },
    };
    const due = { ...state.due, hibernationsAt: fleet.asked.nextAt };
    return { state: { ...state, rounds, due }, result: planned };
  });
  // A budget asks again and again whom it can only have told of.
  const isWorthTelling = request.asked.by === "kill_switch" || plan.counts.hibernate > 0;
  if (isWorthTelling) fleet.addOwnEvent(askedEvent(request, plan), now);
  return plan;
}

function askedEvent({ asked, filter, requestId }: RoundRequest, { at, counts }: RoundPlan): HistoryEvent {
  const told = {
    whom: phrase(asked.onlyIdle ? "round.idle_instances" : "round.all_instances"),
    filter: describeFilter(asked, filter),
    counts: describeCounts(counts),
  };
  return {
    id: `round-${at}`,
    at,
    kind: "hibernate_all",
    severity: "info",
    ...messageOf(asked.by === "budget" ? phrase("round.by_budget", told) : phrase("round.by_owner", told)),
    detail: {
      by: asked.by,
      ...(requestId === undefined ? {} : { request_id: requestId }),
      only_idle: asked.onlyIdle,
      respect_keep_alive: asked.respectKeepAlive,
      ...Object.fromEntries(filterEntries(asked, filter)),
      instances: counts.hibernate,
      skipped: counts.skip,
      ...moneyOf({ saves_hourly: counts.savesHourly, unknown_rates: counts.unknownRates }),
    },
  };
}

function filterEntries({ status }: Asked, { tag, ...filter }: RoundRequest["filter"]): [string, string][] {
  return Object.entries({ status, ...filter, tag: tag?.map(writeTag).join() }).flatMap(
    ([key, value]): [string, string][] => (value == null ? [] : [[key, value]]),
  );
}

function describeFilter(asked: Asked, filter: RoundRequest["filter"]): Said {
  const entries = filterEntries(asked, filter);
  if (entries.length === 0) return "";
  return phrase("round.filter", { filter: entries.map((entry) => entry.join(" ")).join(", ") });
}

const PARALLEL_CALLS = 50;
const INSTANCES_PER_ALARM = 1000;

/** An instance that has not answered after this long is out of reach. */
const CALL_LIMIT_MS = 10 * SECOND_MS;

/** However many are out of reach, a turn ends after this long, for the fleet's other tasks. */
const LONGEST_TURN_MS = 20 * SECOND_MS;

/** A turn that was cut off goes on after this long. */
const RESUMES_MS = 30 * SECOND_MS;

/** Asks the instances that are due, so many at the same time. */
export async function carryOutRounds(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const until = Date.now() + LONGEST_TURN_MS;
  for (let asked = 0; asked < INSTANCES_PER_ALARM && Date.now() <= until; asked += PARALLEL_CALLS) {
    if (!mayAsk(fleet)) break;
    const some = fleet.asked.due(Date.now(), PARALLEL_CALLS);
    if (some.length === 0) break;
    fleet.setDue({ hibernationsAt: Date.now() + RESUMES_MS });
    const ends = await Promise.all(some.map((one) => ask(env, userId, one)));
    fleet.update((state) => {
      for (const [index, one] of some.entries()) {
        const end = ends[index] ?? null;
        if (end === null) fleet.asked.postpone(one, Date.now());
        else fleet.asked.settle(one, end);
      }
      return state;
    });
    tellEnds(fleet, some, Date.now());
  }
  fleet.setDue({ hibernationsAt: fleet.asked.nextAt });
}

/** Nothing is done for a suspended user. A fleet that may have been set back waits until it knows. */
function mayAsk(fleet: Fleet): boolean {
  if (fleet.isSuspended) fleet.asked.dropWaiting();
  return isPolicySure(fleet.state);
}

/** How it ended; null: it is to be asked again. */
async function ask(
  env: Env,
  userId: string,
  { instanceId, round, requestId }: AskedHibernation,
): Promise<RoundEnd | null> {
  if (Date.now() > round.askedAt + ROUND_LASTS_MS) return "out_of_reach";
  try {
    const asked = answerOr(
      actorOf(env, userId, instanceId).hibernateInRound(round, requestId),
      "unavailable",
    );
    const end = await within(CALL_LIMIT_MS, asked);
    // Or its object still runs the former release.
    return end === "unavailable" ? null : end;
  } catch {
    return null;
  }
}

/** Names so many of them. */
const NAMED = 10;

/** Tells the owner of a round that has ended and left some that go on costing money. */
function tellEnds(fleet: Fleet, some: readonly AskedHibernation[], now: number): void {
  for (const askedAt of new Set(some.map(({ round }) => round.askedAt))) {
    if (fleet.asked.isUnderWay(askedAt)) continue;
    const left = fleet.asked
      .countOf(askedAt)
      .reduce((sum, { end, instances: count }) => sum + (isLeft(end) ? count : 0), 0);
    if (left === 0) continue;
    const those = fleet.asked.notOrdered(askedAt, ROWS_PER_READ).filter(({ end }) => isLeft(end));
    const named = those
      .slice(0, NAMED)
      .map(({ instanceId, end }) => phrase("round.one", { id: instanceId, why: describeEnd(end ?? "") }));
    const more = left > named.length ? phrase("round.more", { count: left - named.length }) : "";
    fleet.addOwnEvent(
      {
        id: `round-left-${askedAt}`,
        at: now,
        kind: "not_all_hibernated",
        severity: "warning",
        ...messageOf(phrase("round.left", { count: left, named: together("commas", named), more })),
        detail: {
          asked_at: toIso(askedAt),
          instances: left,
          ...ratesOf(
            fleet,
            those.map(({ instanceId }) => instanceId),
          ),
        },
      },
      now,
    );
  }
}

/** What these cost an hour together, as they last reported. */
function ratesOf(fleet: Fleet, ids: readonly string[]): EventDetail {
  const rates = fleet.registry.list("", ROWS_PER_READ, { ids }).rows.map(({ view }) => view.rate);
  const known = rates.filter((rate) => rate !== null);
  return moneyOf({
    rate: known.length === 0 ? null : known.reduce((sum, rate) => sum + rate, 0),
    unknown_rates: rates.length - known.length,
  });
}
