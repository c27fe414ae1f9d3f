import { z } from "zod";
import type { HibernationRound } from "../../lifecycle/model/instance-event.ts";
import { jsonText, readableRows } from "../../lifecycle/model/stored.ts";
import { DAY_MS } from "../../lifecycle/model/time.ts";
import { ROUND_LASTS_MS, type RoundEnd, roundRetryMs } from "../rules/hibernation-round.ts";

/**
 * Instances that are to be hibernated because many were asked for at once, and what became of it. One row an instance: one that is
 * asked for anew counts with the newer round.
 */

const OF_BUDGET = "due_at IS NOT NULL AND round ->> 'by' = 'budget'";

/** How they ended can be read for so long. */
const KEPT_MS = 7 * DAY_MS;

/** An instance that waits to be asked. */
export interface AskedHibernation {
  readonly instanceId: string;
  readonly round: HibernationRound;
  readonly requestId: string | undefined;
}

const askedRow = z
  .object({
    instance_id: z.string(),
    // What this very fleet has written; the instance is told as it stands.
    round: jsonText(z.custom<HibernationRound>((value) => typeof value === "object" && value !== null)),
    request_id: z.string().nullable(),
  })
  .transform(
    ({ instance_id, round, request_id }): AskedHibernation => ({
      instanceId: instance_id,
      round,
      requestId: request_id ?? undefined,
    }),
  );

const endRow = z
  .object({ instance_id: z.string(), outcome: z.string().nullable() })
  .transform(({ instance_id, outcome }) => ({ instanceId: instance_id, end: outcome }));

export class AskedHibernations {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** A budget leaves one alone that waits upon a person's word. */
  add(asked: readonly AskedHibernation[], now: number): void {
    this.#sql.exec(
      `INSERT INTO asked_hibernations (instance_id, asked_at, round, request_id, failures, due_at, outcome)
       SELECT value ->> 'instanceId', value ->> '$.round.askedAt', value -> 'round', value ->> 'requestId', 0, ?2, NULL
       FROM json_each(?1) WHERE true
       ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at, round = excluded.round,
         request_id = excluded.request_id, failures = 0, due_at = excluded.due_at, outcome = NULL
       WHERE asked_hibernations.due_at IS NULL OR excluded.round ->> 'by' <> 'budget'`,
      JSON.stringify(asked),
      now,
    );
  }

  /** Those whose time has come, at most `limit`. */
  due(now: number, limit: number): AskedHibernation[] {
    const rows = this.#sql.exec(
      `SELECT instance_id, round, request_id FROM asked_hibernations
       WHERE due_at <= ? ORDER BY due_at LIMIT ?`,
      now,
      limit,
    );
    return readableRows(askedRow, rows.toArray());
  }

  /** When the next one is due; null when none waits. */
  get nextAt(): number | null {
    const [first] = this.#sql
      .exec<{ due_at: number }>(
        "SELECT due_at FROM asked_hibernations WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
      )
      .toArray();
    return first?.due_at ?? null;
  }

  /** This is what became of it, unless it was asked for anew meanwhile. */
  settle({ instanceId, round }: AskedHibernation, end: RoundEnd): void {
    this.#sql.exec(
      "UPDATE asked_hibernations SET due_at = NULL, outcome = ? WHERE instance_id = ? AND asked_at = ?",
      end,
      instanceId,
      round.askedAt,
    );
  }

  /** It could not be asked, or decided nothing: it is asked again, unless that was asked for too long ago. */
  postpone({ instanceId, round }: AskedHibernation, now: number): void {
    const [row] = this.#sql
      .exec<{ failures: number }>(
        "SELECT failures FROM asked_hibernations WHERE instance_id = ? AND asked_at = ?",
        instanceId,
        round.askedAt,
      )
      .toArray();
    if (row === undefined) return;
    const dueAt = now + roundRetryMs(row.failures);
    if (dueAt > round.askedAt + ROUND_LASTS_MS) {
      this.settle({ instanceId, round, requestId: undefined }, "out_of_reach");
      return;
    }
    this.#sql.exec(
      "UPDATE asked_hibernations SET failures = failures + 1, due_at = ? WHERE instance_id = ?",
      dueAt,
      instanceId,
    );
  }

  /** How many of a round ended how; null: they wait. */
  countOf(askedAt: number): { end: RoundEnd | null; instances: number }[] {
    const rows = this.#sql
      .exec<{ outcome: string | null; instances: number }>(
        "SELECT outcome, COUNT(*) AS instances FROM asked_hibernations WHERE asked_at = ? GROUP BY outcome",
        askedAt,
      )
      .toArray();
    return rows.map(({ outcome, instances }) => ({ end: outcome, instances }));
  }

  /** Those of a round of whom it is not known that they were ordered to hibernate; at most `limit`. */
  notOrdered(askedAt: number, limit: number): { instanceId: string; end: RoundEnd | null }[] {
    const rows = this.#sql.exec(
      `SELECT instance_id, outcome FROM asked_hibernations
       WHERE asked_at = ? AND outcome IS NOT 'ordered' ORDER BY outcome, instance_id LIMIT ?`,
      askedAt,
      limit,
    );
    return readableRows(endRow, rows.toArray());
  }

  isUnderWay(askedAt: number): boolean {
    return (
      this.#sql
        .exec("SELECT 1 FROM asked_hibernations WHERE asked_at = ? AND outcome IS NULL LIMIT 1", askedAt)
        .toArray().length > 0
    );
  }

  /** Nobody who still waits is asked. */
  dropWaiting(): void {
    this.#sql.exec(
      "UPDATE asked_hibernations SET due_at = NULL, outcome = 'dropped' WHERE due_at IS NOT NULL",
    );
  }

  isBudgetWaiting(): boolean {
    return this.#sql.exec(`SELECT 1 FROM asked_hibernations WHERE ${OF_BUDGET} LIMIT 1`).toArray().length > 0;
  }

  /** Nobody is asked any more for a budget's sake, or nobody but the idle ones. */
  withdrawBudget(but: "nobody" | "idle"): void {
    this.#sql.exec(
      `UPDATE asked_hibernations SET due_at = NULL, outcome = 'within_budget'
       WHERE ${OF_BUDGET} AND NOT (? AND round ->> 'onlyIdle')`,
      Number(but === "idle"),
    );
  }

  /** Of an instance that was taken out. */
  forget(instanceId: string): void {
    this.#sql.exec("DELETE FROM asked_hibernations WHERE instance_id = ?", instanceId);
  }

  /** Forgets how those ended who were asked for long ago. */
  prune(now: number): void {
    this.#sql.exec(
      "DELETE FROM asked_hibernations WHERE asked_at < ? AND outcome IS NOT NULL",
      now - KEPT_MS,
    );
  }
}
