import { readEvents } from "../../history/read.ts";
import { eventDatabases } from "../../history/shards.ts";
import { mergePolicy } from "../../lifecycle/model/policy-settings.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import type { EventView } from "../../lifecycle/views/event-view.ts";
import type { StoryFound } from "../../previews/story.ts";
import { policiesOf } from "../../replay/policies.ts";
import type { PastEvent, PolicyInForce } from "../../replay/story.ts";

/** The events that tell of a moment of the past, and those that tell by which policy it went then. */

interface Whose {
  readonly userId: string;
  readonly instanceId: string;
}

const BEFORE_MS = 6 * HOUR_MS;
const AFTER_MS = 30 * MINUTE_MS;
const AROUND_AT_MOST = 50;

/** What happened around the moment, newest first. */
export async function eventsAround(
  env: Env,
  whose: Whose,
  shard: number,
  at: number,
  reader: Reader,
): Promise<readonly EventView[]> {
  const before = { at: at + AFTER_MS + 1, tie: "" };
  const { entries } = await readEvents(eventDatabases(env, shard), {
    ...whose,
    limit: AROUND_AT_MOST,
    before,
    reader,
  });
  return entries.filter((event) => Date.parse(event.at) >= at - BEFORE_MS);
}

const EVENTS_PER_PAGE = 500;
const PAGES_AT_MOST = 10;

/** From the present policy each change is gone back by. Where there are more events than are read, nobody knows what was set. */
export async function policiesAround(
  env: Env,
  whose: Whose,
  { story, basis }: Extract<StoryFound, { outcome: "found" }>,
): Promise<readonly PolicyInForce[]> {
  const { from, to } = story;
  const since = await changesSince(env, whose, basis.shard, to);
  const present = { settings: mergePolicy(basis.userPolicy, basis.overrides), suspended: basis.suspended };
  const waiting = basis.waiting.events.filter(({ at }) => at > to);
  const known = new Map([...since.events, ...waiting].map((event) => [event.id, event]));
  const events = [...story.events, ...[...known.values()].sort((a, b) => a.at - b.at)];
  const policies = policiesOf(present, events, { from, to });
  return since.isWhole
    ? policies
    : policies.map((inForce) => ({ ...inForce, unknownBecause: inForce.unknownBecause ?? TOO_MANY }));
}

const TOO_MANY = "too much has happened since to look through";

/** Those that came after this moment, oldest first. */
async function changesSince(
  env: Env,
  whose: Whose,
  shard: number,
  moment: number,
): Promise<{ readonly events: readonly PastEvent[]; readonly isWhole: boolean }> {
  const events: PastEvent[] = [];
  let before: Parameters<typeof readEvents>[1]["before"] = null;
  for (let page = 0; page < PAGES_AT_MOST; page++) {
    const { entries, next } = await readEvents(eventDatabases(env, shard), {
      ...whose,
      limit: EVENTS_PER_PAGE,
      before,
    });
    for (const { id, at, kind, detail } of entries) {
      if (Date.parse(at) + SECOND_MS - 1 <= moment) return { events: events.reverse(), isWhole: true };
      if (Date.parse(at) > moment) events.push({ id, at: Date.parse(at), kind, detail });
    }
    if (next === null) return { events: events.reverse(), isWhole: true };
    before = next;
  }
  return { events: events.reverse(), isWhole: false };
}
