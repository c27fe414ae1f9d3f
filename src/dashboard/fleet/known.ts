import type { LiveMessage, SummaryView } from "../../fleet/live/messages.ts";
import { controlOf } from "../../lifecycle/views/control.ts";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";

/** What the page knows of the fleet, and how messages and answers change it. Pure. */

/** An instance whose stored state the service cannot read. */
export interface Unreadable {
  readonly instance_id: string;
  readonly error: { readonly code: "unreadable"; readonly message: string };
}

/** `asOf`: the service's time at which it was so, in ms. */
interface Entry {
  readonly asOf: number;
  readonly instance: ShownView | Unreadable;
}

type Entries = ReadonlyMap<string, Entry>;

export interface Known {
  /** Null before the whole fleet has come for the first time. */
  readonly entries: Entries | null;
  /** A snapshot of which some pages are still on their way. */
  readonly arriving: Entries | null;
  /** Everything up to this revision has come over a connection; null before that. */
  readonly revision: number | null;
  readonly guardClosed: boolean;
}

/** What a list of instances is answered with. */
export interface Page {
  readonly server_time: string;
  readonly instances: readonly (ShownView | SummaryView | Unreadable)[];
  readonly next_cursor: string | null;
  readonly guard: { readonly state: "open" | "closed"; readonly service_wide: "open" | "closed" };
}

export const NOTHING_KNOWN: Known = { entries: null, arriving: null, revision: null, guardClosed: false };

/** A new connection begins its snapshot from the start. */
export function beginConnection(known: Known): Known {
  return { ...known, arriving: null };
}

export function receive(known: Known, message: LiveMessage): Known {
  switch (message.type) {
    case "snapshot": {
      const { revision, rows, is_last, guard } = message;
      const guardClosed = isClosed(guard);
      const arriving = withNewer(known.arriving ?? new Map(), rows.map(entryOf));
      if (!is_last) return { ...known, arriving, guardClosed };
      return { entries: keepNewer(known.entries, arriving), arriving: null, revision, guardClosed };
    }
    case "rows": {
      const { revision, rows, removed, guard } = message;
      const entries = new Map(known.entries);
      for (const id of removed) entries.delete(id);
      return {
        ...known,
        entries: withNewer(entries, rows.map(entryOf)),
        revision,
        guardClosed: isClosed(guard),
      };
    }
    case "readings":
      return withKnown(
        known,
        message.rows.map((row) => entryOf(row)),
      );
    case "events":
    case "confirm":
      return known;
  }
}

/** The whole list, for want of a connection. */
export function replaceAll(known: Known, pages: readonly Page[]): Known {
  const all = pages.flatMap(({ server_time, instances }) =>
    instances.map((each) => entryOf(each, server_time)),
  );
  return {
    ...known,
    entries: keepNewer(known.entries, withNewer(new Map(), all)),
    guardClosed: pages.some(({ guard }) => isClosed(guard)),
  };
}

/** Some instances as they are right now. */
export function refresh(known: Known, { server_time, instances }: Page): Known {
  return withKnown(
    known,
    instances.map((instance) => entryOf(instance, server_time)),
  );
}

/** One that the page does not know has been removed meanwhile. */
function withKnown(known: Known, fresh: readonly Entry[]): Known {
  const { entries } = known;
  if (entries === null) return known;
  return {
    ...known,
    entries: withNewer(
      entries,
      fresh.filter(({ instance }) => entries.has(instance.instance_id)),
    ),
  };
}

/** Of the first snapshot as far as it has come. */
export function readable({ entries, arriving }: Known): ShownView[] {
  const known: ShownView[] = [];
  for (const { instance } of (entries ?? arriving)?.values() ?? []) {
    if (!("error" in instance)) known.push(instance);
  }
  return known;
}

export function unreadable({ entries, arriving }: Known): Unreadable[] {
  const known: Unreadable[] = [];
  for (const { instance } of (entries ?? arriving)?.values() ?? []) {
    if ("error" in instance) known.push(instance);
  }
  return known;
}

function withNewer(entries: Entries, fresh: readonly Entry[]): Entries {
  const next = new Map(entries);
  for (const entry of fresh) {
    const { instance_id } = entry.instance;
    const former = next.get(instance_id);
    if (former === undefined || entry.asOf >= former.asOf) next.set(instance_id, entry);
  }
  return next;
}

/** The instances of `whole`, each as it was last: what was asked of a single one may be newer. */
function keepNewer(former: Entries | null, whole: Entries): Entries {
  const still = [...(former?.values() ?? [])].flatMap((known) => {
    const entry = whole.get(known.instance.instance_id);
    return entry !== undefined && known.asOf > entry.asOf ? [withControl(known, entry)] : [];
  });
  return withNewer(whole, still);
}

/** What can be done about an instance is newer in `whole`: a connection may stand otherwise since, though nothing has happened to it. */
function withControl({ asOf, instance }: Entry, { instance: latest }: Entry): Entry {
  if ("error" in instance || "error" in latest || instance.status !== latest.status)
    return { asOf, instance };
  return { asOf, instance: { ...instance, control: latest.control, lifecycle: latest.lifecycle } };
}

/** `now`: as of when it is, where it does not say so itself. */
function entryOf(instance: SummaryView): Entry;
function entryOf(instance: ShownView | SummaryView | Unreadable, now: string): Entry;
function entryOf(instance: ShownView | SummaryView | Unreadable, now?: string): Entry {
  if (!("as_of" in instance)) return { asOf: Date.parse(now ?? ""), instance: complete(instance) };
  const { as_of, ...view } = instance;
  return { asOf: Date.parse(as_of), instance: complete(view) };
}

/** A fleet of the former release knows no tags, nor what can be done about an instance. */
function complete<Instance extends ShownView | Unreadable>(instance: Instance): Instance {
  if ("error" in instance) return instance;
  const { tags = {}, control = controlOf(instance, "active") }: Partial<ShownView> = instance;
  return { ...instance, tags, control };
}

function isClosed({ state, service_wide }: Page["guard"]): boolean {
  return state === "closed" || service_wide === "closed";
}
