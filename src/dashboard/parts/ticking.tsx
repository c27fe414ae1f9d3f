import type { Explanation } from "../../lifecycle/views/explained-step.ts";
import { now } from "../clock.ts";
import { countdown, duration } from "../format.ts";
import { words } from "../words.ts";

/** The words that change each second. Each reads the clock itself, so nothing else is drawn anew. */

export function Ago({ at }: { at: string | null }) {
  if (at === null) return <>{words.value.never}</>;
  return <>{words.value.ago(duration((now.value - Date.parse(at)) / 1000))}</>;
}

export function NextStep({ lifecycle }: { lifecycle: Explanation }) {
  const { next_step, at, blocked_by } = lifecycle;
  const { stepIn, stepDue, block } = words.value;
  const blocked = blocked_by === null ? null : <span class="blocked">{block[blocked_by]}</span>;
  if (next_step === null || at === null) return blocked;
  const seconds = (Date.parse(at) - now.value) / 1000;
  return (
    <>
      <span class={`step ${blocked_by === null ? next_step : ""}`}>
        {seconds > 0 ? stepIn(next_step, countdown(seconds)) : stepDue(next_step)}
      </span>
      {blocked}
    </>
  );
}
