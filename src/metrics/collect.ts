import { z } from "zod";
import { readGuards, SERVICE_USER } from "../fleet/outage-guard.ts";
import { askEveryActor } from "../instance/ask.ts";
import { isReadable } from "../instance/outcomes.ts";
import { meterOf } from "../service/meter.ts";
import type { ServiceFigures } from "./service.ts";
import type { UserFigures } from "./user.ts";

/** Collects the figures: live ones from the actors, stored ones from D1 and the meter. */

export async function collectUser(env: Env, userId: string): Promise<UserFigures> {
  const [answers, hibernations] = await Promise.all([
    askEveryActor(env, userId, async (actor) => {
      try {
        return await actor.sample();
      } catch {
        return "failed";
      }
    }),
    readHibernations(env.DB, userId),
  ]);
  const errors = answers.filter((answer) => answer === "failed").length;
  const known = answers.filter((answer) => answer !== null && answer !== "failed");
  const samples = known.filter(isReadable);
  return { samples, unreadable: known.length - samples.length, errors, hibernations };
}

const statusRow = z.object({ status: z.string(), instances: z.number() });
const cleanupDetail = z.object({ startedAt: z.number(), instances: z.number(), unreachable: z.number() });

export async function collectService(env: Env): Promise<ServiceFigures> {
  const [counts, guards, hibernations, [statuses, closed, cleanup]] = await Promise.all([
    meterOf(env).read(),
    readGuards(env.DB, SERVICE_USER),
    readHibernations(env.DB, SERVICE_USER),
    env.DB.batch<Record<string, unknown>>([
      env.DB.prepare("SELECT status, instances FROM status_counts"),
      env.DB.prepare(
        "SELECT COUNT(*) AS closed FROM guards WHERE closed_at IS NOT NULL AND user_id <> ?",
      ).bind(SERVICE_USER),
      env.DB.prepare(
        "SELECT detail FROM events WHERE user_id = ? AND kind = 'cleanup' ORDER BY at DESC LIMIT 1",
      ).bind(SERVICE_USER),
    ]),
  ]);
  const detail = z.object({ detail: z.string() }).safeParse(cleanup?.results[0]).data?.detail;
  return {
    instancesByStatus: z.array(statusRow).parse(statuses?.results ?? []),
    counts,
    guard: guards.service,
    closedUserGuards: z.object({ closed: z.number() }).parse(closed?.results[0]).closed,
    hibernations,
    cleanup: detail === undefined ? null : cleanupDetail.parse(JSON.parse(detail)),
  };
}

const hibernationRow = z.object({ reason: z.string(), hibernations: z.number(), regretted: z.number() });

async function readHibernations(db: D1Database, userId: string): Promise<UserFigures["hibernations"]> {
  const { results } = await db
    .prepare("SELECT reason, hibernations, regretted FROM hibernation_counts WHERE user_id = ?")
    .bind(userId)
    .all();
  return z.array(hibernationRow).parse(results);
}
