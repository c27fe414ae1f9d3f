import { useState } from "preact/hooks";
import { ask } from "../api.ts";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError } from "../poll.ts";
import { AlertEntry } from "./alert-entry.tsx";
import type { AlertAnswer, AlertsAnswer } from "./answers.ts";
import { alertWords } from "./words.ts";

/** All alerts of the last days, the newest first; older ones on demand. */
export function History({ filter, newest }: { filter: string; newest: AlertsAnswer }) {
  const [older, setOlder] = useState<Pick<AlertsAnswer, "alerts" | "next_cursor"> | null>(null);
  const { history, historyHint, noHistory, older: olderOnes } = alertWords.value;
  const alerts = unique([...newest.alerts, ...(older?.alerts ?? [])]);
  const cursor = (older ?? newest).next_cursor;
  const readOlder = async () => {
    try {
      const page = await ask<AlertsAnswer>("GET", `/api/agent/alerts?${filter}&cursor=${cursor}`);
      setOlder({ alerts: [...(older?.alerts ?? []), ...page.alerts], next_cursor: page.next_cursor });
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  return (
    <section class="card" aria-labelledby="past-alerts">
      <h2 id="past-alerts">{history}</h2>
      <p class="faint">{alerts.length === 0 && cursor === null ? noHistory : historyHint}</p>
      <ul class="entries">
        {alerts.map((alert) => (
          <AlertEntry key={alert.id} alert={alert} />
        ))}
      </ul>
      {cursor !== null && (
        <button type="button" onClick={() => void readOlder()}>
          {olderOnes}
        </button>
      )}
    </section>
  );
}

function unique(alerts: readonly AlertAnswer[]): AlertAnswer[] {
  return [...new Map(alerts.map((alert) => [alert.id, alert])).values()];
}
