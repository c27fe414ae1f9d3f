import type { PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { ShownPreset } from "../../lifecycle/model/presets.ts";
import { nextChange } from "../../lifecycle/model/windows.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { now } from "../clock.ts";
import { dayAndTime } from "../format.ts";
import { NextStep } from "../parts/ticking.tsx";
import { language, words } from "../words.ts";

export interface PolicyPreview {
  readonly policy: PolicySettings;
  readonly preset: ShownPreset;
  readonly lifecycle: ShownView["lifecycle"];
}

/** What would come next under a policy that is not saved. */
export function Preview({ of, isDraft }: { of: PolicyPreview; isDraft: boolean }) {
  const { policy, preset, lifecycle } = of;
  const { preview } = words.value.use;
  const { names } = words.value.policy.preset;
  const switches = switchesOf(policy, now.peek());
  return (
    <div class="preview" role="status">
      <p>
        <b>{preview.title}:</b> {lifecycle.next_step === null && preview.nothing}{" "}
        <NextStep lifecycle={lifecycle} />
      </p>
      <p class="faint" lang="en">
        {lifecycle.because}
      </p>
      {switches.length > 0 && (
        <ul>
          {switches.map(({ at, text }) => (
            <li key={at}>
              <time dateTime={new Date(at).toISOString()}>
                {dayAndTime(new Date(at).toISOString(), language.value)}
              </time>
              {": "}
              {text}
            </li>
          ))}
        </ul>
      )}
      <p class="faint">
        {preview.preset(names[preset])} {isDraft && preview.notSaved}
      </p>
    </div>
  );
}

/** So many beginnings and ends of windows are told. */
const SWITCHES = 4;

interface Switch {
  readonly at: number;
  readonly text: string;
}

/** When the windows of a policy next begin and end. */
function switchesOf({ schedule, maintenance }: PolicySettings, nowMs: number): readonly Switch[] {
  const { awake, maintenance: maintained } = words.value.use.preview;
  return [
    ...changesOf(schedule.awake, schedule.timezone, nowMs, awake),
    ...changesOf(maintenance.windows, maintenance.timezone, nowMs, maintained),
  ]
    .sort((one, other) => one.at - other.at)
    .slice(0, SWITCHES);
}

function changesOf(
  windows: Parameters<typeof nextChange>[0],
  timezone: string,
  nowMs: number,
  said: { readonly begin: string; readonly end: string },
): readonly Switch[] {
  const switches: Switch[] = [];
  let after = nowMs;
  while (switches.length < SWITCHES) {
    const change = nextChange(windows, timezone, after);
    if (change === null) break;
    switches.push({ at: change.at, text: change.begins ? said.begin : said.end });
    after = change.at;
  }
  return switches;
}
