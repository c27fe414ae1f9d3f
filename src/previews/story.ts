import type { Period } from "../fleet/rules/preview.ts";
import type { Unreadable } from "../instance/outcomes.ts";
import type { StoryBasis } from "../instance/story-basis.ts";
import { mergePolicy } from "../lifecycle/model/policy-settings.ts";
import { SECOND_MS } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";
import { answerOr } from "../platform/former-object.ts";
import { within } from "../platform/within.ts";
import type { Story } from "../replay/story.ts";

/** The past of one instance, put together from what it knows itself and what the history keeps. */

export type StoryFound =
  | { readonly outcome: "found"; readonly story: Story; readonly basis: StoryBasis }
  | { readonly outcome: "removed" | "unreadable" };

/** Its object runs the former release, which does not know the question. */
const FORMER = "former";

type Answer = StoryBasis | Unreadable | typeof FORMER | null;

/** Whoever does not answer for so long is out of reach. */
const ANSWER_LIMIT_MS = 10 * SECOND_MS;

/** More than ever wait for the history. */
const WAITING_AT_MOST = 20_000;

/** Throws where its object or its database is out of reach. */
export async function storyOf(
  env: Env,
  userId: string,
  instanceId: string,
  { from, to }: Period,
): Promise<StoryFound> {
  const range = { from, before: { at: to, sequence: Number.MAX_SAFE_INTEGER }, limit: WAITING_AT_MOST };
  const asked = answerOr<Answer>(actorOf(env, userId, instanceId).storyBasis(range), FORMER);
  const basis = await within(ANSWER_LIMIT_MS, asked);
  if (basis === FORMER) throw new Error("its object runs the former release");
  if (basis === null) return { outcome: "removed" };
  if ("outcome" in basis) return { outcome: "unreadable" };
  const settings = mergePolicy(basis.userPolicy, basis.overrides);
  const story: Story = {
    instanceId,
    profile: basis.profile,
    hasGpu: basis.hasGpu,
    from: Math.max(from, Math.min(basis.profile.registeredAt, to)),
    to,
    readings: basis.waiting.filter(({ at }) => at >= from && at <= to),
    hours: [],
    events: [],
    policies: [{ from, settings, unknownBecause: null }],
    guardClosed: [],
  };
  return { outcome: "found", story, basis };
}
