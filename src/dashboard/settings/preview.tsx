import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { ShownPreset } from "../../lifecycle/model/presets.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import type { Upcoming } from "../../lifecycle/views/upcoming.ts";
import { dayAndTime } from "../format.ts";
import { NextStep } from "../parts/ticking.tsx";
import { language, words } from "../words.ts";

export interface PolicyPreview {
  readonly policy: Pick<PolicySettings, "mode">;
  readonly preset: ShownPreset;
  readonly lifecycle: ShownView["lifecycle"];
  /** What the clock alone would bring. */
  readonly schedule: readonly Upcoming[];
}

/** What would come next under a policy that is not saved. */
export function Preview({ of, isDraft }: { of: PolicyPreview; isDraft: boolean }) {
  const { policy, preset, lifecycle, schedule } = of;
  const { preview } = words.value.use;
  const { names } = words.value.policy.preset;
  return (
    <div class="preview" role="status">
      <p>
        <b>{preview.title}:</b> {lifecycle.next_step === null && preview.nothing}{" "}
        <NextStep lifecycle={lifecycle} />
      </p>
      <p class="faint">{lifecycle.because}</p>
      {schedule.length > 0 && (
        <ul>
          {schedule.slice(0, SWITCHES).map(({ at, what }) => (
            <li key={`${at} ${what}`}>
              <time dateTime={at}>{dayAndTime(at, language.value)}</time>: {preview.switches[what]}
            </li>
          ))}
        </ul>
      )}
      <p class="faint">
        {policy.mode === "observe" && preview.observed} {preview.preset(names[preset])}{" "}
        {isDraft && preview.notSaved}
      </p>
    </div>
  );
}

/** So many of them are told. */
const SWITCHES = 6;
