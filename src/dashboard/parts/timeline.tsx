import { useState } from "preact/hooks";
import { moneyIn } from "../../lifecycle/model/money.ts";
import { statementOf } from "../../lifecycle/model/say-money.ts";
import { instanceAddress } from "../address.ts";
import { ask } from "../api.ts";
import { dateTime } from "../format.ts";
import { asApiError, useLive } from "../poll.ts";
import { language, words } from "../words.ts";
import { errorText, say } from "./notice.tsx";

interface LifecycleEvent {
  readonly id: string;
  readonly at: string;
  readonly instance_id: string | null;
  readonly kind: string;
  readonly severity: "info" | "warning" | "critical";
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

interface Events {
  readonly events: readonly LifecycleEvent[];
  readonly next_cursor: string | null;
}

const PAUSE_MS = 5000;

/** What happened, newest first, each with its evidence; older ones on demand. `onWhy`: to ask what was seen at its moment. */
export function Timeline({
  path,
  withInstance,
  onWhy,
}: {
  path: string;
  withInstance: boolean;
  onWhy?: (at: string) => void;
}) {
  const newest = useLive<Events>(`${path}?limit=30`, PAUSE_MS);
  const [older, setOlder] = useState<Events | null>(null);
  if (newest.data === null) return <p class="faint">{words.value.loading}</p>;
  const shown = [...newest.data.events, ...(older?.events ?? [])];
  const seen = new Set<string>();
  const events = shown.filter((event) => {
    const key = keyOf(event);
    return !seen.has(key) && seen.add(key);
  });
  const cursor = (older ?? newest.data).next_cursor;
  const readOlder = async () => {
    try {
      const page = await ask<Events>("GET", `${path}?limit=100&cursor=${cursor}`);
      setOlder({ ...page, events: [...(older?.events ?? []), ...page.events] });
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  if (events.length === 0) return <p class="faint">{words.value.noEvents}</p>;
  return (
    <>
      <ol class="timeline">
        {events.map((event) => (
          <li key={keyOf(event)} class={event.severity}>
            <p id={idOf(event)}>
              <b>{words.value.event(event.kind)}</b>{" "}
              {withInstance && event.instance_id !== null && (
                <a href={instanceAddress(event.instance_id)}>{event.instance_id}</a>
              )}{" "}
              <time dateTime={event.at}>{dateTime(event.at, language.value)}</time>
            </p>
            <p>{event.message}</p>
            <Costs event={event} />
            <Evidence detail={event.detail} />
            {onWhy !== undefined && <WhyButton event={event} onWhy={onWhy} />}
          </li>
        ))}
      </ol>
      {cursor !== null && (
        <button type="button" onClick={readOlder}>
          {words.value.older}
        </button>
      )}
    </>
  );
}

/** What it is about stands above it. */
function WhyButton({ event, onWhy }: { event: LifecycleEvent; onWhy: (at: string) => void }) {
  return (
    <button type="button" class="small" aria-describedby={idOf(event)} onClick={() => onWhy(event.at)}>
      {words.value.whyThen}
    </button>
  );
}

function idOf({ id, instance_id }: LifecycleEvent): string {
  return `event-${instance_id}-${id}`;
}

/** What the machine cost then. */
function Costs({ event: { kind, detail } }: { event: LifecycleEvent }) {
  const statement = statementOf(kind, moneyIn(kind, detail));
  return statement === null ? null : <p class="faint">{words.value.money.ofEvent(statement)}</p>;
}

function Evidence({ detail }: { detail: LifecycleEvent["detail"] }) {
  const known = Object.entries(detail).filter(([, value]) => value !== null);
  if (known.length === 0) return null;
  return (
    <details>
      <summary>{words.value.evidence}</summary>
      <dl class="evidence">
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function keyOf(event: LifecycleEvent): string {
  return `${event.instance_id}/${event.id}`;
}
