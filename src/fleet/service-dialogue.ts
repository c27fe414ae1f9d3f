import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { unknownGuardEvent } from "../lifecycle/rules/guard-event.ts";
import { type Guard, guardAnswer } from "../lifecycle/rules/outage-guard.ts";
import type { Fleet } from "./fleet.ts";
import type { Report, ReportAnswer } from "./report.ts";
import { serviceGuard, TOTALS_EVERY_MS } from "./rules/state.ts";
import { isServiceGuardFresh, reportTotals } from "./tasks/totals.ts";

/** The owner is told of a guard that does not answer for so long: a call may always fail once. */
const TOLD_AFTER_MS = MINUTE_MS;

/**
 * What a fleet reports to the service, and asks of it, while its instances wait for the guard's answer: one call at a time,
 * whoever asks.
 */
export class ServiceDialogue {
  readonly #env: Env;
  readonly #userId: () => string;
  readonly #onRefreshed: (fleet: Fleet) => void;
  #asking: Promise<void> | null = null;

  /** `onRefreshed` is called after each call to the service, answered or not. */
  constructor(env: Env, userId: () => string, onRefreshed: (fleet: Fleet) => void) {
    this.#env = env;
    this.#userId = userId;
    this.#onRefreshed = onRefreshed;
  }

  /**
   * May these steps go on? Until all who are silent have reported it they wait, and as long as the user is suspended. A guard of the service that does not answer
   * counts as closed since it first failed to: it holds hibernations for no longer than one that is.
   */
  async answer(fleet: Fleet, report: Report): Promise<ReportAnswer["answers"]> {
    const { questions } = report;
    if (questions.length === 0) return [];
    if (fleet.isSuspended || !fleet.haveAllReported(report, Date.now())) {
      return questions.map((step) => ({ step, answer: { held: true } }));
    }
    const isKnown = await this.refreshServiceGuard(fleet);
    const now = Date.now();
    const service = isKnown ? serviceGuard(fleet.state) : this.#unknownGuard(fleet, now);
    const { guard } = fleet.state;
    const { standard } = fleet.rules;
    return questions.map((step) => ({ step, answer: guardAnswer(step, guard, service, standard, now) }));
  }

  #unknownGuard(fleet: Fleet, now: number): Guard {
    const closedAt = fleet.state.serviceSilentFrom ?? now;
    if (now - closedAt >= TOLD_AFTER_MS) fleet.addOwnEvent(unknownGuardEvent(closedAt), now);
    return { ...serviceGuard(fleet.state), closedAt };
  }

  /** Asks the service how its guard stands, unless that is fresh and nothing is new. False: it is not known. */
  async refreshServiceGuard(fleet: Fleet): Promise<boolean> {
    try {
      // A call that is under way may not tell what this report has brought.
      await this.#asking;
      if (isServiceGuardFresh(fleet.state) && !hasNews(fleet)) return true;
      this.#asking ??= reportTotals(this.#env, this.#userId(), fleet).finally(() => {
        this.#asking = null;
        this.#onRefreshed(fleet);
      });
      await this.#asking;
      return true;
    } catch (error) {
      console.warn("the service-wide guard is not known: steps wait", error);
      return false;
    }
  }
}

function hasNews({ state }: Fleet): boolean {
  const { totalsAt } = state.due;
  return totalsAt !== null && totalsAt <= Date.now() + TOTALS_EVERY_MS;
}
