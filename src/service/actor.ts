import { DurableObject } from "cloudflare:workers";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import { isCoordinator } from "./address.ts";
import { Coordinator, type ServiceTotals, type ShardPart } from "./coordinator.ts";
import { CountStore } from "./counts.ts";
import type { Cleanup, ServiceEvent } from "./event.ts";
import type { Counts } from "./meter.ts";
import { Shard } from "./shard.ts";
import type { FleetTotals, TotalsAnswer } from "./totals.ts";

/** A shard that could not be started tries again after this long. */
const ALARM_RETRY_MS = MINUTE_MS;

/**
 * What stands above all fleets. Its name says which part an object plays: a shard hears fleets and counts, the coordinator
 * hears the shards (`address.ts`).
 */
export class ServiceActor extends DurableObject<Env> {
  readonly #counts: CountStore;
  #shard: Shard | null = null;
  #coordinator: Coordinator | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#counts = new CountStore(ctx.storage.sql);
  }

  /** To a shard: a fleet's totals. Throws when nobody knows how the guard stands; totals that were taken count all the same. */
  async report(totals: FleetTotals): Promise<TotalsAnswer> {
    return this.#asShard().report(totals);
  }

  /** To a shard: counters have grown. A Worker of before the shards tells the coordinator. */
  async add(counts: Counts): Promise<void> {
    this.#counts.add(counts);
    if (!isCoordinator(this.env, this.ctx.id)) this.#asShard().noteCounts();
  }

  /** To the coordinator: what a shard has; null when that only asks how the guard stands. */
  async handOver(shardId: string, part: ShardPart | null): Promise<TotalsAnswer> {
    return this.#asCoordinator().handOver(shardId, part);
  }

  /** To the coordinator. */
  async noteCleanup(report: Cleanup, event: ServiceEvent): Promise<void> {
    await this.#asCoordinator().noteCleanup(report, event);
  }

  /** To the coordinator. */
  async noteEvent(event: ServiceEvent): Promise<void> {
    await this.#asCoordinator().noteEvent(event);
  }

  /** To the coordinator. */
  async read(): Promise<ServiceTotals> {
    return this.#asCoordinator().read();
  }

  /** Only a shard arms one. It can't be one by wrong settings; the platform drops an alarm that fails too often. */
  override async alarm(): Promise<void> {
    try {
      await this.#asShard().wake();
    } catch (error) {
      console.error("the shard's alarm failed", error);
      await this.ctx.storage.setAlarm(Date.now() + ALARM_RETRY_MS);
    }
  }

  #asShard(): Shard {
    this.#shard ??= new Shard(this.ctx, this.env, this.#counts);
    return this.#shard;
  }

  #asCoordinator(): Coordinator {
    this.#coordinator ??= new Coordinator(this.ctx, this.env, this.#counts);
    return this.#coordinator;
  }
}
