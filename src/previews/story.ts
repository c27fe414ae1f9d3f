import { type Past, readPast } from "../history/past.ts";
import { eventDatabases, historyOf } from "../history/shards.ts";
import type { Unreadable } from "../instance/outcomes.ts";
import type { StoryBasis } from "../instance/story-basis.ts";
import { mergePolicy } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { within } from "../platform/within.ts";
import { policiesOf } from "../replay/policies.ts";
import type { Span, Story } from "../replay/story.ts";

/** The past of one instance, put together from what it knows itself and what the history keeps. */

export type StoryFound =
  | { readonly outcome: "found"; readonly story: Story; readonly basis: StoryBasis }
  | { readonly outcome: "removed" | "unreadable" };

/** The history of an instance can't be read now. */
export class HistoryOutOfReach extends Error {}

/** Its object runs the former release, which does not know the question. */
export class FormerObject extends Error {}

const FORMER = "former";

type Answer = StoryBasis | Unreadable | typeof FORMER | null;

/** Whoever does not answer for so long is out of reach. */
const ANSWER_LIMIT_MS = 10 * SECOND_MS;
const HISTORY_LIMIT_MS = 15 * SECOND_MS;

/** More than ever wait for the history. */
const WAITING_AT_MOST = 20_000;

/**
 * `guardClosed`: when the user's outage guard held steps back. Throws where its object is out of reach, and `HistoryOutOfReach`
 * where a database is.
 */
export async function storyOf(
  env: Env,
  userId: string,
  instanceId: string,
  { from, to }: Span,
  guardClosed: readonly Span[],
): Promise<StoryFound> {
  const range = { from, before: { at: to, sequence: Number.MAX_SAFE_INTEGER }, limit: WAITING_AT_MOST };
  const asked = answerOr<Answer>(actorOf(env, userId, instanceId).storyBasis(range), FORMER);
  const basis = await within(ANSWER_LIMIT_MS, asked);
  if (basis === FORMER) throw new FormerObject("its object runs the former release");
  if (basis === null) return { outcome: "removed" };
  if ("outcome" in basis) return { outcome: "unreadable" };
  const { profile, hasGpu } = basis;
  const past = await pastOf(env, userId, instanceId, basis, { from, to });
  const settings = mergePolicy(basis.userPolicy, basis.overrides);
  const story: Story = {
    instanceId,
    profile,
    hasGpu,
    from: past.from,
    to,
    readings: past.readings,
    hours: past.hours,
    events: past.events,
    policies: policiesOf({ settings, suspended: basis.suspended }, past.events, { from: past.from, to }),
    guardClosed,
  };
  return { outcome: "found", story, basis };
}

async function pastOf(
  env: Env,
  userId: string,
  instanceId: string,
  { shard, hasGpu, waiting }: StoryBasis,
  { from, to }: Span,
): Promise<Past> {
  try {
    const range = { userId, instanceId, hasGpu, from, to };
    const places = { heartbeats: historyOf(env, shard), events: eventDatabases(env, shard) };
    return await within(HISTORY_LIMIT_MS, readPast(places, range, waiting));
  } catch (error) {
    throw new HistoryOutOfReach("its history is out of reach", { cause: error });
  }
}
