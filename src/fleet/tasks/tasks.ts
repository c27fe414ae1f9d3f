import { appendOwnEvents } from "../../history/append.ts";
import { historyOf } from "../../history/shards.ts";
import { compilePolicy } from "../../lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../../lifecycle/model/time.ts";
import { logWarning } from "../../platform/log.ts";
import { readSettings } from "../../platform/settings.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { readerOf } from "../rules/addressee.ts";
import { closeWindow, dueDigests, type Urgency } from "../rules/digest-window.ts";
import { type Due, type FleetState, isPolicySure, PRUNE_AFTER_MS, withDue } from "../rules/state.ts";
import { refreshAddressee } from "./addressee.ts";
import { lookAtBudget, withdrawRound } from "./budget.ts";
import { closeCosts } from "./close-costs.ts";
import { tellReport } from "./cost-report.ts";
import { digestIdOf } from "./digests.ts";
import { carryOutRounds } from "./hibernation-round.ts";
import type { Listings } from "./listing.ts";
import { giveUpSurplus, sweep } from "./messages.ts";
import { bringPolicy } from "./policy.ts";
import { sendDeliveries } from "./send.ts";
import { endSnoozes, withSnoozesDue } from "./snoozes.ts";
import { takeStanding } from "./standing.ts";
import { reportTotals } from "./totals.ts";

/**
 * What a fleet does when its alarm fires. Each task takes what is due from the state, and leaves there when it is due again:
 * one that fails is tried again after a while, and holds up none of the others.
 */

/** A task that failed is due again after this long. */
const RETRY_MS = 30 * SECOND_MS;

const OWN_EVENTS_PER_BATCH = 50;

/** A call that a task makes has failed after this long. */
const CALL_LIMIT_MS = 10 * SECOND_MS;

/** Runs whatever is due. One that fails is due again after a while, so that the alarm does not fire at once for it. */
export async function runDueTasks(
  env: Env,
  userId: string,
  fleet: Fleet,
  listings: Listings,
  now: number,
): Promise<void> {
  fleet.noteContact(now);
  sweep(env, userId, fleet, now);
  for (const urgency of dueDigests(fleet.state.digest, now)) {
    await attempt(
      userId,
      fleet,
      `the ${urgency} digest`,
      () => composeDigest(env, userId, fleet, urgency, now),
      (state, at) => ({ ...state, digest: againAt(state.digest, urgency, at) }),
    );
  }
  giveUpSurplus(env, fleet, now);
  const { due } = fleet.state;
  const ifDue = async (task: SimpleTask, run: () => void | Promise<void>) => {
    const at = due[task];
    if (at === null || at > now) return;
    await attempt(userId, fleet, task, run, (state, retryAt) => withDue(state, { [task]: retryAt }));
  };
  await Promise.all([
    ifDue("deliveriesAt", () => sendDeliveries(env, userId, fleet)),
    ifDue("totalsAt", () => reportTotals(env, userId, fleet)),
    ifDue("historyAt", () => keepOwnEvents(env, userId, fleet)),
    ifDue("costsAt", () => closeCosts(env, userId, fleet)),
    ifDue("pruneAt", () => prune(fleet, now)),
    isPolicySure(fleet.state) && ifDue("inventoryAt", () => listings.listDue(env, userId, fleet)),
    isPolicySure(fleet.state) && ifDue("reportAt", () => tellReport(env, userId, fleet)),
    isPolicySure(fleet.state) && ifDue("hibernationsAt", () => carryOutMeant(env, userId, fleet, now)),
    isPolicySure(fleet.state) && ifDue("budgetAt", () => lookAtBudget(env, fleet, now)),
    ifDue("standingAt", async () => void (await takeStanding(env, userId, fleet))),
    due.policy !== null && due.policy.at <= now && bringPolicy(env, userId, fleet),
  ]);
}

type SimpleTask = Exclude<keyof Due, "policy" | "awaiting">;

async function attempt(
  userId: string,
  fleet: Fleet,
  task: string,
  run: () => void | Promise<void>,
  postpone: (state: FleetState, at: number) => FleetState,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    logWarning(`${task} failed, will be tried again`, { user_id: userId }, error);
    fleet.update((state) => postpone(state, Date.now() + RETRY_MS));
  }
}

async function carryOutMeant(env: Env, userId: string, fleet: Fleet, now: number): Promise<void> {
  withdrawRound(fleet, now);
  await carryOutRounds(env, userId, fleet);
}

async function composeDigest(
  env: Env,
  userId: string,
  fleet: Fleet,
  urgency: Urgency,
  now: number,
): Promise<void> {
  await refreshAddressee(env, userId, fleet, now);
  const { reminderMs } = compilePolicy(DEFAULT_POLICY, readSettings(env).SIMULATION_SPEED);
  fleet.update((state) => {
    const digests = state.digests + 1;
    const { silentFrom } = state.guard;
    const outage = silentFrom === null ? null : { ...state.guard, silentFrom };
    const isMore = fleet.digests.compose(
      digestIdOf(userId, `${urgency}-${digests}`),
      urgency,
      outage,
      reminderMs,
      now,
      readerOf(state.addressee),
    );
    const closed = closeWindow(state.digest, urgency, now);
    return withDue(
      { ...state, digests, digest: isMore ? againAt(closed, urgency, now + SECOND_MS) : closed },
      { deliveriesAt: now },
    );
  });
}

function againAt(digest: FleetState["digest"], urgency: Urgency, at: number): FleetState["digest"] {
  switch (urgency) {
    case "critical":
      return { ...digest, criticalAt: at };
    case "ordinary":
      return { ...digest, ordinary: { at, latestAt: at } };
  }
}

/** Events of the fleet itself go to the history like those of its instances. */
async function keepOwnEvents(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const { rows: events, end } = fleet.events.ownAfter(fleet.state.historyUpTo, OWN_EVENTS_PER_BATCH);
  await within(
    CALL_LIMIT_MS,
    appendOwnEvents(historyOf(env, 0), userId, events, readSettings(env).EVENTS_PER_DAY),
  );
  fleet.update((state) => {
    const historyUpTo = end ?? events.at(-1)?.number ?? state.historyUpTo;
    // One may have happened meanwhile.
    const isMore = fleet.events.ownAfter(historyUpTo, 1).rows.length > 0;
    return withDue({ ...state, historyUpTo }, { historyAt: isMore ? Date.now() + SECOND_MS : null });
  });
}

function prune(fleet: Fleet, now: number): void {
  fleet.update((state) => {
    const nextAt = fleet.events.prune(now);
    fleet.openAlerts.prune(now);
    const pruneAt = nextAt === null ? null : Math.max(nextAt, now + PRUNE_AFTER_MS);
    return withSnoozesDue(withDue(endSnoozes(state, fleet, now), { pruneAt }), fleet);
  });
}
