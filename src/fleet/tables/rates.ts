import { z } from "zod";
import type { EventDetail, HistoryEvent } from "../../lifecycle/model/history-event.ts";
import { type Money, moneyOf } from "../../lifecycle/model/money.ts";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import { connectionOf } from "../../lifecycle/model/provider.ts";

/** What several instances cost an hour together, as they have reported it: for what is told of all of them at once. */

const ratesRow = z
  .object({ rate: z.number().nullable(), unknown_rates: z.number() })
  .transform((row): Money & EventDetail => moneyOf(row));

export class Rates {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Has the events of a guard that closed say what those cost that are orphans since the outage began. */
  addToOutage(events: readonly HistoryEvent[], silentFrom: number | null): readonly HistoryEvent[] {
    return events.map((event) =>
      event.kind === "guard_closed" && silentFrom !== null
        ? { ...event, detail: { ...event.detail, ...this.#ofOrphans(silentFrom) } }
        : event,
    );
  }

  #ofOrphans(since: number): Money & EventDetail {
    const rows = this.#sql.exec(
      `SELECT SUM(view ->> '$.rate') AS rate, COUNT(*) - COUNT(view ->> '$.rate') AS unknown_rates
       FROM instances WHERE orphaned_since >= ? AND status <> 'deleted'`,
      since,
    );
    return ratesRow.parse(rows.one());
  }

  /** Of those that are called by this connection, which a fleet of the former release has written in the view alone. */
  ofConnection(provider: ConnectedProvider): Money & EventDetail {
    const rows = this.#sql.exec(
      `SELECT SUM(view ->> '$.rate') AS rate, COUNT(*) - COUNT(view ->> '$.rate') AS unknown_rates
       FROM instances WHERE (provider = ? OR view ->> '$.connection' = ?) AND status <> 'deleted'`,
      provider,
      connectionOf(provider),
    );
    return ratesRow.parse(rows.one());
  }
}
