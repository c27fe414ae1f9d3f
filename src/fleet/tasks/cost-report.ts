import { mayBeTold } from "../../alerts/channels/record.ts";
import { type CostReport, monthOf, reportEventId } from "../../alerts/cost-report.ts";
import { reportNotice, reportTitle } from "../../alerts/cost-report-notice.ts";
import { hasOwnEvent } from "../../history/own-event.ts";
import { historyOf } from "../../history/shards.ts";
import { roundDollars } from "../../lifecycle/model/dollars.ts";
import type { HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { dollarsOf } from "../../lifecycle/model/ledger.ts";
import { messageOf } from "../../lifecycle/model/outbox.ts";
import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { SECOND_MS, startOfUtcMonth } from "../../lifecycle/model/time.ts";
import { logWarning } from "../../platform/log.ts";
import { within } from "../../platform/within.ts";
import type { Fleet } from "../fleet.ts";
import { readerOf } from "../rules/addressee.ts";
import {
  isToTellAnyhow,
  LOOK_AGAIN_MS,
  monthBefore,
  nextMonth,
  reportDueAt,
  retryReportAt,
} from "../rules/report-times.ts";
import { countInstances, type FleetState, withDue } from "../rules/state.ts";
import { costReport, readHabits } from "../views/cost-report.ts";
import { historyOfCosts } from "../views/day-costs.ts";
import { refreshAddressee } from "./addressee.ts";
import { spreadOf } from "./close-costs.ts";
import { deliveryIdOf, digestIdOf } from "./digests.ts";

/**
 * Tells on the first of a month what the month before has cost. Once: that it was told is saved in one transaction with the messages,
 * and is an event of the fleet too, which the history keeps. So a fleet that was set back, or came with an import, finds it there.
 */

const CALL_LIMIT_MS = 10 * SECOND_MS;

/** Sees to it that months are reported, from the first instance on. */
export function scheduleReport(userId: string, fleet: Fleet, now: number): void {
  const { due, leavingSince } = fleet.state;
  if (due.reportAt !== null || leavingSince !== null || countInstances(fleet.state) === 0) return;
  fleet.update((state) =>
    withNextReport(state, state.reports.toldBefore ?? startOfUtcMonth(now), spreadOf(userId)),
  );
}

/** All months that begin before `toldBefore` are done with. */
function withNextReport(state: FleetState, toldBefore: number, spread: number): FleetState {
  const reportAt = reportDueAt(nextMonth(toldBefore), spread);
  return withDue({ ...state, reports: { toldBefore, failures: 0 } }, { reportAt });
}

export async function tellReport(env: Env, userId: string, fleet: Fleet): Promise<void> {
  const end = startOfUtcMonth(Date.now());
  const month = monthBefore(end);
  const isWanted = () =>
    !isTold(fleet, end) && !fleet.isSuspended && mergePolicy(fleet.state.policy.overrides).reports.monthly;
  if (!isWanted()) return noteTold(userId, fleet, end);
  const mayWait = !isToTellAnyhow(end, Date.now());
  if (mayWait && !isClosed(fleet, month, end)) return fleet.setDue({ reportAt: Date.now() + LOOK_AGAIN_MS });
  try {
    const event = { id: reportEventId(month), at: end };
    const wasTold = await within(CALL_LIMIT_MS, hasOwnEvent(historyOf(env, 0), userId, event));
    if (wasTold) return noteTold(userId, fleet, end);
    await refreshAddressee(env, userId, fleet, Date.now());
    const habits =
      receivers(fleet).length === 0 ? [] : await readHabits(env, userId, fleet, month, Date.now());
    if (isWanted()) tell(userId, fleet, costReport(fleet, month, habits, Date.now()));
  } catch (error) {
    const { failures } = fleet.state.reports;
    if (failures === 0)
      logWarning("a month's report waits for the history, which is asked again", { user_id: userId }, error);
    if (!mayWait && isWanted()) return tell(userId, fleet, costReport(fleet, month, null, Date.now()));
    fleet.update((state) => {
      const reports = { ...state.reports, failures: state.reports.failures + 1 };
      return withDue({ ...state, reports }, { reportAt: retryReportAt(reports.failures, end, Date.now()) });
    });
  }
}

function isTold({ state }: Fleet, end: number): boolean {
  return (state.reports.toldBefore ?? Number.POSITIVE_INFINITY) >= end;
}

/** Whether all days of the month are closed, and the history has them. Where nothing is closed any more, they are. */
function isClosed(fleet: Fleet, month: number, end: number): boolean {
  const { due, costs } = fleet.state;
  const isRecalled = costs.recallBefore === null || costs.recallBefore <= month;
  return due.costsAt === null || (isRecalled && historyOfCosts(fleet).knownBefore >= end);
}

/** Only channels that want to know of everything. */
function receivers({ channels }: Fleet) {
  return channels.list().filter((channel) => mayBeTold(channel) && channel.minimumSeverity === "info");
}

/** A month that has cost nothing is passed over. */
function tell(userId: string, fleet: Fleet, report: CostReport): void {
  const end = nextMonth(report.month);
  const { costs } = report;
  if (dollarsOf(costs) === 0 && costs.unpricedMs === 0) {
    noteTold(userId, fleet, end);
    return;
  }
  const notice = reportNotice(report, end, readerOf(fleet.state.addressee));
  const digestId = digestIdOf(userId, `report-${monthOf(report.month)}`);
  const now = Date.now();
  fleet.update((state) => {
    for (const { id: channelId } of receivers(fleet)) {
      fleet.deliveries.add({ id: deliveryIdOf(digestId, channelId), channelId, digestId, notice }, now);
    }
    return withDue(afterReport(state, userId, fleet, end), { deliveriesAt: now });
  });
  fleet.addOwnEvent(eventOf(report, end), now);
}

/** Of the moment when the month ended: so it is known again, wherever it is looked up. */
function eventOf(report: CostReport, at: number): HistoryEvent {
  const { month, costs, hibernations } = report;
  return {
    id: reportEventId(month),
    at,
    kind: "cost_report",
    severity: "info",
    ...messageOf(reportTitle(report)),
    detail: {
      month: monthOf(month),
      cost: roundDollars(dollarsOf(costs)),
      wasted: roundDollars(costs.wasted),
      saved: roundDollars(costs.saved),
      hibernations: hibernations?.hibernations ?? null,
      regretted: hibernations?.regretted ?? null,
    },
  };
}

/** Nothing is to be told of months before `end` any more. */
function noteTold(userId: string, fleet: Fleet, end: number): void {
  fleet.update((state) => afterReport(state, userId, fleet, end));
}

/** Who has no instances, and no costs since then, gets no further report. */
function afterReport(state: FleetState, userId: string, { costs }: Fleet, end: number): FleetState {
  const next = withNextReport(state, Math.max(end, state.reports.toldBefore ?? end), spreadOf(userId));
  const hasCosts = costs.closed.totals(end, Number.MAX_SAFE_INTEGER).length > 0;
  const goesOn = countInstances(state) > 0 || state.due.costsAt !== null || hasCosts;
  return goesOn && state.leavingSince === null ? next : withDue(next, { reportAt: null });
}
