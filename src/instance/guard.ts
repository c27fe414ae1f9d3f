import { z } from "zod";
import type { GuardedStep } from "../lifecycle/effects.ts";
import {
  answerGuard,
  type Guard,
  type GuardChange,
  type GuardRule,
  OPEN_GUARD,
  reviewGuard,
  SERVICE_MINIMUM_INSTANCES,
} from "../lifecycle/guard.ts";
import type { InstanceEvent } from "../lifecycle/instance-event.ts";
import { compilePolicy, DEFAULT_POLICY } from "../lifecycle/policy.ts";
import { toIso } from "../lifecycle/time.ts";

/**
 * The mass-outage guards in D1: one of each user, and one of the whole service. They are reviewed whenever an instance
 * falls silent, is heard again, or asks; a change of one is an event, and the event is the alert.
 */

/** The service's own guard and events stand under this user. */
export const SERVICE_USER = "";

const factsRow = z.object({
  closed_at: z.number().nullable(),
  opened_at: z.number().nullable(),
  awake: z.number().nullable(),
  silent_in_window: z.number(),
  silent_since_closing: z.number(),
});

type Facts = z.infer<typeof factsRow>;

/** The rule of the service-wide guard: the default policy's, for more instances than one user's few. */
function serviceRule(speed: number): GuardRule {
  return { ...compilePolicy(DEFAULT_POLICY, speed).guard, minimumInstances: SERVICE_MINIMUM_INSTANCES };
}

/**
 * Reviews both guards after the instance fell silent, or was heard again, around `anchor`. Gives back how they stand
 * then. Safe to repeat: each change is made, and told, once.
 */
export async function reviewGuards(
  db: D1Database,
  userId: string,
  userRule: GuardRule,
  anchor: number,
  speed: number,
  now: number,
): Promise<{ user: Guard; service: Guard }> {
  const [forUser, forService] = await db.batch([
    factsStatement(db, userId, userRule, anchor),
    factsStatement(db, SERVICE_USER, serviceRule(speed), anchor),
  ]);
  const review = async (scope: string, rule: GuardRule, rows: D1Result | undefined): Promise<Guard> => {
    const facts = factsRow.parse(rows?.results[0]);
    const guard: Guard = { closedAt: facts.closed_at, openedAt: facts.opened_at };
    const silent = guard.closedAt === null ? facts.silent_in_window : facts.silent_since_closing;
    const change = reviewGuard(guard, { silent, awake: facts.awake ?? 0 }, rule, now);
    // The service-wide guard never opens by time alone: deletes wait for as long as it is closed.
    if (change === null || (scope === SERVICE_USER && change === "opens for good")) return guard;
    await writeChange(db, scope, change, facts, silent, anchor - rule.windowMs, now);
    return change === "closes" ? { ...guard, closedAt: now } : { closedAt: null, openedAt: now };
  };
  return {
    user: await review(userId, userRule, forUser),
    service: await review(SERVICE_USER, serviceRule(speed), forService),
  };
}

/** What the guards say to a step that an instance orphaned at `orphanedSince` would take. */
export async function askGuards(
  db: D1Database,
  userId: string,
  userRule: GuardRule,
  question: { readonly step: GuardedStep; readonly orphanedSince: number },
  speed: number,
  now: number,
): Promise<InstanceEvent> {
  const { user, service } = await reviewGuards(db, userId, userRule, question.orphanedSince, speed, now);
  const answer = answerGuard(question.step, user, service, serviceRule(speed).maxHoldMs, now);
  const { step } = question;
  return answer.held
    ? { type: "guard.deferred", step }
    : { type: "guard.permitted", step, openedAt: answer.openedAt };
}

/** How the user's guard and the service's stand, as last reviewed. */
export async function readGuards(db: D1Database, userId: string): Promise<{ user: Guard; service: Guard }> {
  const { results } = await db
    .prepare("SELECT user_id, closed_at, opened_at FROM guards WHERE user_id IN (?, ?)")
    .bind(userId, SERVICE_USER)
    .all<{ user_id: string; closed_at: number | null; opened_at: number | null }>();
  const of = (scope: string): Guard => {
    const row = results.find((each) => each.user_id === scope);
    return row === undefined ? OPEN_GUARD : { closedAt: row.closed_at, openedAt: row.opened_at };
  };
  return { user: of(userId), service: of(SERVICE_USER) };
}

/** Who fell silent before the guard last opened belongs to an outage that is over, and counts no more. */
function factsStatement(db: D1Database, scope: string, rule: GuardRule, anchor: number): D1PreparedStatement {
  const silent = `SELECT COUNT(*) FROM instances
                  WHERE ${scope === SERVICE_USER ? "" : "user_id = ?1 AND "}status = 'orphaned' AND orphaned_since`;
  return db
    .prepare(
      `SELECT guard.closed_at, guard.opened_at, fleet.awake,
              (${silent} > MAX(?2 - ?3, COALESCE(guard.opened_at, 0)) AND orphaned_since <= ?2 + ?3) AS silent_in_window,
              (${silent} >= guard.silent_from) AS silent_since_closing
       FROM (SELECT ?1 AS scope)
       LEFT JOIN guards AS guard ON guard.user_id = scope
       LEFT JOIN fleets AS fleet ON fleet.user_id = scope`,
    )
    .bind(scope, anchor, rule.windowMs);
}

async function writeChange(
  db: D1Database,
  scope: string,
  change: Exclude<GuardChange, null>,
  facts: Facts,
  silent: number,
  silentFrom: number,
  now: number,
): Promise<void> {
  const total = silent + (facts.awake ?? 0);
  const whose = scope === SERVICE_USER ? "the service's" : "your";
  const [kind, severity, message] =
    change === "closes"
      ? [
          "guard_closed",
          "critical",
          `Mass outage: ${silent} of ${whose} ${total} instances fell silent at once. Nothing is hibernated or deleted for silence until it is clear`,
        ]
      : [
          "guard_opened",
          "info",
          change === "opens"
            ? `The mass outage is over: ${facts.awake ?? 0} of ${total} instances are heard. Silence counts anew from now`
            : `The mass outage has lasted too long: ${silent} of ${total} instances count as abandoned. Silence counts anew from now`,
        ];
  const update =
    change === "closes"
      ? db
          .prepare(
            `INSERT INTO guards (user_id, closed_at, opened_at, silent_from) VALUES (?1, ?2, NULL, ?3)
             ON CONFLICT (user_id) DO UPDATE SET closed_at = ?2, silent_from = ?3 WHERE closed_at IS NULL`,
          )
          .bind(scope, now, silentFrom)
      : db
          .prepare(
            "UPDATE guards SET closed_at = NULL, opened_at = ?2 WHERE user_id = ?1 AND closed_at IS NOT NULL",
          )
          .bind(scope, now);
  // Of two instances that see the change at once, one makes it, and only its event finds the guard so.
  const event = db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
       SELECT ?1, ?2, '', ?3, ?4, ?5, ?6, ?7,
              CASE WHEN EXISTS (SELECT 1 FROM channels WHERE user_id = ?1) THEN 'pending' END
       FROM guards WHERE user_id = ?1 AND ${change === "closes" ? "closed_at" : "opened_at"} = ?2
       ON CONFLICT DO NOTHING`,
    )
    .bind(
      scope,
      now,
      `${kind}-${now.toString(36)}`,
      kind,
      severity,
      message,
      JSON.stringify({
        rule: "guard",
        silent,
        instances: total,
        ...(facts.closed_at === null ? {} : { closed_at: toIso(facts.closed_at) }),
      }),
    );
  await db.batch([update, event]);
}
