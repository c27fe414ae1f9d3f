import { useEffect, useState } from "preact/hooks";
import { settingsAddress } from "../address.ts";
import { eventsHeard } from "../fleet/fleet.ts";
import { useLive } from "../poll.ts";
import { changeQuery, query } from "../route.ts";
import { may } from "../session.ts";
import { words } from "../words.ts";
import { AcknowledgeBar } from "./acknowledge-bar.tsx";
import { AlertEntry } from "./alert-entry.tsx";
import "./alerts.css";
import type { AlertsAnswer, Severity } from "./answers.ts";
import { History } from "./history.tsx";
import { Snoozes } from "./snoozes.tsx";
import { alertWords } from "./words.ts";

/** What is wrong comes over the live connection. Without one it is asked for now and then. */
const PAUSE_MS = 300_000;

const SEVERITIES = ["critical", "warning", "info"] as const satisfies readonly Severity[];

/** What its owner was told of: what still needs an eye, and what was before. */
export function AlertsPage() {
  const severity = SEVERITIES.find((each) => each === query.value.get("severity")) ?? null;
  const instance = query.value.get("instance");
  const filter = new URLSearchParams({
    ...(severity === null ? {} : { severity }),
    ...(instance === null || instance === "" ? {} : { instance_id: instance }),
  }).toString();
  const { data, refresh } = useLive<AlertsAnswer>(`/api/agent/alerts?${filter}`, PAUSE_MS);
  const heard = eventsHeard.value;
  useEffect(() => {
    if (heard > 0) refresh();
  }, [heard]);
  const said = alertWords.value;
  return (
    <div class="alerts">
      <div class="head">
        <h1>{said.title}</h1>
        <a href={settingsAddress("channels")}>{said.whereTold}</a>
      </div>
      <Filter severity={severity} instance={instance} />
      {data === null ? (
        <p class="faint">{words.value.loading}</p>
      ) : (
        <>
          <Open answer={data} onChange={refresh} />
          <Snoozes snoozes={data.snoozes} onChange={refresh} />
          <History key={filter} filter={filter} newest={data} />
        </>
      )}
    </div>
  );
}

function Filter({ severity, instance }: { severity: Severity | null; instance: string | null }) {
  const said = alertWords.value;
  return (
    <div class="filter">
      <label>
        <span class="unseen">{said.filterSeverity}</span>
        <select
          value={severity ?? ""}
          onChange={({ currentTarget }) => changeQuery({ severity: currentTarget.value || null })}
        >
          <option value="">{said.anySeverity}</option>
          {SEVERITIES.map((each) => (
            <option key={each} value={each}>
              {said.severity[each]}
            </option>
          ))}
        </select>
      </label>
      {instance !== null && instance !== "" && (
        <>
          <span>{said.onlyInstance(instance)}</span>
          <button type="button" class="small" onClick={() => changeQuery({ instance: null })}>
            {said.allInstances}
          </button>
        </>
      )}
    </div>
  );
}

function Open({ answer, onChange }: { answer: AlertsAnswer; onChange: () => void }) {
  const { needsAnEye, nothingOpen, counts, moreOpen } = alertWords.value;
  const { open, open_count, unacknowledged_count } = answer;
  const isFiltered = query.value.has("severity") || query.value.has("instance");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const unseen = open.filter(({ status }) => status === "open");
  const choose = (id: string) =>
    setChosen(new Set(chosen.has(id) ? [...chosen].filter((each) => each !== id) : [...chosen, id]));
  return (
    <section class="card" aria-labelledby="open-alerts">
      <h2 id="open-alerts">{needsAnEye}</h2>
      <p class="faint">{counts(open_count, unacknowledged_count)}</p>
      {open.length === 0 && open_count > 0 && <p>{nothingOpen}</p>}
      {may("operator") && unseen.length > 1 && (
        <AcknowledgeBar open={unseen} chosen={chosen} onChoose={setChosen} onChange={onChange} />
      )}
      <ul class="entries">
        {open.map((alert) => (
          <AlertEntry
            key={alert.id}
            alert={alert}
            onChange={onChange}
            {...(unseen.length > 1 && { isChosen: chosen.has(alert.id), onChoose: () => choose(alert.id) })}
          />
        ))}
      </ul>
      {!isFiltered && open_count > open.length && <p class="faint">{moreOpen(open_count - open.length)}</p>}
    </section>
  );
}
