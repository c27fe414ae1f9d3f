-- Users can be suspended, and deleted with all that is theirs.

-- Since when; NULL while the user is not. Who is being deleted is suspended too.
ALTER TABLE users ADD COLUMN suspended_at INTEGER;

-- Kept for good: it is the proof that whatever still turns up of this user is to go.
CREATE TABLE user_deletions (
  user_id      TEXT PRIMARY KEY,
  requested_at INTEGER NOT NULL,
  finished_at  INTEGER,                  -- NULL until nothing is left
  progress     TEXT NOT NULL             -- JSON: what was removed so far
) WITHOUT ROWID;

-- A user's tokens: to count them, and to take them along.
CREATE INDEX tokens_by_user ON user_tokens (user_id, revoked_at);
