/** Who makes links and tokens. What somebody made must not let them in again once they are out. */

export interface Maker {
  readonly kind: "person" | "token";
  readonly id: string;
  readonly name: string;
}

/**
 * Whether a row of `sign_in_links` stands at `?2`: whoever made it may still make it. Only owners invite. One whose maker this
 * version does not know lets nobody in.
 */
export const MAKER_STANDS = `CASE made_by_kind
  WHEN 'operator' THEN TRUE
  WHEN 'e-mail' THEN TRUE
  WHEN 'person' THEN EXISTS (SELECT 1 FROM people AS maker
    WHERE maker.id = sign_in_links.made_by_id AND maker.user_id = sign_in_links.user_id
      AND maker.removed_at IS NULL AND maker.role = 'owner')
  WHEN 'token' THEN EXISTS (SELECT 1 FROM user_tokens AS maker
    WHERE maker.id = sign_in_links.made_by_id AND maker.user_id = sign_in_links.user_id
      AND maker.revoked_at IS NULL AND (maker.expires_at IS NULL OR maker.expires_at > ?2) AND maker.role = 'owner')
  ELSE FALSE END`;
