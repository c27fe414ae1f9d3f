import { useRef } from "preact/hooks";
import { instanceAddress } from "../address.ts";
import { ask } from "../api.ts";
import { dayAndTime } from "../format.ts";
import { doAndSay } from "../parts/notice.tsx";
import { may } from "../session.ts";
import { language } from "../words.ts";
import type { SnoozeAnswer } from "./answers.ts";
import { alertWords } from "./words.ts";

const HOURS = [1, 4, 24, 168] as const;

const HOUR_MS = 3_600_000;
/** A week is the longest that the service takes, by its own clock. */
const SPARE_MS = 60_000;

const pathOf = (instanceId: string) => `/api/agent/alerts/snoozes/${encodeURIComponent(instanceId)}`;

/** For how long only critical alerts of an instance are to be told. */
export function SnoozeMenu({
  instanceId,
  name,
  onChange,
}: {
  instanceId: string;
  name: string;
  onChange: () => void;
}) {
  const menu = useRef<HTMLDetailsElement>(null);
  const said = alertWords.value;
  const snooze = async (hours: number) => {
    if (menu.current !== null) menu.current.open = false;
    const until = new Date(Date.now() + hours * HOUR_MS - (hours === 168 ? SPARE_MS : 0)).toISOString();
    await doAndSay(
      () => ask("PUT", pathOf(instanceId), { until }),
      () => said.nowSnoozed(dayAndTime(until, language.value)),
    );
    onChange();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || menu.current === null) return;
    menu.current.open = false;
    menu.current.querySelector("summary")?.focus();
  };
  return (
    <details class="snooze" ref={menu} onKeyDown={onKeyDown}>
      <summary aria-label={said.of(said.snooze, name)}>{said.snooze}</summary>
      <div>
        <p class="faint">{said.snoozeHint}</p>
        {HOURS.map((hours) => (
          <button key={hours} type="button" onClick={() => void snooze(hours)}>
            {said.snoozeFor[hours]}
          </button>
        ))}
      </div>
    </details>
  );
}

/** Instances of which only critical alerts are told for now. */
export function Snoozes({ snoozes, onChange }: { snoozes: readonly SnoozeAnswer[]; onChange: () => void }) {
  const said = alertWords.value;
  if (snoozes.length === 0) return null;
  const end = async (instanceId: string) => {
    await doAndSay(
      () => ask("DELETE", pathOf(instanceId)),
      () => said.nowTold,
    );
    onChange();
  };
  return (
    <section class="card" aria-labelledby="snoozed">
      <h2 id="snoozed">{said.snoozed}</h2>
      <ul class="entries">
        {snoozes.map(({ instance_id, until, by }) => (
          <li key={instance_id} class="snoozed">
            <span>
              <a href={instanceAddress(instance_id)}>{instance_id}</a>{" "}
              <span class="faint">{said.snoozedBy(by, dayAndTime(until, language.value))}</span>
            </span>
            {may("operator") && (
              <button
                type="button"
                aria-label={said.of(said.endSnooze, instance_id)}
                onClick={() => void end(instance_id)}
              >
                {said.endSnooze}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
