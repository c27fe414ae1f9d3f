import { z } from "zod";
import { issueSecret } from "./secrets.ts";

/** Links by which the operator lets the owner of an account in. */

/** So many links that are used or over are kept of an account: the newest. */
const LINKS_KEPT = 200;

/**
 * Makes a link that signs in as the account's first owner, once. Where no person of the account is an owner, it makes one, named as
 * the account. Returns its secret; null for an account that there is not.
 */
export async function createOwnerLink(
  env: Pick<Env, "DB" | "TOKEN_KEY">,
  userId: string,
  { now, expiresAt }: { readonly now: number; readonly expiresAt: number },
): Promise<string | null> {
  const { secret, digest } = await issueSecret(env.TOKEN_KEY, "link");
  const [, made] = await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO people (id, user_id, name, role, created_at)
       SELECT ?2, id, name, 'owner', ?3 FROM users WHERE id = ?1 AND NOT EXISTS (
         SELECT 1 FROM people WHERE user_id = ?1 AND role = 'owner' AND removed_at IS NULL)`,
    ).bind(userId, `p-${crypto.randomUUID()}`, now),
    env.DB.prepare(
      `INSERT INTO sign_in_links (digest, id, user_id, person_id, made_by, made_by_kind, created_at, expires_at)
       SELECT ?2, ?3, user_id, id, 'operator', 'operator', ?4, ?5 FROM people
       WHERE user_id = ?1 AND role = 'owner' AND removed_at IS NULL ORDER BY created_at, id LIMIT 1 RETURNING id`,
    ).bind(userId, digest, `l-${crypto.randomUUID()}`, now, expiresAt),
    env.DB.prepare(
      `DELETE FROM sign_in_links WHERE user_id = ?1 AND id IN (
         SELECT id FROM sign_in_links WHERE user_id = ?1 AND (used_at IS NOT NULL OR expires_at <= ?2)
         ORDER BY created_at DESC, id LIMIT -1 OFFSET ?3)`,
    ).bind(userId, now, LINKS_KEPT),
  ]);
  return z.array(z.unknown()).nonempty().safeParse(made?.results).success ? secret : null;
}
