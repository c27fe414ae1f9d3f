import type { KeptProposal, PreviewLine, PreviewRequest } from "../fleet/rules/preview.ts";
import { eachCompared } from "../fleet/rules/preview.ts";
import type { StoryBasis } from "../instance/story-basis.ts";
import { compilePolicy } from "../lifecycle/model/policy.ts";
import {
  mergePolicy,
  type PolicyOverrides,
  type PolicySettings,
} from "../lifecycle/model/policy-settings.ts";
import type { Preset } from "../lifecycle/model/presets.ts";
import { comparisonOf, withPreset } from "../replay/compare.ts";
import { frontierOf } from "../replay/frontier.ts";
import { proposalOf } from "../replay/proposal.ts";
import { type Frontier, type IdleSetting, NO_FRONTIER, presentSetting } from "../replay/proposal-points.ts";
import { MOST_TURNS, replay, type Turns } from "../replay/replay.ts";
import type { Story } from "../replay/story.ts";

/** What becomes of an instance's past in a preview. Pure. */

type Levels = Pick<StoryBasis, "userPolicy" | "overrides">;
type Asked = Pick<PreviewRequest, "policy" | "instancePolicy" | "wantsProposal">;

/**
 * Replays it by the candidate and by all that stands beside it. `overrides`: its own, unless `instancePolicy` takes their place. Throws
 * where that takes too much.
 */
export function lineOf(
  story: Story,
  { userPolicy, overrides }: Levels,
  { policy, instancePolicy, wantsProposal }: Asked,
  speed: number,
  turns: Turns = { left: MOST_TURNS },
): PreviewLine {
  const own = instancePolicy ?? overrides;
  const candidate = mergePolicy(policy, own);
  const byPreset = instancePolicy === null ? presetsBeneath({ userPolicy, overrides }) : null;
  const comparison = comparisonOf(story, candidate, { speed, turns }, byPreset);
  // What stands in place of its own overrides is what is tried: of that, a proposal may change all.
  const fixed = instancePolicy === null ? overrides : {};
  const frontier = wantsProposal
    ? frontierOfInstance(story, candidate, fixed, { speed, turns })
    : NO_FRONTIER;
  return {
    instanceId: story.instanceId,
    name: story.profile.name,
    tags: story.profile.tags ?? {},
    outcomes: eachCompared((of) => comparison[of].outcome),
    interruptions: comparison.candidate.interruptions,
    basis: comparison.candidate.basis,
    frontier,
    proposal: keptProposal(frontier, presentSetting(mergePolicy(userPolicy, overrides), candidate)),
  };
}

function frontierOfInstance(
  story: Story,
  settings: PolicySettings,
  { mode, idle }: PolicyOverrides,
  { speed, turns }: { readonly speed: number; readonly turns: Turns },
): Frontier {
  const own = {
    threshold: idle?.threshold_percent !== undefined,
    window: idle?.hibernate_after_seconds !== undefined,
    mode: mode !== undefined,
    idleness: idle?.enabled !== undefined,
  };
  return frontierOf(
    story,
    { settings, own },
    {
      compile: (tried) => compilePolicy(tried, speed),
      replay: (past, tried) => replay(past, tried, { speed, turns }),
      speed,
    },
  );
}

/** What the instance goes by where its user sets a preset, and lets it act: its own overrides stand all the same. */
function presetsBeneath({ userPolicy, overrides }: Levels): (preset: Preset) => PolicySettings {
  return (preset) => mergePolicy(withPreset(mergePolicy(userPolicy), preset), overrides);
}

function keptProposal(frontier: Frontier, present: IdleSetting | null): KeptProposal | null {
  const proposal = proposalOf(frontier, present);
  if (proposal === null) return null;
  const { says, proposed, measure } = proposal;
  return { says, proposed, measure };
}
