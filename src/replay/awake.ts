import type { Policy } from "../lifecycle/model/policy.ts";
import { nextChange } from "../lifecycle/model/windows.ts";
import { isAwakeTime } from "../lifecycle/rules/awake-hours.ts";

/** The awake hours of a policy along a replay. Its clock goes forwards, so each window is looked up once. */
export class AwakeHours {
  readonly #schedule: Policy["schedule"];
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  #isAwake = false;

  constructor({ schedule }: Pick<Policy, "schedule">) {
    this.#schedule = schedule;
  }

  /** Whether `now` is among them, and until when that stays so. */
  at(now: number): { readonly isAwake: boolean; readonly until: number } {
    if (now < this.#from || now >= this.#until) this.#lookUp(now);
    return { isAwake: this.#isAwake, until: this.#until };
  }

  #lookUp(now: number): void {
    const { awake, timezone } = this.#schedule;
    const change = nextChange(awake, timezone, now);
    this.#from = now;
    this.#until = change?.at ?? Number.POSITIVE_INFINITY;
    this.#isAwake = change === null ? isAwakeTime({ schedule: this.#schedule }, now) : !change.begins;
  }
}
