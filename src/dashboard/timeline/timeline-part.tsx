import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, poll } from "../api.ts";
import { connection, fleet } from "../fleet/fleet.ts";
import { dateTime } from "../format.ts";
import { errorText, say } from "../parts/notice.tsx";
import { asApiError, useRepeated } from "../poll.ts";
import { query } from "../route.ts";
import { language, words } from "../words.ts";
import { keyOf, type LifecycleEvent } from "./event.ts";
import { EventLine, InstanceLink } from "./event-line.tsx";
import { filterIn, filterQuery } from "./filter.ts";
import { FilterBar } from "./filter-bar.tsx";
import { type Entry, folded } from "./fold.ts";
import { timelineWords } from "./words.ts";
import "./timeline.css";

interface Events {
  readonly events: readonly LifecycleEvent[];
  readonly next_cursor: string | null;
}

interface Props {
  readonly path: string;
  readonly withInstance: boolean;
  /** To ask what was seen at its moment. */
  readonly onWhy?: (at: string) => void;
  /** Narrowed as the address says, which only the events of one instance can be. */
  readonly isFiltered?: boolean;
  /** So many of the newest, and no way to older ones. */
  readonly most?: number;
}

/** What happened, newest first, each with its evidence; older ones on demand. */
export function TimelinePart(props: Props) {
  const filter = filterIn(query.value);
  const asked = props.isFiltered ? filterQuery(filter) : "";
  return (
    <>
      {props.isFiltered && <FilterBar filter={filter} />}
      <List key={`${props.path}${asked}`} {...props} asked={asked} />
    </>
  );
}

const FIRST_PAGE = 50;

function List({ path, withInstance, onWhy, asked, most }: Props & { asked: string }) {
  const newest = useNewest(`${path}?limit=${most ?? FIRST_PAGE}${asked}`);
  const [older, setOlder] = useState<Events | null>(null);
  if (newest === null) return <p class="faint">{words.value.loading}</p>;
  const each = new Map([...newest.events, ...(older?.events ?? [])].map((event) => [keyOf(event), event]));
  const events = [...each.values()].slice(0, most);
  const cursor = most === undefined ? (older ?? newest).next_cursor : null;
  const readOlder = async () => {
    try {
      const page = await ask<Events>("GET", `${path}?limit=100&cursor=${cursor}${asked}`);
      setOlder({ ...page, events: [...(older?.events ?? []), ...page.events] });
    } catch (error) {
      say(errorText(asApiError(error)), true);
    }
  };
  if (events.length === 0) {
    return <p class="faint">{asked === "" ? words.value.noEvents : timelineWords.value.nothing}</p>;
  }
  return (
    <>
      <ol class="timeline">
        {folded(events).map((entry) => (
          <Line key={keyOfEntry(entry)} entry={entry} withInstance={withInstance} onWhy={onWhy} />
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

/** The oldest of a run stays the same while new ones come. */
function keyOfEntry(entry: Entry): string {
  const event = entry.is === "one" ? entry.event : entry.events.at(-1);
  return event === undefined ? "" : keyOf(event);
}

function Line({
  entry,
  withInstance,
  onWhy,
}: {
  entry: Entry;
  withInstance: boolean;
  onWhy: Props["onWhy"];
}) {
  if (entry.is === "one") return <EventLine event={entry.event} withInstance={withInstance} onWhy={onWhy} />;
  return <Turns entry={entry} withInstance={withInstance} onWhy={onWhy} />;
}

/** What only repeats itself, in one line. */
function Turns({
  entry: { kinds, times, events },
  withInstance,
  onWhy,
}: {
  entry: Extract<Entry, { is: "turns" }>;
  withInstance: boolean;
  onWhy: Props["onWhy"];
}) {
  const [isOpen, setOpen] = useState(false);
  const { times: repeated, folded: said, each } = timelineWords.value;
  const [newest, oldest] = [events[0], events.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const worst = events.some(({ severity }) => severity === "warning") ? "warning" : "info";
  const names = kinds.map((kind) => words.value.event(kind)).join(kinds.length === 2 ? " ↔ " : " → ");
  return (
    <li class={worst}>
      <p>
        <b>
          {names} {repeated(times)}
        </b>{" "}
        <InstanceLink event={newest} isShown={withInstance} />
      </p>
      <p class="faint">
        {said(times, dateTime(oldest.at, language.value), dateTime(newest.at, language.value))}
      </p>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>{each}</summary>
        {isOpen && (
          <ol class="timeline">
            {events.map((event) => (
              <EventLine key={keyOf(event)} event={event} withInstance={withInstance} onWhy={onWhy} />
            ))}
          </ol>
        )}
      </details>
    </li>
  );
}

/** What is told elsewhere of a change may stand here a little later. */
const SOON_PAUSE_MS = 3000;
const SOON_MS = 30_000;
const CALM_PAUSE_MS = 60_000;
const UNPUSHED_PAUSE_MS = 5000;

/** The newest, read again when something is pushed and for a little while after that. */
function useNewest(path: string): Events | null {
  const pushedAt = useRef(Date.now());
  const live = useRepeated<Events>(
    path,
    () => {
      let tag: string | null = null;
      return async () => {
        const answer = await poll<Events>(path, tag);
        if (answer === null) return null;
        tag = answer.tag;
        return answer.body;
      };
    },
    () => {
      if (connection.peek() !== "connected") return UNPUSHED_PAUSE_MS;
      return Date.now() - pushedAt.current < SOON_MS ? SOON_PAUSE_MS : CALM_PAUSE_MS;
    },
  );
  const refresh = useRef(live.refresh);
  refresh.current = live.refresh;
  useEffect(() => {
    let before = fleet.peek();
    return effect(() => {
      if (fleet.value === before) return;
      before = fleet.value;
      pushedAt.current = Date.now();
      refresh.current();
    });
  }, [path]);
  return live.data;
}
