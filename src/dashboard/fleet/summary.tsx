import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import type { Amount } from "../costs/answers.ts";
import { price } from "../format.ts";
import { language, words } from "../words.ts";
import { type Group, summarize } from "./select.ts";

const TILES: readonly Group[] = ["active", "idle", "orphaned", "hibernated"];

/** The fleet in a few figures, each of which also chooses what the table shows. */
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
          {each === "unstoppable" && <AnHour amount={summary.unstoppableAnHour} />}
        </button>
      ))}
    </div>
  );
}

function AnHour({ amount: { dollars, isMore } }: { amount: Amount }) {
  if (dollars === 0) return null;
  const { anHour, costs, unwatchedMachines } = words.value;
  if (dollars === null) return <span class="wasted">{unwatchedMachines.unknownPrice}</span>;
  const known = price(dollars, language.value);
  return <span class="wasted">{anHour(isMore ? costs.orMore(known) : known)}</span>;
}
