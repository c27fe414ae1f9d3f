import { z } from "zod";
import type { ExportedPage, ExportPlace } from "./place.ts";
import { linesOf } from "./rows.ts";

/** Who may sign in to the account of an export, and who did what. */

const ROWS_PER_PAGE = 200;

/** All at once, with those who were removed: an account has few. */
export async function exportPeople(env: Env, userId: string): Promise<ExportedPage> {
  const { results } = await env.DB.prepare(
    "SELECT id, name, email, role, created_at, last_seen_at, removed_at FROM people WHERE user_id = ? ORDER BY id",
  )
    .bind(userId)
    .all();
  return { lines: linesOf("person", results), next: { part: "identities", after: [] } };
}

const identityPlace = z.object({ issuer: z.string(), subject: z.string() });

/** How they are known when they sign in. */
export async function exportIdentities(
  env: Env,
  userId: string,
  after: readonly string[],
): Promise<ExportedPage> {
  const [issuer = "", subject = ""] = after;
  const { results } = await env.DB.prepare(
    `SELECT issuer, subject, person_id, bound_at FROM identities
     WHERE user_id = ?1 AND (issuer, subject) > (?2, ?3) ORDER BY issuer, subject LIMIT ?4`,
  )
    .bind(userId, issuer, subject, ROWS_PER_PAGE)
    .all();
  const next: ExportPlace =
    results.length < ROWS_PER_PAGE
      ? { part: "acts", after: [] }
      : { part: "identities", after: Object.values(identityPlace.parse(results.at(-1))) };
  return { lines: linesOf("identity", results), next };
}

const actPlace = z.object({ at: z.number(), id: z.string() });

export async function exportActs(
  env: Env,
  userId: string,
  after: readonly (string | number)[],
): Promise<ExportedPage> {
  const [at = -1, id = ""] = after;
  const { results } = await env.DB.prepare(
    `SELECT at, id, who, act, subject, detail FROM audit
     WHERE user_id = ?1 AND (at, id) > (?2, ?3) ORDER BY at, id LIMIT ?4`,
  )
    .bind(userId, at, id, ROWS_PER_PAGE)
    .all();
  const next: ExportPlace =
    results.length < ROWS_PER_PAGE
      ? { part: "fleet" }
      : { part: "acts", after: Object.values(actPlace.parse(results.at(-1))) };
  return { lines: linesOf("act", results), next };
}
