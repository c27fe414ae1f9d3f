import { fromSample } from "../../../src/history/sample.ts";
import { settingsOf } from "../../../src/instance/settings-of.ts";
import type { StoredInstance } from "../../../src/instance/stored/stored-instance.ts";
import { policiesOf } from "../../../src/replay/policies.ts";
import { retrace } from "../../../src/replay/retrace.ts";
import type { PastEvent, Story } from "../../../src/replay/story.ts";
import type { Platform } from "../platform.ts";
import type { Promised } from "./promise.ts";

/**
 * Whatever has happened, the policies that were in force make the same of what D1 keeps of it, or a name is given to why not. It is
 * counted, and the lives of a run are judged together: of alarms that were lost not all traces are kept.
 */
export class ThePastIsRetraced implements Promised {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  observe(): void {}

  atRest(): void {
    for (const { stored } of this.#platform.actors) {
      if (stored !== null) this.#judge(stored);
    }
  }

  #judge(stored: StoredInstance): void {
    const { reproduced, differences } = retrace(this.#story(stored));
    this.#platform.count("lives retraced");
    if (differences.length === 0) this.#platform.count("lives retraced without any difference");
    this.#platform.count("events retraced", reproduced);
    for (const { reason } of differences) this.#platform.count(`events not retraced: ${reason}`);
  }

  #story(stored: StoredInstance): Story {
    const { userId, instanceId, state, suspended } = stored;
    const rows = (what: string) => this.#platform.database.rows(what, userId, instanceId);
    const samples: unknown[] = rows(
      "SELECT sample FROM heartbeats WHERE user_id = ? AND instance_id = ? ORDER BY sequence",
    ).map(({ sample }) => JSON.parse(String(sample)));
    const waiting = state.unflushed === 0 ? [] : state.recent.slice(-state.unflushed);
    const kept = samples
      .map((sample, index) => fromSample(sample, index + 1))
      .filter((reading) => reading !== null);
    const events = rows(
      "SELECT id, at, kind, detail FROM events WHERE user_id = ? AND instance_id = ? ORDER BY at, id",
    ).map(
      ({ id, at, kind, detail }): PastEvent => ({
        id: String(id),
        at: Number(at),
        kind: String(kind),
        detail: JSON.parse(String(detail)),
      }),
    );
    const span = {
      from: Math.min(state.profile.registeredAt, ...events.map(({ at }) => at)),
      to: this.#platform.scheduler.now,
    };
    return {
      instanceId,
      profile: state.profile,
      hasGpu: state.agent.hasGpu,
      ...span,
      readings: [...kept, ...waiting],
      hours: [],
      events,
      policies: policiesOf({ settings: settingsOf(stored), suspended }, events, span),
      guardClosed: [],
    };
  }
}
