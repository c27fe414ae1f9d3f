import { DurableObject } from "cloudflare:workers";
import { DailyCleanup as Cleanup, startCleanup } from "../../src/cleanup/workflow.ts";
import type { Presence } from "../../src/fleet/report.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/lifecycle/model/time.ts";
import { hashText } from "../../src/platform/hash.ts";
import { FleetActor as SeededFleet } from "./fleet.ts";

export * from "../../src/worker.ts";

/**
 * A cleanup of many instances. `POST /seed/<users>/<each>/<chunks>` makes so many users with so many instances each, of which
 * every one has so many old chunks of two heartbeats, as many old hours and an old event. `POST /run/<id>` begins, and
 * `GET /run/<id>` says how it stands and what is left in D1.
 */

/** Of the benchmark of a fleet: it can be filled past the reports. */
export class FleetActor extends SeededFleet {}

/** The cleanup itself. Its instances share a few objects: a hundred thousand with a file each would measure this machine's disk. */
export class DailyCleanup extends Cleanup {
  constructor(ctx: ExecutionContext, env: Env) {
    const { INSTANCES } = env;
    const few = { getByName: (name: string) => INSTANCES.getByName(String(hashText(name) % OBJECTS)) };
    super(ctx, new Proxy(env, { get: (all, name) => (name === "INSTANCES" ? few : Reflect.get(all, name)) }));
  }
}

const OBJECTS = 64;

/** Answers at once. */
export class InstanceActor extends DurableObject<Env> {
  async cleanUp(): Promise<Presence> {
    return "known";
  }
}

const INSTANCES_PER_STATEMENT = 2_000;

async function seed(env: Env, users: number, each: number, chunks: number): Promise<void> {
  const old = Math.floor((Date.now() - 10 * DAY_MS) / HOUR_MS) * HOUR_MS;
  const older = old - 410 * DAY_MS;
  // Of this Worker's own class, which the binding's type does not know.
  const { FLEETS } = env as unknown as { FLEETS: DurableObjectNamespace<FleetActor> };
  for (let user = 0; user < users; user++) {
    const userId = `u-${String(user).padStart(6, "0")}`;
    await env.DB.prepare("INSERT INTO users (id, name, created_at) VALUES (?, ?, ?)")
      .bind(userId, userId, old)
      .run();
    // It resets itself at the end, which fails the call.
    await FLEETS.getByName(userId)
      .seed(each, 0)
      .catch(() => undefined);
    for (let from = 0; from < each; from += INSTANCES_PER_STATEMENT) {
      const rigs = `WITH RECURSIVE rig (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM rig
        WHERE i + 1 < ${Math.min(each, from + INSTANCES_PER_STATEMENT)}),
        part (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM part WHERE n + 1 < ${chunks})`;
      await env.DB.batch([
        env.DB.prepare(
          `INSERT INTO heartbeat_chunks (user_id, instance_id, first_at, first_sequence, last_at, samples)
           ${rigs} SELECT '${userId}', 'i-' || i, ${old} + n * ${30 * MINUTE_MS}, n, 0,
             json_array(json_array(${old} + n * ${30 * MINUTE_MS}, 50, 1, 50, 1, 1, 1, 1, null),
                        json_array(${old + MINUTE_MS} + n * ${30 * MINUTE_MS}, 60, 1, 50, 1, 1, 1, 1, null))
           FROM rig, part`,
        ),
        env.DB.prepare(
          `INSERT INTO heartbeat_hours (user_id, instance_id, hour, heartbeats, gpu_sum, gpu_heartbeats, cpu_sum, cpu_heartbeats)
           ${rigs} SELECT '${userId}', 'i-' || i, ${older} + n * ${HOUR_MS}, 60, 0, 0, 0, 0 FROM rig, part`,
        ),
        env.DB.prepare(
          `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail)
           ${rigs} SELECT '${userId}', ${older} + i, 'i-' || i, 'e', 'registered', 'info', '', '{}' FROM rig, part WHERE n = 0`,
        ),
      ]);
    }
  }
}

/** One chunk that can't be read, in the middle of them all. */
async function spoil(env: Env): Promise<void> {
  await env.DB.prepare(
    `UPDATE heartbeat_chunks SET samples = 'no JSON' WHERE (user_id, instance_id, first_at, first_sequence) IN
       (SELECT user_id, instance_id, first_at, first_sequence FROM heartbeat_chunks LIMIT 1 OFFSET 1000)`,
  ).run();
}

async function standing(env: Env, id: string) {
  const status = await (await env.DAILY_CLEANUP.get(id)).status();
  const left = await env.DB.prepare(
    `SELECT (SELECT COUNT(*) FROM heartbeat_chunks) AS chunks, (SELECT COUNT(*) FROM heartbeat_hours) AS hours,
            (SELECT COUNT(*) FROM events) AS events, (SELECT SUM(heartbeats) FROM heartbeat_hours) AS heartbeats`,
  ).first();
  return { status: status.status, output: status.output ?? null, left };
}

export default {
  fetch: async (request, env) => {
    const [, action, ...of] = new URL(request.url).pathname.split("/");
    const [first = 0, second = 0, third = 0] = of.map(Number);
    switch (`${request.method} ${action}`) {
      case "POST seed":
        await seed(env, first, second, third);
        await spoil(env);
        return new Response(null, { status: 204 });
      case "POST run":
        await startCleanup(env, of[0] ?? "", Date.now());
        return new Response(null, { status: 204 });
      case "GET run":
        return Response.json(await standing(env, of[0] ?? ""));
      default:
        return new Response(null, { status: 404 });
    }
  },
} satisfies ExportedHandler<Env>;
