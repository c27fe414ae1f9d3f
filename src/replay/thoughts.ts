import type { Heartbeat } from "../lifecycle/model/heartbeat.ts";
import type { Policy } from "../lifecycle/model/policy.ts";
import type { InstanceState } from "../lifecycle/model/state.ts";
import { evidenceOfKept } from "../lifecycle/model/use.ts";
import { type Judgement, judge } from "../lifecycle/rules/use.ts";
import { type Retraced, type RetraceOptions, retrace } from "./retrace.ts";
import type { Story } from "./story.ts";

/** What the policy saw in a reading, and thought of it. */
export interface Thought {
  readonly reading: Heartbeat;
  /** With those that came late: how many came with it. */
  readonly late: number;
  /** How the instance stood once it was heard. */
  readonly state: InstanceState;
  readonly policy: Policy;
  readonly judgement: Judgement;
}

/** What was thought up to a moment. */
export interface Thoughts {
  /** Oldest first: the last ones before the moment. */
  readonly thoughts: readonly Thought[];
  /** How it stood at that moment, and whether the events up to then are what the policies made of it. */
  readonly retraced: Retraced;
}

/** The story retraced up to `at`, and what was thought of the last readings before: of `count` at most. */
export function retraceUntil(
  story: Story,
  at: number,
  count = 60,
  options: Pick<RetraceOptions, "policyOf"> = {},
): Thoughts {
  const thoughts: Thought[] = [];
  const retraced = retrace(story, {
    ...options,
    until: at,
    onHeard: ({ reading, late }, { state, policy }) => {
      const judgement = judge(evidenceOfKept(reading), policy, state.agent.hasGpu);
      thoughts.push({ reading, late: late.length, state, policy, judgement });
      if (thoughts.length > count) thoughts.shift();
    },
  });
  return { thoughts, retraced };
}
