import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { money, price } from "../format.ts";
import { useLive } from "../poll.ts";
import { language, words } from "../words.ts";
import { type Group, summarize } from "./select.ts";

/** Savings change by the hour. */
const SAVINGS_PAUSE_MS = 5 * 60_000;

const TILES: readonly Group[] = ["active", "idle", "orphaned", "hibernated"];

/** The fleet in six figures; the first four also choose what the table shows. */
export function Summary({
  instances,
  group,
  onGroup,
}: {
  instances: readonly ShownView[];
  group: Group | null;
  onGroup: (group: Group | null) => void;
}) {
  const summary = summarize(instances);
  // A tile that would stand at zero for nearly everybody.
  const isUnstoppableShown = summary.unstoppable > 0 || group === "unstoppable";
  const tiles = isUnstoppableShown ? ([...TILES, "unstoppable"] as const) : TILES;
  const savings = useLive<{ in_all: { saved_this_month: number } }>("/api/agent/savings", SAVINGS_PAUSE_MS);
  return (
    <div class="tiles">
      {tiles.map((each) => (
        <button
          key={each}
          type="button"
          class={`tile ${each}`}
          aria-pressed={group === each}
          onClick={() => onGroup(group === each ? null : each)}
        >
          <span class="value">{summary[each]}</span>{" "}
          <span>{each === "unstoppable" ? words.value.instances.unstoppable : words.value[each]}</span>
          {each === "unstoppable" && summary.unstoppableAnHour > 0 && (
            <span class="wasted">{words.value.anHour(price(summary.unstoppableAnHour, language.value))}</span>
          )}
        </button>
      ))}
      <div class="tile">
        <span class="value">{price(summary.dollarsAnHour, language.value)}</span>{" "}
        <span>{words.value.spending}</span>
        {summary.wastedAnHour > 0 && (
          <span class="wasted">{words.value.wastedAnHour(price(summary.wastedAnHour, language.value))}</span>
        )}
      </div>
      <div class="tile">
        <span class="value">
          {savings.data === null ? "–" : money(savings.data.in_all.saved_this_month, language.value)}
        </span>{" "}
        <span>{words.value.savedThisMonth}</span>
      </div>
    </div>
  );
}
