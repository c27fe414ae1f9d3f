import type { DetailView } from "../../lifecycle/views/instance-view.ts";
import { refreshFleet } from "../fleet/fleet.ts";
import { capitalized, dateTime } from "../format.ts";
import { Copyable } from "../parts/copyable.tsx";
import { wakeInstance } from "../parts/wake.ts";
import { language, words } from "../words.ts";

/** Why the last wake failed, and what can be done now: only what is possible. */
export function WakeFailed({ instance, onDone }: { instance: DetailView; onDone: () => void }) {
  const { wake_failed: failed, provider } = instance;
  if (failed === null) return null;
  const { comingBack, wake, providers } = words.value;
  const onWake = async () => {
    await wakeInstance(instance);
    refreshFleet();
    onDone();
  };
  return (
    <section class="card wake-failed" aria-labelledby="wake-failed">
      <h2 id="wake-failed">{comingBack.wakeFailed}</h2>
      <p>
        {failed.because} <span class="faint">· {dateTime(failed.at, language.value)}</span>
      </p>
      {failed.may_start && <p>{comingBack.mayStart(providers[provider])}</p>}
      <ul>
        {failed.ways_on.map(({ way, how, request, command, page }) => (
          <li key={way}>
            <b>{comingBack.ways[way]}</b> {way === "wait" ? comingBack.mayBeFree : `${capitalized(how)}.`}
            {command !== null && <Copyable text={command} />}
            <div class="buttons">
              {request !== null && (
                <button type="button" onClick={onWake}>
                  {wake}
                </button>
              )}
              {page !== null && (
                <a href={page} target="_blank" rel="noreferrer">
                  {comingBack.openPage(providers[provider])}
                </a>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
