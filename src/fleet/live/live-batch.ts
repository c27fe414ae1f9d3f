import { toIso } from "../../lifecycle/model/time.ts";
import type { Reader } from "../../lifecycle/model/words/said.ts";
import { eventView } from "../../lifecycle/views/event-view.ts";
import { standingsOf } from "../../providers/connections.ts";
import type { Fleet } from "../fleet.ts";
import type { Reading } from "../report.ts";
import { serviceGuard } from "../rules/state.ts";
import type { ListedRow } from "../tables/registry.ts";
import { wordsOf } from "../views/line-words.ts";
import { guardView, summaryView } from "../views/views.ts";
import { textOf } from "./connection.ts";
import type { LiveMessage, SummaryView } from "./messages.ts";

/** What a live connection is sent next, by where it stands. */

const ROWS_PER_MESSAGE = 200;
const EVENTS_PER_MESSAGE = 200;

export interface LivePosition {
  /** All changes up to this revision of the fleet were sent; during a snapshot, the revision at which it began. */
  readonly revision: number;
  /** The snapshot goes on after this id, at first the empty one; null once it is complete. */
  readonly snapshotAfter: string | null;
  /** The guards as they were last sent; empty before that. */
  readonly guards: string;
}

/** Where a connection stands, and for whom what it carries is worded. */
interface Watching extends LivePosition, Reader {}

export interface Batch {
  readonly messages: readonly string[];
  /** Where the connection stands once it has got them. */
  readonly position: LivePosition;
}

/** Where a new connection stands: where a former one ended, if all that was missed since is known, else at the beginning. */
export function startingPosition(fleet: Fleet, since: number | null): LivePosition {
  const { state } = fleet;
  const canResume = since !== null && since >= resumableFrom(fleet) && since <= state.revision;
  return canResume
    ? { revision: since, snapshotAfter: null, guards: "" }
    : { revision: state.revision, snapshotAfter: "", guards: "" };
}

/** From this revision on all that was missed is known: before, some removals are forgotten, and rows show how connections stood then. */
function resumableFrom({ registry, state }: Fleet): number {
  return Math.max(registry.removalsKnownFrom, state.standings.changed);
}

/** Differs whenever there is something to push. */
export function versionOf(fleet: Fleet): string {
  return `${fleet.state.revision} ${guardsOf(fleet)}`;
}

function guardsOf({ state }: Fleet): string {
  const { state: user, service_wide } = guardView({ user: state.guard, service: serviceGuard(state) });
  return `${user} ${service_wide}`;
}

/** Connections that stand at the same place, and are told in the same words, share a batch. */
export function batchFor(
  position: Watching,
  fleet: Fleet,
  now: number,
  batches: Map<string, Batch | null>,
): Batch | null {
  const key = `${position.language} ${position.timeZone ?? "-"} ${position.revision} ${position.guards} ${position.snapshotAfter ?? "-"}`;
  const known = batches.get(key);
  if (known !== undefined) return known;
  const batch = nextBatch(position, fleet, now);
  batches.set(key, batch);
  return batch;
}

function nextBatch(
  { revision, snapshotAfter, guards, ...reader }: Watching,
  fleet: Fleet,
  now: number,
): Batch | null {
  const { state } = fleet;
  if (snapshotAfter !== null) return snapshotPage(revision, snapshotAfter, reader, fleet, now);
  if (revision === state.revision && guards === guardsOf(fleet)) return null;
  if (revision < resumableFrom(fleet)) return snapshotPage(state.revision, "", reader, fleet, now);
  return changesAfter(revision, reader, fleet, now);
}

function snapshotPage(revision: number, after: string, reader: Reader, fleet: Fleet, now: number): Batch {
  const { rows, end } = fleet.registry.list(after, ROWS_PER_MESSAGE);
  return {
    messages: [
      textOf({
        type: "snapshot",
        ...headOf(fleet, now),
        revision,
        rows: summariesOf(rows, fleet, reader),
        is_last: end === null,
      }),
    ],
    position: { revision, snapshotAfter: end, guards: guardsOf(fleet) },
  };
}

function summariesOf(rows: readonly ListedRow[], { connections }: Fleet, reader: Reader): SummaryView[] {
  const standings = standingsOf(connections.list());
  return rows.map((row) => summaryView(row, standings, reader));
}

/** Rows and events share the fleet's revisions: what lies beyond the first full page of either waits for the next batch. */
function changesAfter(revision: number, reader: Reader, fleet: Fleet, now: number): Batch {
  const { registry, state } = fleet;
  const changed = registry.changedAfter(revision, ROWS_PER_MESSAGE);
  const events = fleet.events.after(revision, EVENTS_PER_MESSAGE);
  const upTo = Math.min(changed.end ?? state.revision, events.end ?? state.revision);
  const eventsToTell = events.rows.filter(({ number }) => number <= upTo);
  const messages: LiveMessage[] = [
    ...(eventsToTell.length === 0
      ? []
      : [{ type: "events" as const, events: eventsToTell.map((event) => eventView(event, reader)) }]),
    {
      type: "rows",
      ...headOf(fleet, now),
      revision: upTo,
      rows: summariesOf(
        changed.rows.filter((row) => row.changed <= upTo),
        fleet,
        reader,
      ),
      removed: registry.removedAfter(revision),
    },
  ];
  return {
    messages: messages.map(textOf),
    position: { revision: upTo, snapshotAfter: null, guards: guardsOf(fleet) },
  };
}

function headOf({ state }: Fleet, now: number) {
  return {
    server_time: toIso(now),
    guard: guardView({ user: state.guard, service: serviceGuard(state) }),
    takes_sight: true,
  };
}

export function readingsText(
  readings: readonly Reading[],
  { connections }: Fleet,
  reader: Reader,
  now: number,
): string {
  const standings = standingsOf(connections.list());
  const rows = readings.map((each) =>
    summaryView({ ...each, words: wordsOf(each.words) }, standings, reader),
  );
  return textOf({ type: "readings", server_time: toIso(now), rows });
}
