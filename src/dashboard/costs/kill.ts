/** The kill switch: what would be done, what was done, and whether that is what was seen. Pure. */

export interface KillFilter {
  readonly status: string | null;
  readonly provider: string | null;
  readonly connection: string | null;
  /** `key:value` */
  readonly tag: string | null;
  readonly onlyIdle: boolean;
  readonly respectKeepAlive: boolean;
}

export const EVERYTHING: KillFilter = {
  status: null,
  provider: null,
  connection: null,
  tag: null,
  onlyIdle: false,
  respectKeepAlive: true,
};

export interface KillLine {
  readonly instance_id: string;
  readonly name: string;
  /** Dollars an hour; null: not known. */
  readonly rate: number | null;
  readonly saves_hourly: number | null;
  readonly does: "hibernate" | "skip";
  readonly because: string;
}

interface KillCounts {
  readonly at: string;
  readonly hibernate: number;
  readonly skip: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Of those to be hibernated: whose price is not known. */
  readonly unknown_rates: number;
  readonly instances: readonly KillLine[];
  readonly is_more: boolean;
}

export type KillPlan = KillCounts & { readonly dry_run: true; readonly would_save_hourly: number };
export type KillOrdered = KillCounts & { readonly dry_run: false; readonly saves_hourly: number };

/** What the service says of how far it has come. */
export interface KillProgress {
  readonly at: string;
  readonly hibernate: number;
  readonly is_over: boolean;
  readonly waiting: number;
  readonly ended: Readonly<Record<string, number>>;
  readonly not_ordered: readonly { readonly instance_id: string; readonly because: string }[];
}

/** A plan that is older than this must be looked at anew before it is carried out. */
export const SEEN_FOR_MS = 2 * 60_000;

export function requestOf(filter: KillFilter, isDryRun: boolean): Record<string, unknown> {
  const { status, provider, connection, tag, onlyIdle, respectKeepAlive } = filter;
  return {
    filter: {
      ...(status === null ? {} : { status }),
      ...(provider === null ? {} : { provider }),
      ...(connection === null ? {} : { connection }),
      ...(tag === null ? {} : { tag }),
      ...(onlyIdle ? { only_idle: true } : {}),
    },
    respect_keep_alive: respectKeepAlive,
    dry_run: isDryRun,
  };
}

/** Whether all that would be hibernated now was to be hibernated in what was seen too. */
export function isWithin(fresh: KillPlan, seen: KillPlan): boolean {
  const known = new Set(hibernated(seen).map(({ instance_id }) => instance_id));
  const isNamed = hibernated(fresh).every(({ instance_id }) => known.has(instance_id));
  // Those that are not named can only be counted.
  return fresh.hibernate <= seen.hibernate && (isNamed || known.size < seen.hibernate);
}

function hibernated({ instances }: KillPlan): KillLine[] {
  return instances.filter(({ does }) => does === "hibernate");
}
