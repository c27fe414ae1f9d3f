import { instanceAddress } from "../address.ts";
import { number } from "../format.ts";
import { language } from "../words.ts";
import { hoursText } from "./amounts.ts";
import type { PolicyReplay } from "./answers.ts";
import { isSeen } from "./times.ts";
import { replayWords } from "./words.ts";

/** What the figures rest on, and what they leave out. */
export function BasisOf({ preview }: { preview: PolicyReplay }) {
  const { basis: said } = replayWords.value;
  const { basis, skipped, instances } = preview;
  const count = (value: number) => number(value, language.value, 0);
  return (
    <>
      <h4>{said.title}</h4>
      <ul class="reasons">
        <li>{said.readings(basis.readings, count(basis.readings))}</li>
        {isSeen(basis.coarse_hours) && <li>{said.coarse(hoursText(basis.coarse_hours))}</li>}
        {isSeen(basis.assumed_idle_hours) && <li>{said.assumed(hoursText(basis.assumed_idle_hours))}</li>}
        {basis.readings_without_use > 0 && (
          <li>{said.withoutUse(basis.readings_without_use, count(basis.readings_without_use))}</li>
        )}
        <li>{said.model}</li>
      </ul>
      {instances.skipped > 0 && (
        <>
          <p>{said.skipped(instances.skipped)}</p>
          <ul class="reasons">
            {skipped.map(({ instance_id, because }) => (
              <li key={instance_id}>
                <a href={instanceAddress(instance_id)}>{instance_id}</a>: {reasonText(because)}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** Never the code itself. */
function reasonText(because: string): string {
  const { skippedBecause, skippedElse } = replayWords.value.basis;
  return Object.hasOwn(skippedBecause, because) ? (skippedBecause[because] ?? skippedElse) : skippedElse;
}
