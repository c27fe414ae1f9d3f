import type { Amount } from "../costs/answers.ts";
import { price } from "../format.ts";
import { changeQuery } from "../route.ts";
import { language, words } from "../words.ts";
import type { Group, summarize } from "./select.ts";
import { fleetWords } from "./words.ts";

const SHOWN: readonly Group[] = ["active", "idle", "orphaned", "hibernated"];

/** How many there are of each group. Each also chooses what the table shows. */
export function Groups({
  summary: { counts, unstoppableAnHour },
  all,
  group,
}: {
  summary: ReturnType<typeof summarize>;
  all: number;
  group: Group | null;
}) {
  const { groups, groupsLabel, all: everything } = fleetWords.value;
  // What stands at zero for nearly everybody is shown where it does not, or is what is looked at.
  const others = (["unstoppable"] as const).filter((each) => counts[each] > 0);
  const shown: readonly Group[] = [...new Set([...SHOWN, ...others, ...(group === null ? [] : [group])])];
  return (
    <fieldset class="groups">
      <legend class="hidden">{groupsLabel}</legend>
      <button type="button" aria-pressed={group === null} onClick={() => changeQuery({ group: null })}>
        {everything} <span class="value">{all}</span>
      </button>
      {shown.map((each) => (
        <button
          key={each}
          type="button"
          class={each}
          aria-pressed={group === each}
          onClick={() => changeQuery({ group: group === each ? null : each })}
        >
          {groups[each]} <span class={counts[each] === 0 ? "none" : "value"}>{counts[each]}</span>
          {each === "unstoppable" && <AnHour amount={unstoppableAnHour} />}
        </button>
      ))}
    </fieldset>
  );
}

function AnHour({ amount: { dollars, isMore } }: { amount: Amount }) {
  if (dollars === 0) return null;
  const { anHour, costs, unwatchedMachines } = words.value;
  if (dollars === null) return <span class="wasted"> · {unwatchedMachines.unknownPrice}</span>;
  const known = price(dollars, language.value);
  return <span class="wasted"> · {anHour(isMore ? costs.orMore(known) : known)}</span>;
}
