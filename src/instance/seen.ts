import type { Reading } from "../fleet/report.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { lineWords, liveView } from "../lifecycle/views/instance-view.ts";
import { fleetOf } from "../platform/address.ts";
import { KeptInstance } from "./keep-alive.ts";
import type { StoredInstance } from "./stored/stored-instance.ts";

/** How long a look counts. It is stored again only once half of that is over, however often somebody looks. */
const SEEN_FOR_MS = 10 * MINUTE_MS;

/**
 * An instance that somebody sees tells its fleet of each heartbeat. It leaves memory between two heartbeats, so until when it is
 * seen is stored. The release before leaves that row alone.
 */
export class SeenInstance extends KeptInstance {
  /** Undefined until it is read. */
  #seenUntil: number | undefined;

  /** How it is, for somebody who sees it from now on. Null for one that is not known or can't be read. */
  async look(): Promise<Reading | null> {
    const stored = this.life.known();
    if (stored === null) return null;
    const now = Date.now();
    if (this.#until() < now + SEEN_FOR_MS / 2) this.#write(now + SEEN_FOR_MS);
    return this.#reading(stored, now);
  }

  /** After a heartbeat, which does not wait for it. */
  protected tellWhoSees(stored: StoredInstance): void {
    const now = Date.now();
    if (now >= this.#until()) return;
    const told = fleetOf(this.env, stored.userId)
      .heard(this.#reading(stored, now))
      .then(
        (isSeen) => {
          if (!isSeen) this.#write(0);
        },
        // The next heartbeat tells it, and so does the next look.
        () => {},
      );
    this.ctx.waitUntil(told);
  }

  #reading(stored: StoredInstance, now: number): Reading {
    const { instanceId, state } = stored;
    const policy = this.life.policy(stored);
    return {
      view: liveView(instanceId, state, policy, now),
      words: lineWords(state, policy, now),
      asOf: now,
    };
  }

  #until(): number {
    this.#seenUntil ??= this.#isWritten() ? this.#read() : 0;
    return this.#seenUntil;
  }

  #read(): number {
    const [row] = this.ctx.storage.sql.exec("SELECT until FROM seen WHERE id = 1").toArray();
    return typeof row?.until === "number" ? row.until : 0;
  }

  /** Nothing is stored in an object that was never registered, or has been emptied. */
  #write(until: number): void {
    if (this.life.known() === null) return;
    const { sql } = this.ctx.storage;
    if (!this.#isWritten()) sql.exec("CREATE TABLE seen (id INTEGER PRIMARY KEY, until INTEGER NOT NULL)");
    sql.exec(
      "INSERT INTO seen (id, until) VALUES (1, ?) ON CONFLICT DO UPDATE SET until = excluded.until",
      until,
    );
    this.#seenUntil = until;
  }

  #isWritten(): boolean {
    const found = this.ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'seen'");
    return found.toArray().length > 0;
  }
}
