import { DurableObject } from "cloudflare:workers";
import { FleetActor as Fleet } from "../../src/fleet/actor.ts";
import type { Presence, UserPolicy } from "../../src/fleet/report.ts";
import { type FleetState, newFleet, parseFleet } from "../../src/fleet/rules/state.ts";
import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { DEFAULT_POLICY } from "../../src/lifecycle/model/policy-settings.ts";
import { newState } from "../../src/lifecycle/model/state.ts";
import { DAY_MS, MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { liveView } from "../../src/lifecycle/views/instance-view.ts";
import { savingsBasis } from "../../src/lifecycle/views/savings.ts";
import { fleetOf } from "../../src/platform/address.ts";

/**
 * One fleet, asked past the API. `POST /seed/<user>/<rows>/<silent>` fills it, `POST /report/<user>/<rows>/<n>` sends it
 * one report of each of n instances, and `GET /size/<user>` says how many rows and bytes it has. `POST /policy/<user>` sets
 * a policy, and `GET /policy/<user>` says whether all instances were brought it.
 */

/** The silent ones have been so since these minutes. */
const OUTAGE_MINUTES = 5;

/** Of every instance, until it reports. */
const SEEDED_REVISION = 1;

const policy = compilePolicy(DEFAULT_POLICY, 1);

export class FleetActor extends Fleet {
  /** Writes so many rows past the reports that would have made them, which would take minutes; in an outage, if any is silent. */
  async seed(rows: number, silent: number): Promise<void> {
    // The fleet begins, and its tables with it.
    await this.policy();
    const { sql } = this.ctx.storage;
    const now = Date.now();
    const { view, savings } = rowOf("", now, null);
    this.ctx.storage.transactionSync(() => {
      sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
         INSERT INTO instances (instance_id, changed, revision, registered_at, as_of, name, provider, status, health,
                                orphaned_since, silent_since, overrides, view, savings, bucket, guard_epoch, vote_epoch)
         SELECT 'i-' || i, i, ${SEEDED_REVISION}, ?2, ?2, 'i-' || i, 'webhook', IIF(i < ?3, 'orphaned', 'running'), 'healthy',
                IIF(i < ?3, ?2, NULL), IIF(i < ?3, ?4 + (i % ?5) * ?6, NULL), '{}', ?7, ?8,
                IIF(i < ?3, CAST((?4 + (i % ?5) * ?6) / ?6 AS INTEGER), NULL), IIF(i < ?3, 0, NULL), IIF(i < ?3, 0, NULL)
         FROM n`,
        rows,
        now,
        silent,
        now - 2 * OUTAGE_MINUTES * MINUTE_MS,
        OUTAGE_MINUTES,
        MINUTE_MS,
        JSON.stringify(view),
        JSON.stringify(savings),
      );
      for (const counted of ["guard", "vote"]) {
        sql.exec(
          `INSERT INTO silences (counted, epoch, bucket, instances, first_orphaned_since)
           SELECT ?, 0, bucket, COUNT(*), MIN(orphaned_since) FROM instances WHERE bucket IS NOT NULL GROUP BY bucket`,
          counted,
        );
      }
      const seenFrom = now - DAY_MS;
      const closedAt = silent === 0 ? null : now;
      const state: FleetState = {
        ...newFleet(),
        guard: { closedAt, openedAt: null, seenFrom, silentFrom: closedAt === null ? null : seenFrom },
        vote: { closedAt, openedAt: null, seenFrom, seenAt: seenFrom },
        awake: rows - silent,
        instancesByStatus: { orphaned: silent, running: rows - silent },
        revision: rows,
      };
      sql.exec("UPDATE fleet SET json = ? WHERE id = 1", JSON.stringify(state));
    });
    await this.ctx.storage.sync();
    // What is in memory is of before the seed.
    this.ctx.abort();
  }

  /**
   * Whether nothing of a policy is left to be brought, and every instance has reported since it was. Reads it past the fleet, so
   * that this sets no alarm: the one that goes on must come by itself.
   */
  async isPolicyBrought(): Promise<boolean> {
    const { sql } = this.ctx.storage;
    const { due } = parseFleet(sql.exec<{ json: string }>("SELECT json FROM fleet").one().json);
    const before = `SELECT 1 FROM instances WHERE revision = ${SEEDED_REVISION} LIMIT 1`;
    return due.policy === null && sql.exec(before).toArray().length === 0;
  }

  async size(): Promise<{ rows: number; bytes: number }> {
    const { sql } = this.ctx.storage;
    const { rows } = sql.exec<{ rows: number }>("SELECT COUNT(*) AS rows FROM instances").one();
    return { rows, bytes: sql.databaseSize };
  }
}

/** Answers at once, and then reports to its fleet as a real instance does. To register ten thousand of those takes minutes. */
export class InstanceActor extends DurableObject<Env> {
  async setUserPolicy(policy: UserPolicy): Promise<Presence> {
    const [userId = "", instanceId = ""] = this.ctx.id.name?.split("/") ?? [];
    const row = { ...rowOf(instanceId, Date.now(), null), revision: SEEDED_REVISION + policy.version };
    const nothing = { events: [], questions: [], unreachedSince: null };
    const report = { ...nothing, instanceId, row, policyVersion: policy.version };
    this.ctx.waitUntil(fleetOf(this.env, userId).report(report));
    return "known";
  }
}

/** A row as a real instance reports it. */
function rowOf(instanceId: string, now: number, silentSince: number | null) {
  const state = newState({
    name: instanceId,
    provider: "webhook",
    providerRef: null,
    hourlyCost: 1,
    hibernatedHourlyCost: 0,
    registeredAt: now,
  });
  const view = liveView(instanceId, state, policy, now);
  return {
    asOf: now,
    registeredAt: now,
    view: { ...view, status: silentSince === null ? ("running" as const) : ("orphaned" as const) },
    savings: savingsBasis(state),
    overrides: {},
    orphanedSince: silentSince === null ? null : now,
    silentSince,
  };
}

let revision = SEEDED_REVISION;

/** Each reporter falls silent and is heard by turns: what costs a fleet most. */
async function report(env: Env, userId: string, rows: number, reporters: number): Promise<void> {
  const fleet = env.FLEETS.getByName(userId);
  const now = Date.now();
  revision += 1;
  const silentSince = revision % 2 === 0 ? now - 6 * MINUTE_MS : null;
  await Promise.all(
    Array.from({ length: reporters }, async (_, index) => {
      const instanceId = `i-${Math.floor(((index + 0.5) * rows) / reporters)}`;
      const event = {
        id: revision.toString(36),
        at: now,
        kind: silentSince === null ? ("recovered" as const) : ("orphaned" as const),
        severity: "warning" as const,
        message: "Instance may be stuck: no heartbeat for 5 minutes",
        detail: { rule: "orphan.orphan_after_seconds" },
      };
      const row = { ...rowOf(instanceId, now, silentSince), revision };
      await fleet.report({
        instanceId,
        row,
        events: [event],
        questions: [],
        policyVersion: 0,
        unreachedSince: null,
      });
    }),
  );
}

// The configuration names them; no load reaches them, but for the service, which the fleet tells of its totals.
export * from "../../src/worker.ts";

export default {
  async fetch(request, env) {
    const [, what, userId = "", rows, count] = new URL(request.url).pathname.split("/");
    // Of this Worker's own class, which the binding's type does not know.
    const { FLEETS } = env as unknown as { FLEETS: DurableObjectNamespace<FleetActor> };
    const fleet = FLEETS.getByName(userId);
    switch (what) {
      case "seed":
        // It resets itself at the end, which fails the call.
        await fleet.seed(Number(rows), Number(count)).catch(() => undefined);
        // Its stub fails for good after that.
        return Response.json(await FLEETS.getByName(userId).size());
      case "report":
        await report(env, userId, Number(rows), Number(count));
        return new Response(null, { status: 204 });
      case "policy":
        if (request.method === "GET") return Response.json({ isBrought: await fleet.isPolicyBrought() });
        return Response.json(await fleet.setPolicy({ keep_alive_minutes: 30 }));
      case "size":
        return Response.json(await fleet.size());
      default:
        return new Response(null, { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;
