import { z } from "zod";
import { toIso } from "../lifecycle/model/time.ts";
import {
  changeGuard,
  type FleetCount,
  type Guard,
  type GuardChange,
  type GuardRule,
  type GuardWithOutage,
  NEVER_CLOSED,
  type OutageSpan,
  outageSpan,
  reviewGuard,
  serviceRule,
  voteRule,
} from "../lifecycle/rules/outage-guard.ts";

/**
 * The mass-outage guards in D1: one of each user, and one of the whole service, which counts the users' votes. They are
 * reviewed whenever the registry learns that an instance fell silent, is heard again or is gone, and whenever one asks;
 * a change of one is an event, and the event is the alert.
 *
 * An instance that is silent but no orphan yet by its own long `orphan_after_seconds` counts as awake: the registry
 * cannot know, since a steady heartbeat writes nothing to it. Once it is an orphan it counts with those who were last
 * heard when it was.
 */

/** The service's own guard and events stand under this user. */
export const SERVICE_USER = "";

/** Whose guards are reviewed, and for which instance. */
interface Review {
  readonly userId: string;
  readonly userRule: GuardRule;
  /** The rule of the service's default policy. */
  readonly standardRule: GuardRule;
  /** The last sign of life of the instance if it is silent, else null: then no guard closes for it. */
  readonly seenAt: number | null;
  /** Whether it asks, so that the service's guard is reviewed even if it and the user's vote stand open. */
  readonly asks: boolean;
}

/** Reviews the guards and gives back how they stand then. Safe to repeat: each change is made, and told, once. */
export async function reviewGuards(
  db: D1Database,
  { userId, userRule, standardRule, seenAt, asks }: Review,
  now: number,
): Promise<{ user: Guard; service: Guard }> {
  const before = await readGuards(db, userId);
  const [user, vote] = await Promise.all([
    settle(keptByUser(db, userId, userRule), before.user, seenAt, now),
    settle(voteOf(db, userId, voteRule(standardRule, userRule, before.service)), before.vote, seenAt, now),
  ]);
  const concerned =
    asks || before.service.closedAt !== null || vote.closedAt !== null || vote !== before.vote;
  const service = concerned
    ? await settle(keptByService(db, serviceRule(standardRule)), before.service, seenAt, now)
    : before.service;
  return { user, service };
}

interface Facts extends FleetCount {
  /** When the first of the silent ones was found to be so; null without any. */
  readonly silentFrom: number | null;
}

/** A guard, or a vote: by which rule it stands, what it counts, and how a change of it is kept. */
interface Keeper {
  readonly rule: GuardRule;
  count(span: OutageSpan): Promise<Facts>;
  write(change: Change): Promise<void>;
}

interface Change {
  readonly kind: Exclude<GuardChange, null>;
  readonly from: GuardWithOutage;
  readonly to: GuardWithOutage;
  readonly facts: Facts;
}

async function settle(
  keeper: Keeper,
  guard: GuardWithOutage,
  seenAt: number | null,
  now: number,
): Promise<GuardWithOutage> {
  const span = outageSpan(guard, seenAt, keeper.rule);
  if (span === null) return guard;
  const facts = await keeper.count(span);
  const kind = reviewGuard(guard, facts, keeper.rule, now);
  if (kind === null) return guard;
  const to = changeGuard(guard, kind, span, keeper.rule, now);
  await keeper.write({ kind, from: guard, to, facts });
  // One that was due to open long ago may have to close for what has happened since.
  return kind === "opens for good" ? settle(keeper, to, seenAt, now) : to;
}

function keptByUser(db: D1Database, userId: string, rule: GuardRule): Keeper {
  return {
    rule,
    count: (span) => countInstances(db, userId, span),
    write: (change) => writeGuard(db, userId, { whose: "your", what: "instances" }, change),
  };
}

function keptByService(db: D1Database, rule: GuardRule): Keeper {
  return {
    rule,
    count: (span) => countUsers(db, span),
    write: (change) => writeGuard(db, SERVICE_USER, { whose: "the service's", what: "users" }, change),
  };
}

function voteOf(db: D1Database, userId: string, rule: GuardRule): Keeper {
  return {
    rule,
    count: (span) => countInstances(db, userId, span),
    write: async ({ kind, to }) => {
      await (kind === "closes"
        ? db
            .prepare(
              `INSERT INTO outage_votes (user_id, closed_at, opened_at, seen_from, seen_at) VALUES (?1, ?2, NULL, ?3, ?4)
               ON CONFLICT (user_id) DO UPDATE SET closed_at = ?2, seen_from = ?3, seen_at = ?4 WHERE closed_at IS NULL`,
            )
            .bind(userId, to.closedAt, to.seenFrom, to.seenFrom + rule.windowMs)
        : db
            .prepare(
              "UPDATE outage_votes SET closed_at = NULL, opened_at = ?2 WHERE user_id = ?1 AND closed_at IS NOT NULL",
            )
            .bind(userId, to.openedAt)
      ).run();
    },
  };
}

const keptRow = z.object({
  closed_at: z.number().nullable(),
  opened_at: z.number().nullable(),
  seen_from: z.number(),
});

/** How the user's guard and the service's stand, as last reviewed, and the user's vote on the latter. */
export async function readGuards(
  db: D1Database,
  userId: string,
): Promise<{ user: GuardWithOutage; service: GuardWithOutage; vote: GuardWithOutage }> {
  const { results } = await db
    .prepare(
      `SELECT 'user' AS whose, closed_at, opened_at, seen_from FROM guards WHERE user_id = ?1
       UNION ALL SELECT 'service', closed_at, opened_at, seen_from FROM guards WHERE user_id = ?2
       UNION ALL SELECT 'vote', closed_at, opened_at, seen_from FROM outage_votes WHERE user_id = ?1`,
    )
    .bind(userId, SERVICE_USER)
    .all();
  const of = (whose: "user" | "service" | "vote"): GuardWithOutage => {
    const found = results.find((row) => row.whose === whose);
    if (found === undefined) return NEVER_CLOSED;
    const row = keptRow.parse(found);
    return { closedAt: row.closed_at, openedAt: row.opened_at, seenFrom: row.seen_from };
  };
  return { user: of("user"), service: of("service"), vote: of("vote") };
}

const factsRow = z.object({
  silent: z.number(),
  awake: z.number(),
  silent_from: z.number().nullable(),
});

async function readFacts(statement: D1PreparedStatement): Promise<Facts> {
  const { silent, awake, silent_from } = factsRow.parse(await statement.first());
  return { silent, awake, silentFrom: silent_from };
}

/** The user's instances: who fell silent together, and how many are awake. */
function countInstances(db: D1Database, userId: string, span: OutageSpan): Promise<Facts> {
  return readFacts(
    db
      .prepare(
        `SELECT COUNT(*) AS silent, MIN(orphaned_since) AS silent_from,
                COALESCE((SELECT awake FROM fleets WHERE user_id = ?1), 0) AS awake
         FROM instances
         WHERE user_id = ?1 AND silent_since BETWEEN ?2 AND ?3 AND orphaned_since > ?4`,
      )
      .bind(userId, span.seenFrom, span.seenUntil, span.orphanedAfter),
  );
}

/** All users: who votes "silent" for the same outage, and who of the others has an instance that is awake. */
function countUsers(db: D1Database, span: OutageSpan): Promise<Facts> {
  return readFacts(
    db
      .prepare(
        `WITH silent (user_id, seen_at) AS (
           SELECT user_id, seen_at FROM outage_votes
           WHERE closed_at IS NOT NULL AND seen_at BETWEEN ?1 AND ?2 AND closed_at > ?3
         )
         SELECT COUNT(*) AS silent, MIN(seen_at) AS silent_from,
                (SELECT COUNT(*) FROM fleets WHERE awake > 0 AND user_id NOT IN (SELECT user_id FROM silent)) AS awake
         FROM silent`,
      )
      .bind(span.seenFrom, span.seenUntil, span.orphanedAfter),
  );
}

async function writeGuard(
  db: D1Database,
  scope: string,
  words: { readonly whose: string; readonly what: "instances" | "users" },
  { kind, from, to, facts: { silent, awake, silentFrom } }: Change,
): Promise<void> {
  const total = silent + awake;
  const opening =
    kind === "opens"
      ? `The mass outage is over: ${awake} of ${total} ${words.what} are heard. Silence counts anew from now`
      : `The mass outage has lasted too long: ${silent} of ${total} ${words.what} count as abandoned. Silence counts anew from now`;
  const event =
    to.closedAt === null
      ? { at: to.openedAt ?? 0, kind: "guard_opened", severity: "info", message: opening }
      : {
          at: to.closedAt,
          kind: "guard_closed",
          severity: "critical",
          message: `Mass outage: ${silent} of ${words.whose} ${total} ${words.what} fell silent at once. Nothing is hibernated or deleted for silence until it is clear`,
        };
  const update =
    to.closedAt === null
      ? db
          .prepare(
            "UPDATE guards SET closed_at = NULL, opened_at = ?2 WHERE user_id = ?1 AND closed_at IS NOT NULL",
          )
          .bind(scope, to.openedAt)
      : db
          .prepare(
            `INSERT INTO guards (user_id, closed_at, opened_at, silent_from, seen_from) VALUES (?1, ?2, NULL, ?3, ?4)
             ON CONFLICT (user_id) DO UPDATE SET closed_at = ?2, silent_from = ?3, seen_from = ?4
             WHERE closed_at IS NULL`,
          )
          .bind(scope, to.closedAt, silentFrom ?? to.seenFrom, to.seenFrom);
  // Of two instances that see the change at once, one makes it, and only its event finds the guard so.
  const told = db
    .prepare(
      `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
       SELECT ?1, ?2, '', ?3, ?4, ?5, ?6, ?7,
              CASE WHEN EXISTS (SELECT 1 FROM channels WHERE user_id = ?1) THEN 'pending' END
       FROM guards WHERE user_id = ?1 AND ${to.closedAt === null ? "opened_at" : "closed_at"} = ?2
       ON CONFLICT DO NOTHING`,
    )
    .bind(
      scope,
      event.at,
      `${event.kind}-${event.at.toString(36)}`,
      event.kind,
      event.severity,
      event.message,
      JSON.stringify({
        rule: "guard",
        silent,
        [words.what]: total,
        ...(from.closedAt === null ? {} : { closed_at: toIso(from.closedAt) }),
      }),
    );
  await db.batch([update, told]);
}
