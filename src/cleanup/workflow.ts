import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { SERVICE_USER } from "../fleet/outage-guard.ts";
import { type InstancePlace, listToVisit } from "../fleet/registry.ts";
import { deleteOldEvents, type HistoryPlace, listHistories, rollUpAndDelete } from "../history/retention.ts";
import { historyOf, historyShards } from "../history/shards.ts";
import { DAY_MS } from "../lifecycle/model/time.ts";
import { actorOf } from "../platform/address.ts";
import { createOnce } from "../platform/create-once.ts";

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
  | { readonly type: "events"; readonly after: string | null };

interface CleanupReport {
  readonly startedAt: number;
  readonly instances: number;
  readonly unreachable: number;
  readonly rolledUp: number;
  readonly eventsDeleted: number;
}

/** An instance is one call to its actor; a history takes at most four statements. */
const INSTANCES_PER_PAGE = 100;
const HISTORIES_PER_PAGE = 50;
const EVENTS_PER_PAGE = 500;

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
    let { part, report } = event.payload;
    for (let page = 1; page <= PAGES_PER_WORKFLOW; page++) {
      const done: Page = await step.do(`${part.type}, page ${page}`, PAGE, () => this.#page(part, report));
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

  async #page(part: CleanupPart, report: CleanupReport): Promise<Page> {
    switch (part.type) {
      case "instances":
        return this.#instances(part.after, report);
      case "history":
        return this.#history(part.shard, part.after, report);
      case "events":
        return this.#events(part.after, report);
    }
  }

  async #instances(after: InstancePlace | null, report: CleanupReport): Promise<Page> {
    const places = await listToVisit(this.env.DB, after, INSTANCES_PER_PAGE);
    const visits = await Promise.allSettled(
      places.map(({ userId, instanceId }) => actorOf(this.env, userId, instanceId).cleanUp()),
    );
    const last = places.at(-1);
    return {
      next:
        last !== undefined && places.length === INSTANCES_PER_PAGE
          ? { type: "instances", after: last }
          : { type: "history", shard: 0, after: null },
      report: {
        ...report,
        instances: report.instances + places.length,
        unreachable: report.unreachable + visits.filter(({ status }) => status === "rejected").length,
      },
    };
  }

  async #history(shard: number, after: HistoryPlace | null, report: CleanupReport): Promise<Page> {
    const shards = historyShards(this.env);
    const database = historyOf(this.env, shard);
    const places = await listHistories(database, after, HISTORIES_PER_PAGE);
    const before = report.startedAt - Number(this.env.HEARTBEAT_RETENTION_DAYS) * DAY_MS;
    const hoursBefore = report.startedAt - Number(this.env.HOURS_RETENTION_DAYS) * DAY_MS;
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

  async #events(after: string | null, report: CleanupReport): Promise<Page> {
    const before = report.startedAt - Number(this.env.EVENT_RETENTION_DAYS) * DAY_MS;
    const { deleted, user } = await deleteOldEvents(this.env.DB, after, before, EVENTS_PER_PAGE);
    return {
      next: user === null ? null : { type: "events", after: deleted < EVENTS_PER_PAGE ? user : after },
      report: { ...report, eventsDeleted: report.eventsDeleted + deleted },
    };
  }

  async #tell(runId: string, report: CleanupReport): Promise<void> {
    const message = `Cleanup: ${report.instances} instances visited (${report.unreachable} out of reach), ${report.rolledUp} chunks of heartbeats rolled up, ${report.eventsDeleted} events deleted`;
    console.log(JSON.stringify({ message, run: runId, ...report }));
    await this.env.DB.prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
       VALUES (?, ?, '', ?, 'cleanup', 'info', ?, ?) ON CONFLICT DO NOTHING`,
    )
      .bind(SERVICE_USER, report.startedAt, runId, message, JSON.stringify({ ...report, run: runId }))
      .run();
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
