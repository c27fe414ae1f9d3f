import { z } from "zod";
import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import { openEnum } from "../../lifecycle/model/stored.ts";
import type { ListedMachine } from "../../providers/provider.ts";
import type { InventoryMachine } from "../rules/inventory.ts";

/** How the inventory's rows are read. */

/** A machine of the inventory with who watches it. */
export interface InventoryRow extends InventoryMachine {
  readonly connection: string;
  readonly provider: ProviderKind;
  /** The instance that watches it; null when none does. */
  readonly watchedBy: string | null;
  /** What was last told to an instance of this machine: see `tasks/witness.ts`. */
  readonly witness: string | null;
  /** Whether the present credentials of its connection have shown it, and are not refused. */
  readonly isCurrent: boolean;
}

/** How the listing of a connection goes. */
export interface ListingRow {
  readonly connection: string;
  readonly dueAt: number;
  readonly triedAt: number | null;
  /** When the last listing that succeeded began. */
  readonly listedAt: number | null;
  readonly isComplete: boolean | null;
  readonly failures: number;
  readonly problem: string | null;
}

export const inventoryRow = z
  .object({
    connection: z.string(),
    ref: z.string(),
    provider: openEnum<ProviderKind>(),
    name: z.string().nullable(),
    state: openEnum<ListedMachine["state"]>(),
    gpu: z.string().nullable(),
    gpus: z.number().nullable(),
    region: z.string().nullable(),
    created_at: z.number().nullable(),
    hourly_cost: z.number().nullable(),
    stopped_hourly_cost: z.number().nullable(),
    member_of: z.string().nullable(),
    first_seen_at: z.number(),
    last_seen_at: z.number(),
    state_since: z.number(),
    told_at: z.number().nullable(),
    vanished_at: z.number().nullable(),
    witness: z.string().nullable(),
    watched_by: z.string().nullable(),
    is_current: z.number(),
  })
  .transform(
    (row): InventoryRow => ({
      connection: row.connection,
      ref: row.ref,
      provider: row.provider,
      name: row.name,
      state: row.state,
      gpu: row.gpu,
      gpus: row.gpus,
      region: row.region,
      createdAt: row.created_at,
      hourlyCost: row.hourly_cost,
      stoppedHourlyCost: row.stopped_hourly_cost,
      memberOf: row.member_of,
      firstSeenAt: row.first_seen_at,
      lastSeenAt: row.last_seen_at,
      stateSince: row.state_since,
      toldAt: row.told_at,
      vanishedAt: row.vanished_at,
      witness: row.witness,
      watchedBy: row.watched_by,
      isCurrent: row.is_current === 1,
    }),
  );

export const listingRow = z
  .object({
    connection: z.string(),
    due_at: z.number(),
    tried_at: z.number().nullable(),
    listed_at: z.number().nullable(),
    is_complete: z.number().nullable(),
    failures: z.number(),
    problem: z.string().nullable(),
  })
  .transform(
    (row): ListingRow => ({
      connection: row.connection,
      dueAt: row.due_at,
      triedAt: row.tried_at,
      listedAt: row.listed_at,
      isComplete: row.is_complete === null ? null : row.is_complete === 1,
      failures: row.failures,
      problem: row.problem,
    }),
  );
