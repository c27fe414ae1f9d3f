import { effect, signal } from "@preact/signals";
import type { ShownView } from "../../lifecycle/views/instance-view.ts";
import { type Polled, poll } from "../api.ts";
import { type ApiError, asApiError } from "../api-error.ts";
import { setServerTime } from "../clock.ts";
import { repeat } from "../poll.ts";
import { query, route } from "../route.ts";
import { forget, signedIn } from "../session.ts";
import { type ConnectionState, keepConnected } from "./connection.ts";
import {
  beginConnection,
  type Known,
  NOTHING_KNOWN,
  type Page,
  readable,
  receive,
  refresh,
  replaceAll,
  type Unreadable,
  unreadable,
} from "./known.ts";
import { instancesInSight } from "./sight.ts";

/**
 * The user's instances, kept up to date for as long as somebody is signed in. What happens comes over the live connection.
 * So does what changes with every heartbeat, of the rows in sight alone and only while somebody looks: the page says which these
 * are. It asks for them where there is no connection, or none that takes that.
 */

interface Fleet {
  readonly instances: readonly ShownView[];
  readonly unreadable: readonly Unreadable[];
  readonly guardClosed: boolean;
  /** False while the first snapshot is still arriving: there are more instances, and sums would be too small. */
  readonly isWhole: boolean;
}

export const fleet = signal<Fleet | null>(null);
export const fleetError = signal<ApiError | null>(null);
export const connection = signal<ConnectionState>("connecting");

/** Whether how the instances in sight are comes over the live connection, too. */
export const isSightPushed = signal(false);

/** How often the live connection has told of events: who shows them looks again. */
export const eventsHeard = signal(0);

/** How often it has told that a message reached nobody: a channel may be gone. */
export const notDelivered = signal(0);

/** How often the page looks which rows are in sight. It says so only where these are others. */
const SIGHT_PAUSE_MS = 5000;

/** What the address names is drawn by then. */
const DRAWN_WITHIN_MS = 100;

/** It says so again: the service takes it that nobody looks after two and a half minutes. */
const SIGHT_SAID_EVERY_MS = 60_000;

/** Without a connection the whole list is asked for: it costs one request to one object. */
const POLL_PAUSE_MS = 10_000;

/** While the first snapshot arrives it is shown so often: each time costs the sorting of all that has come. */
const ARRIVING_SHOWN_EVERY_MS = 400;

/** As many as the service takes. */
const IDS_PER_REQUEST = 100;

let loops: { stop(): void; hurry(): void }[] = [];
let sayAgain: () => void = () => {};

/** Looks again at once. */
export function refreshFleet(): void {
  sayAgain();
  for (const loop of loops) loop.hurry();
}

effect(() => {
  const mine = signedIn.value;
  fleet.value = null;
  fleetError.value = null;
  connection.value = "connecting";
  if (mine === null || mine === undefined) return;
  let known = NOTHING_KNOWN;
  let arrivingShownAt = Number.NEGATIVE_INFINITY;
  /** What is in sight, as the live connection was told last; null while it takes no word of that. */
  let said: { readonly ids: string; readonly at: number } | null = null;
  const beginSight = (isTaken: boolean) => {
    said = isTaken ? { ids: "", at: performance.now() } : null;
    isSightPushed.value = isTaken;
  };
  sayAgain = () => beginSight(said !== null);
  beginSight(false);
  /** Nobody pushes what is in sight. */
  let mustAsk = false;
  const show = (next: Known) => {
    if (signedIn.peek() !== mine || next === known) return;
    known = next;
    const isWhole = known.entries !== null;
    if (!isWhole) {
      const at = performance.now();
      if (known.arriving === null || at - arrivingShownAt < ARRIVING_SHOWN_EVERY_MS) return;
      arrivingShownAt = at;
    }
    fleetError.value = null;
    fleet.value = {
      instances: readable(known),
      unreadable: unreadable(known),
      guardClosed: known.guardClosed,
      isWhole,
    };
  };
  /** A loop that notes why it failed. */
  const attempt = (work: () => Promise<void>) => async () => {
    try {
      await work();
    } catch (error) {
      if (signedIn.peek() === mine) fleetError.value = asApiError(error);
    }
  };

  const live = keepConnected({
    revision: () => known.revision,
    onState: (state) => {
      connection.value = state;
      if (state === "lost" || state === "unavailable") mustAsk = true;
      if (state !== "connected") beginSight(false);
      if (state === "unavailable") polling.hurry();
    },
    onOpen: () => show(beginConnection(known)),
    onMessage: (message) => {
      if ("server_time" in message) setServerTime(message.server_time);
      if (message.type === "events") {
        eventsHeard.value += 1;
        if (message.events.some(({ kind }) => kind === "alert_not_delivered")) notDelivered.value += 1;
      }
      show(receive(known, message));
      if (message.type !== "snapshot" && message.type !== "rows") return;
      mustAsk = message.takes_sight !== true;
      if (mustAsk || said !== null) return;
      beginSight(true);
      lookSoon();
    },
    onRevoked: forget,
  });
  const polling = repeat(
    attempt(async () => {
      if (connection.peek() !== "unavailable") return;
      const pages = await readPages();
      if (connection.peek() === "unavailable") show(replaceAll(known, pages));
    }),
    () => POLL_PAUSE_MS,
  );
  const saySight = (ids: readonly string[]) => {
    const text = ids.join();
    const at = performance.now();
    if (said === null || (said.ids === text && (text === "" || at - said.at < SIGHT_SAID_EVERY_MS))) return;
    said = { ids: text, at };
    live.say({ type: "sight", instance_ids: ids });
  };
  const answered = new Map<string, string | null>();
  const sight = repeat(
    attempt(async () => {
      const ids = instancesInSight();
      if (said !== null) {
        saySight(ids.slice(0, IDS_PER_REQUEST));
        return;
      }
      if (!mustAsk) return;
      const paths: string[] = [];
      for (let start = 0; start < ids.length; start += IDS_PER_REQUEST) {
        paths.push(`/api/agent/instances?ids=${ids.slice(start, start + IDS_PER_REQUEST).join()}`);
      }
      for (const path of answered.keys()) if (!paths.includes(path)) answered.delete(path);
      for (const path of paths) {
        const fresh: Polled<Page> | null = await poll<Page>(path, answered.get(path) ?? null);
        fleetError.value = null;
        if (fresh === null) continue;
        answered.set(path, fresh.tag);
        setServerTime(fresh.body.server_time);
        show(refresh(known, fresh.body));
      }
    }),
    () => SIGHT_PAUSE_MS,
  );
  loops = [polling, sight];
  const lookSoon = () => setTimeout(sight.hurry, DRAWN_WITHIN_MS);
  const leaveAddress = effect(() => {
    void [route.value, query.value];
    lookSoon();
  });
  addEventListener("scrollend", sight.hurry);
  return () => {
    live.stop();
    leaveAddress();
    removeEventListener("scrollend", sight.hurry);
    for (const loop of loops) loop.stop();
    loops = [];
  };
});

async function readPages(): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: Polled<Page> | null = await poll<Page>(
      `/api/agent/instances?view=summary&limit=1000${more}`,
      null,
    );
    if (page === null) break;
    pages.push(page.body);
    setServerTime(page.body.server_time);
    cursor = page.body.next_cursor;
  }
  return pages;
}
