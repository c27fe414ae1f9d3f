import { orphanOf } from "../../../src/lifecycle/model/phase.ts";
import type { Happening, Outline } from "../happenings.ts";
import type { Platform } from "../platform.ts";
import type { Promised, Say } from "./promise.ts";

const MINUTE = 60_000;
/** What late alarms and a database that is away may add. */
const SLACK_MS = 30 * MINUTE;
const ORDER_MS = 120 * MINUTE;
const DELETE_MS = 18 * 60 * MINUTE;
/** The guard's `max_hold_seconds` of these lives, and each question asked once more. */
const QUESTION_MS = 30 * MINUTE;

/** Every order ends by its deadline, whoever was to carry it out, and no question to the guard waits for ever. */
export class EverythingEnds implements Promised {
  readonly #platform: Platform;
  readonly #say: Say;
  readonly #askedSince = new Map<string, number>();

  constructor(platform: Platform, say: Say) {
    this.#platform = platform;
    this.#say = say;
  }

  observe(happening: Happening): void {
    if (happening.type !== "saved") return;
    const { before, after, instance, at } = happening;
    const due = before === null ? null : deadlineOf(before);
    if (due !== null && at > due) this.#say(`${instance}: its order ended after its deadline, or not yet`);
    this.#judgeQuestion(instance, after, at);
  }

  atRest(): void {
    const { actors, scheduler } = this.#platform;
    for (const { name, outline } of actors) {
      if (outline === null) continue;
      const { phase } = outline;
      if ("action" in phase)
        this.#say(`${name} is ${phase.status} for good: ${JSON.stringify(phase.action)}`);
      this.#judgeQuestion(name, outline, scheduler.now);
    }
  }

  #judgeQuestion(instance: string, state: Outline | null, now: number): void {
    const question = state === null ? null : (orphanOf(state.phase)?.guard ?? null);
    if (question === null) {
      this.#askedSince.delete(instance);
      return;
    }
    const since = this.#askedSince.get(instance) ?? now;
    this.#askedSince.set(instance, since);
    if (now > since + QUESTION_MS + SLACK_MS) {
      this.#say(
        `${instance} asks the guard about its ${question.step} for ${Math.round((now - since) / MINUTE)} minutes`,
      );
      this.#askedSince.set(instance, now);
    }
  }
}

function deadlineOf({ phase }: Outline): number | null {
  if (!("action" in phase)) return null;
  const { kind, orderedAt } = phase.action;
  return orderedAt + (kind === "delete" ? DELETE_MS : ORDER_MS) + SLACK_MS;
}
