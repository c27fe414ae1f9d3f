import { z } from "zod";
import { readableRows } from "../lifecycle/model/stored.ts";
import { DAY_MS, SECOND_MS } from "../lifecycle/model/time.ts";
import { guardEvent } from "../lifecycle/rules/guard-event.ts";
import { type Guard, type GuardWithOutage, NEVER_CLOSED } from "../lifecycle/rules/outage-guard.ts";
import { readSettings } from "../platform/settings.ts";
import { within } from "../platform/within.ts";
import {
  type Aggregate,
  addTally,
  aggregateOf,
  aggregateSchema,
  hibernationsOf,
  Sum,
  type Tally,
  votesOf,
} from "./aggregate.ts";
import type { CountStore } from "./counts.ts";
import { type Cleanup, cleanupSchema, eventRow, type ServiceEvent } from "./event.ts";
import { type Former, readFormer } from "./former.ts";
import { Kept } from "./kept.ts";
import type { Counts } from "./meter.ts";
import { reviewServiceGuard, ruleAtSpeed, type ServiceRule } from "./outage.ts";
import { type HibernationCount, NO_FIGURES, type TotalsAnswer } from "./totals.ts";

/** What a shard hands over: totals, never increments. */
export interface ShardPart {
  /** By a counter of the shard; an older one that arrives late changes nothing. */
  readonly number: number;
  readonly aggregate: Aggregate;
  readonly counts: Counts;
}

const partSchema: z.ZodType<ShardPart> = z.object({
  number: z.number(),
  aggregate: aggregateSchema,
  counts: z.record(z.string(), z.number()),
});

/** What the operator sees. */
export interface ServiceTotals {
  readonly counts: Counts;
  readonly guard: Guard;
  readonly instancesByStatus: Tally;
  readonly closedUserGuards: number;
  readonly hibernations: readonly HibernationCount[];
  /** When the last cleanup began, and what it did; null before the first. */
  readonly cleanup: Cleanup | null;
  /** The latest, newest first. */
  readonly events: readonly ServiceEvent[];
}

const EVENTS_KEPT = 1_000;
const EVENTS_SHOWN = 100;

/** D1 is out of reach when it has not answered after this long. */
const FORMER_LIMIT_MS = 10 * SECOND_MS;

/**
 * A guard that was closed when it was taken over from D1 opens no sooner than this: until each fleet has reported once, who
 * is silent isn't known. The daily cleanup has every fleet report.
 */
const TAKEN_OVER_HOLDS_MS = 2 * DAY_MS;

/**
 * The place, among those of the shards, of the votes that D1 knew. A fleet begins with the first report of one of its
 * instances, so that a user who falls silent after the upgrade has voted before any of the user's instances asks for a step.
 * But one who fell silent before it has nothing to report until it asks, and would be missing when another asks. So these
 * votes count until a cleanup has had every fleet begin. Until then who is awake may not be known, and a vote may count
 * twice: the guard closes sooner for that, and never later.
 */
const FORMER_VOTES = "former votes";

const guardSchema = z.object({
  closedAt: z.number().nullable(),
  openedAt: z.number().nullable(),
  seenFrom: z.number(),
  opensFrom: z.number(),
});

/** The service as a whole: sums over its shards, the service-wide guard, the last cleanup and the service's own events. */
export class Coordinator {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #kept: Kept;
  readonly #counts: CountStore;
  readonly #rule: ServiceRule;
  readonly #parts = new Map<string, ShardPart>();
  /** Of the parts' aggregates. */
  readonly #sum = new Sum();
  #takingOver: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env, counts: CountStore) {
    this.#ctx = ctx;
    this.#env = env;
    this.#counts = counts;
    this.#rule = ruleAtSpeed(readSettings(env).SIMULATION_SPEED);
    const { sql } = ctx.storage;
    this.#kept = new Kept(sql);
    sql.exec(
      `CREATE TABLE IF NOT EXISTS shards (id TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
       CREATE TABLE IF NOT EXISTS events (
         at INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL,
         message TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (at, id)
       ) WITHOUT ROWID`,
    );
    // Without a shard that can't be read its users would seem to be fine: better none than wrong sums.
    for (const { id, json } of sql.exec<{ id: string; json: string }>("SELECT id, json FROM shards")) {
      this.#place(id, partSchema.parse(JSON.parse(json)));
    }
  }

  /** Takes what a shard has, unless newer is known; null when that only asks. Answers how the guard stands then. */
  async handOver(shardId: string, part: ShardPart | null): Promise<TotalsAnswer> {
    await this.#takeOver();
    const newest = this.#parts.get(shardId)?.number ?? 0;
    if (part !== null && part.number <= newest) return { isTaken: false, newest };
    if (part !== null) this.#keepPart(shardId, part);
    return { isTaken: true, guard: this.#reviewedGuard(Date.now()) };
  }

  async read(): Promise<ServiceTotals> {
    await this.#takeOver();
    const sum = this.#sum.total;
    return {
      counts: [...this.#parts.values()].reduce(
        (counts, part) => addTally(counts, part.counts),
        this.#counts.read(),
      ),
      guard: wordOf(this.#guard()),
      instancesByStatus: sum.instancesByStatus,
      closedUserGuards: sum.users.guard_closed ?? 0,
      hibernations: hibernationsOf(sum),
      cleanup: this.#kept.read("cleanup", cleanupSchema) ?? null,
      events: this.#events(EVENTS_SHOWN),
    };
  }

  /** Keeps the report of a cleanup, and the event that tells of it. */
  async noteCleanup(report: Cleanup, event: ServiceEvent): Promise<void> {
    await this.#takeOver();
    const last = this.#kept.read("cleanup", cleanupSchema);
    if (last === undefined || report.startedAt >= last.startedAt) this.#kept.write("cleanup", report);
    this.#keepEvent(event);
    if (report.startedAt >= (this.#kept.read("taken_over_at", z.number()) ?? 0)) this.#dropFormerVotes();
  }

  /** Keeps an event. */
  async noteEvent(event: ServiceEvent): Promise<void> {
    await this.#takeOver();
    this.#keepEvent(event);
  }

  #keepPart(id: string, part: ShardPart): void {
    this.#ctx.storage.sql.exec(
      "INSERT INTO shards (id, json) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json",
      id,
      JSON.stringify(part),
    );
    this.#place(id, part);
  }

  #dropFormerVotes(): void {
    this.#ctx.storage.sql.exec("DELETE FROM shards WHERE id = ?", FORMER_VOTES);
    this.#place(FORMER_VOTES, null);
  }

  #place(id: string, part: ShardPart | null): void {
    this.#sum.replace(this.#parts.get(id)?.aggregate ?? null, part?.aggregate ?? null);
    if (part === null) this.#parts.delete(id);
    else this.#parts.set(id, part);
  }

  /** Once, before anything else: what D1 kept. Whoever comes meanwhile waits; after a failure the next one tries again. */
  async #takeOver(): Promise<void> {
    if (this.#kept.read("taken_over_at", z.number()) !== undefined) return;
    this.#takingOver ??= this.#readFormer().finally(() => {
      this.#takingOver = null;
    });
    await this.#takingOver;
  }

  async #readFormer(): Promise<void> {
    const now = Date.now();
    const asked = readFormer(this.#env.DB, EVENTS_KEPT, now - this.#rule.voteLastsMs, now);
    const former = await within(FORMER_LIMIT_MS, asked);
    this.#ctx.storage.transactionSync(() => this.#keepFormer(former, now));
  }

  #keepFormer({ guard, votes, cleanup, events }: Former, now: number): void {
    if (votes.length > 0) {
      const sum = new Sum();
      for (const vote of votes)
        sum.replace(null, aggregateOf({ ...NO_FIGURES, vote }, this.#rule.voteStepMs));
      this.#keepPart(FORMER_VOTES, { number: 1, aggregate: sum.total, counts: {} });
    }
    this.#keepGuard(guard, guard.closedAt === null ? 0 : now + TAKEN_OVER_HOLDS_MS);
    if (cleanup !== null) this.#kept.write("cleanup", cleanup);
    for (const event of events) this.#keepEvent(event);
    this.#kept.write("taken_over_at", now);
  }

  #reviewedGuard(now: number): Guard {
    const guard = this.#guard();
    const sum = this.#sum.total;
    const census = { votes: votesOf(sum), awakeUsers: sum.users.awake ?? 0 };
    const change = reviewServiceGuard(guard, census, this.#rule, guard.opensFrom, now);
    if (change === null) return wordOf(guard);
    this.#keepGuard(change.to, 0);
    const event = guardEvent(change, change.count, "users");
    this.#keepEvent(event);
    console.log(JSON.stringify({ message: event.message, kind: event.kind, ...event.detail }));
    return wordOf(change.to);
  }

  #guard(): z.infer<typeof guardSchema> {
    return this.#kept.read("guard", guardSchema) ?? { ...NEVER_CLOSED, opensFrom: 0 };
  }

  #keepGuard({ closedAt, openedAt, seenFrom }: GuardWithOutage, opensFrom: number): void {
    this.#kept.write("guard", { closedAt, openedAt, seenFrom, opensFrom });
  }

  #keepEvent({ id, at, kind, severity, message, detail }: ServiceEvent): void {
    const { sql } = this.#ctx.storage;
    sql.exec(
      `INSERT INTO events (at, id, kind, severity, message, detail) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      at,
      id,
      kind,
      severity,
      message,
      JSON.stringify(detail),
    );
    sql.exec(
      `DELETE FROM events WHERE (at, id) IN
         (SELECT at, id FROM events ORDER BY at DESC, id DESC LIMIT -1 OFFSET ${EVENTS_KEPT})`,
    );
  }

  #events(limit: number): ServiceEvent[] {
    const rows = this.#ctx.storage.sql
      .exec(
        "SELECT id, at, kind, severity, message, detail FROM events ORDER BY at DESC, id DESC LIMIT ?",
        limit,
      )
      .toArray();
    return readableRows(eventRow, rows);
  }
}

function wordOf({ closedAt, openedAt }: Guard): Guard {
  return { closedAt, openedAt };
}
