import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { listUsers } from "../accounts/users.ts";
import type { Listed } from "../fleet/report.ts";
import { deleteOldEvents, type HistoryPlace, listHistories, rollUpAndDelete } from "../history/retention.ts";
import { historyOf, historyShards } from "../history/shards.ts";
import { DAY_MS, MINUTE_MS } from "../lifecycle/model/time.ts";
import { awaitSettings } from "../platform/await-settings.ts";
import { createOnce } from "../platform/create-once.ts";
import { readSettings } from "../platform/settings.ts";
import { noteCleanup } from "../service/service.ts";
import { nextToVisit, visitAll } from "./visit.ts";

/**
 * The daily job. It visits instances first: expired orphans are ordered to be deleted, and lost alarms are armed again.
 * Then it visits the history: old heartbeats are rolled up into one row an hour, and what is older still is deleted.
 *
 * It walks in pages, each of them a step, so that no query and no invocation grows with the fleet. If it is cut off, it
 * goes on at the same page, and a page that runs twice does nothing more.
 */

interface CleanupParameters {
  readonly part: CleanupPart;
  readonly report: CleanupReport;
}

/** How far a run has come. The rest of a very long run goes on in a workflow of its own. */
type CleanupPart =
  | { readonly type: "instances"; readonly after: InstancePlace | null }
  | { readonly type: "history"; readonly shard: number; readonly after: HistoryPlace | null }
  | { readonly type: "events"; readonly shard?: number; readonly after: string | null };

/** The instances of all users in order, and where a page of them ended. */
interface InstancePlace {
  readonly userId: string;
  readonly instanceId: string;
}

interface CleanupReport {
  readonly startedAt: number;
  readonly instances: number;
  readonly unreachable: number;
  readonly rolledUp: number;
  readonly eventsDeleted: number;
}

/** An instance is one call to its actor, a user is one to its fleet; a history takes at most four statements. */
const INSTANCES_PER_PAGE = 100;
const USERS_PER_PAGE = 50;
const HISTORIES_PER_PAGE = 50;
const EVENTS_PER_PAGE = 500;

/** Within about two minutes. */
const TRIES_OF_A_FLEET = 4;

/** A page in which many are out of reach ends after this long, far below the limit of a step. */
const LONGEST_PAGE_MS = 2 * MINUTE_MS;

/** Below the platform's limit of 10,000 steps a workflow. */
const PAGES_PER_WORKFLOW = 4000;

const PAGE = {
  retries: { limit: 10, delay: "10 seconds", backoff: "exponential" },
  timeout: "10 minutes",
} as const;

interface Page {
  readonly next: CleanupPart | null;
  readonly report: CleanupReport;
}

export class DailyCleanup extends WorkflowEntrypoint<Env, CleanupParameters> {
  override async run(
    event: Readonly<WorkflowEvent<CleanupParameters>>,
    step: WorkflowStep,
  ): Promise<CleanupReport> {
    await awaitSettings(this.env, step);
    let { part, report } = event.payload;
    for (let page = 1; page <= PAGES_PER_WORKFLOW; page++) {
      const done: Page = await step.do(`${part.type}, page ${page}`, PAGE, ({ attempt }) =>
        this.#page(part, report, attempt),
      );
      report = done.report;
      if (done.next === null) {
        const last = report;
        await step.do("report", PAGE, () => this.#tell(event.instanceId, last));
        return report;
      }
      part = done.next;
    }
    const rest = { part, report };
    await step.do("go on in another workflow", PAGE, () =>
      createOnce(this.env.DAILY_CLEANUP, `${event.instanceId}-x`, rest),
    );
    return report;
  }

  async #page(part: CleanupPart, report: CleanupReport, attempt: number): Promise<Page> {
    switch (part.type) {
      case "instances":
        return this.#instances(part.after, report, attempt);
      case "history":
        return this.#history(part.shard, part.after, report);
      case "events":
        // A run that a former version began does not say which.
        return this.#events(part.shard ?? 0, part.after, report);
    }
  }

  /** The next instances, of as many users as it takes: a step for each user would cost more than all the visits. */
  async #instances(after: InstancePlace | null, report: CleanupReport, attempt: number): Promise<Page> {
    const users = await listUsers(this.env.DB, after?.userId ?? "", USERS_PER_PAGE);
    const begun = users.map(({ id }): InstancePlace => ({ userId: id, instanceId: "" }));
    let { instances, unreachable } = report;
    const began = Date.now();
    let left = INSTANCES_PER_PAGE;
    let isFull = false;
    let last = after;
    for (const place of after === null ? begun : [after, ...begun]) {
      const listed = await this.#toVisit(place, left, attempt);
      if (listed === null) unreachable += 1;
      else unreachable += await visitAll(this.env, place.userId, listed);
      const visited = listed?.length ?? 0;
      instances += visited;
      left -= visited;
      last = { userId: place.userId, instanceId: listed?.at(-1)?.instanceId ?? place.instanceId };
      isFull = left === 0 || Date.now() > began + LONGEST_PAGE_MS;
      if (isFull) break;
    }
    const isEnd = !isFull && users.length < USERS_PER_PAGE;
    return {
      next: isEnd ? { type: "history", shard: 0, after: null } : { type: "instances", after: last },
      report: { ...report, instances, unreachable },
    };
  }

  /** Null for a fleet that stays out of reach: it must not keep all others from their daily look. */
  async #toVisit(
    { userId, instanceId }: InstancePlace,
    limit: number,
    attempt: number,
  ): Promise<readonly Listed[] | null> {
    try {
      return await nextToVisit(this.env, userId, instanceId, limit);
    } catch (error) {
      if (attempt < TRIES_OF_A_FLEET) throw error;
      console.warn("the cleanup passes over the fleet of", userId, error);
      return null;
    }
  }

  async #history(shard: number, after: HistoryPlace | null, report: CleanupReport): Promise<Page> {
    const shards = historyShards(this.env);
    const database = historyOf(this.env, shard);
    const places = await listHistories(database, after, HISTORIES_PER_PAGE);
    const settings = readSettings(this.env);
    const before = report.startedAt - settings.HEARTBEAT_RETENTION_DAYS * DAY_MS;
    const hoursBefore = report.startedAt - settings.HOURS_RETENTION_DAYS * DAY_MS;
    let rolledUp = 0;
    for (const place of places) {
      rolledUp += await rollUpAndDelete(database, place, before, hoursBefore);
    }
    const last = places.at(-1);
    const nextShard: CleanupPart =
      shard + 1 < shards.length
        ? { type: "history", shard: shard + 1, after: null }
        : { type: "events", after: null };
    return {
      next:
        last !== undefined && places.length === HISTORIES_PER_PAGE
          ? { type: "history", shard, after: last }
          : nextShard,
      report: { ...report, rolledUp: report.rolledUp + rolledUp },
    };
  }

  async #events(shard: number, after: string | null, report: CleanupReport): Promise<Page> {
    const before = report.startedAt - readSettings(this.env).EVENT_RETENTION_DAYS * DAY_MS;
    const database = historyOf(this.env, shard);
    const { deleted, user } = await deleteOldEvents(database, after, before, EVENTS_PER_PAGE);
    const isLastShard = shard + 1 >= historyShards(this.env).length;
    const nextShard: CleanupPart | null = isLastShard
      ? null
      : { type: "events", shard: shard + 1, after: null };
    return {
      next:
        user === null
          ? nextShard
          : { type: "events", shard, after: deleted < EVENTS_PER_PAGE ? user : after },
      report: { ...report, eventsDeleted: report.eventsDeleted + deleted },
    };
  }

  async #tell(runId: string, report: CleanupReport): Promise<void> {
    const message = `Cleanup: ${report.instances} instances visited (${report.unreachable} out of reach), ${report.rolledUp} chunks of heartbeats rolled up, ${report.eventsDeleted} events deleted`;
    console.log(JSON.stringify({ message, run: runId, ...report }));
    const detail = { ...report, run: runId };
    await noteCleanup(this.env, report, {
      id: runId,
      at: report.startedAt,
      kind: "cleanup",
      severity: "info",
      message,
      detail,
    });
  }
}

/** Starts a run, unless one of this id was started before. */
export async function startCleanup(
  env: Pick<Env, "DAILY_CLEANUP">,
  runId: string,
  now: number,
): Promise<void> {
  await createOnce(env.DAILY_CLEANUP, runId, {
    part: { type: "instances", after: null },
    report: { startedAt: now, instances: 0, unreachable: 0, rolledUp: 0, eventsDeleted: 0 },
  });
}
