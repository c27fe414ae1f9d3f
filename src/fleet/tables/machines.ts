import { z } from "zod";
import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import { openEnum, readableRows } from "../../lifecycle/model/stored.ts";
import { type HeldClaim, type MachineKey, UNHEARD_MS } from "../../providers/machines.ts";

/**
 * Which instance watches which machine. A machine at a provider that is called has one watcher: a second one, silent
 * under an id of its own, would stop what the first one hears.
 */

/** Who holds a machine after somebody has asked for it. */
export interface Holding {
  readonly holder: string;
  /** Nobody held it before. */
  readonly isNew: boolean;
  /** Grows whenever its holder renews the claim. */
  readonly claimedAt: number;
}

const claimRow = z
  .object({ provider: openEnum<ProviderKind>(), ref: z.string(), claimed_at: z.number() })
  .transform(({ provider, ref, claimed_at }): HeldClaim => ({ provider, ref, claimedAt: claimed_at }));

const holdingRow = z.object({ instance_id: z.string(), claimed_at: z.number() });

export class Machines {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Claims the machine if it is free, renews the claim if the instance has it already, and says who has it now. */
  claim({ provider, ref }: MachineKey, instanceId: string, now: number): Holding {
    const held = this.#find({ provider, ref });
    if (held !== null && held.instance_id !== instanceId) {
      return { holder: held.instance_id, isNew: false, claimedAt: held.claimed_at };
    }
    // An earlier request for the same instance can no longer withdraw the claim.
    const claimedAt = held === null ? now : Math.max(now, held.claimed_at + 1);
    this.#sql.exec(
      `INSERT INTO machines (provider, ref, instance_id, claimed_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (provider, ref) DO UPDATE SET claimed_at = excluded.claimed_at`,
      provider,
      ref,
      instanceId,
      claimedAt,
    );
    return { holder: instanceId, isNew: held === null, claimedAt };
  }

  /** Gives up a claim, which came to nothing or whose machine was left, unless it was renewed since. */
  withdraw({ provider, ref }: MachineKey, instanceId: string, claimedAt: number): void {
    this.#sql.exec(
      "DELETE FROM machines WHERE provider = ? AND ref = ? AND instance_id = ? AND claimed_at = ?",
      provider,
      ref,
      instanceId,
      claimedAt,
    );
  }

  /**
   * The instance says what it watches; null where nobody is called. That machine is claimed if it is free: so a claim that was
   * lost comes back. Claims for others are released, and returned. A young one may be of a change under way.
   */
  settle(instanceId: string, watched: MachineKey | null, now: number): HeldClaim[] {
    if (watched !== null) this.#hold(watched, instanceId, now);
    const released = this.#sql.exec(
      `DELETE FROM machines WHERE instance_id = ? AND claimed_at <= ? AND NOT (provider = ? AND ref = ?)
       RETURNING provider, ref, claimed_at`,
      instanceId,
      now - UNHEARD_MS,
      watched?.provider ?? "",
      watched?.ref ?? "",
    );
    return readableRows(claimRow, released.toArray());
  }

  #hold({ provider, ref }: MachineKey, instanceId: string, now: number): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO machines (provider, ref, instance_id, claimed_at) VALUES (?, ?, ?, ?)",
      provider,
      ref,
      instanceId,
      now,
    );
  }

  /** What the instance holds. */
  claimsOf(instanceId: string): HeldClaim[] {
    const rows = this.#sql.exec(
      "SELECT provider, ref, claimed_at FROM machines WHERE instance_id = ?",
      instanceId,
    );
    return readableRows(claimRow, rows.toArray());
  }

  /** Releases everything that the instance holds, or what it claimed up to then: it is deleted, or no longer in the registry. */
  releaseAll(instanceId: string, claimedUpTo = Number.MAX_SAFE_INTEGER): void {
    this.#sql.exec("DELETE FROM machines WHERE instance_id = ? AND claimed_at <= ?", instanceId, claimedUpTo);
  }

  holderOf(machine: MachineKey): string | null {
    return this.#find(machine)?.instance_id ?? null;
  }

  #find({ provider, ref }: MachineKey) {
    const [row] = this.#sql
      .exec("SELECT instance_id, claimed_at FROM machines WHERE provider = ? AND ref = ?", provider, ref)
      .toArray();
    return row === undefined ? null : holdingRow.parse(row);
  }
}
