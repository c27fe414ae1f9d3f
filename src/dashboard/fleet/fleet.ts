import { effect, signal } from "@preact/signals";
import type { LiveView } from "../../lifecycle/views/instance-view.ts";
import { type ApiError, type Polled, poll } from "../api.ts";
import { setServerTime } from "../clock.ts";
import { asApiError, repeat } from "../poll.ts";
import { userToken } from "../session.ts";

/** The user's instances as they are now, kept up to date for as long as somebody is signed in and looks. */

interface Page {
  readonly server_time: string;
  readonly instances: readonly (LiveView | Unreadable)[];
  readonly next_cursor: string | null;
  readonly guard: { readonly state: "open" | "closed"; readonly service_wide: "open" | "closed" };
}

/** An instance whose stored state the service cannot read. */
export interface Unreadable {
  readonly instance_id: string;
  readonly error: { readonly code: "unreadable"; readonly message: string };
}

function isUnreadable(entry: LiveView | Unreadable): entry is Unreadable {
  return "error" in entry;
}

function isReadable(entry: LiveView | Unreadable): entry is LiveView {
  return !isUnreadable(entry);
}

interface Fleet {
  readonly instances: readonly LiveView[];
  readonly unreadable: readonly Unreadable[];
  readonly guardClosed: boolean;
}

export const fleet = signal<Fleet | null>(null);
export const fleetError = signal<ApiError | null>(null);

/** A look costs a request to each instance's object: twenty milliseconds of pause for each bound it to fifty a second. */
const PAUSE_MS_PER_INSTANCE = 20;
const SHORTEST_PAUSE_MS = 2000;

let loop: ReturnType<typeof repeat> | null = null;

effect(() => {
  loop?.stop();
  loop = null;
  fleet.value = null;
  fleetError.value = null;
  const token = userToken.value;
  if (token === null) return;
  const known: Polled<Page>[] = [];
  loop = repeat(
    async () => {
      try {
        const changed = await readPages(known);
        if (userToken.peek() !== token) return;
        fleetError.value = null;
        if (changed) {
          const entries = known.flatMap(({ body }) => body.instances);
          fleet.value = {
            instances: entries.filter(isReadable),
            unreadable: entries.filter(isUnreadable),
            guardClosed: known.some(
              ({ body }) => body.guard.state === "closed" || body.guard.service_wide === "closed",
            ),
          };
        }
      } catch (error) {
        fleetError.value = asApiError(error);
      }
    },
    () => Math.max(SHORTEST_PAUSE_MS, (fleet.peek()?.instances.length ?? 0) * PAUSE_MS_PER_INSTANCE),
  );
});

/** Looks again at once. */
export function refreshFleet(): void {
  loop?.hurry();
}

/** Reads page after page, those that are as they were by their tag alone. Whether any was not. */
async function readPages(known: Polled<Page>[]): Promise<boolean> {
  let changed = false;
  let cursor: string | null = null;
  for (let index = 0; ; index += 1) {
    const path: string = `/api/agent/instances?limit=1000${cursor === null ? "" : `&cursor=${cursor}`}`;
    const fresh: Polled<Page> | null = await poll<Page>(path, known[index]?.tag ?? null);
    if (fresh !== null) {
      known[index] = fresh;
      changed = true;
      setServerTime(fresh.body.server_time);
    }
    cursor = known[index]?.body.next_cursor ?? null;
    if (cursor === null) {
      if (known.length > index + 1) changed = true;
      known.length = index + 1;
      return changed;
    }
  }
}
