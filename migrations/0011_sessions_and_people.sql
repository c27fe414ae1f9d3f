-- People sign in once a browser, several to an account, each with a role; and who did what is kept.

-- What a token may do, and until when. NULL: it does not end. The former release knows tokens of scope "user" alone, so only
-- those of owners without an end are of that scope: after a rollback no other token does more than it may.
ALTER TABLE user_tokens ADD COLUMN role TEXT NOT NULL DEFAULT 'owner';
ALTER TABLE user_tokens ADD COLUMN expires_at INTEGER;
ALTER TABLE user_tokens ADD COLUMN last_used_at INTEGER;
-- The person or token that made it. NULL: the operator, or not known.
ALTER TABLE user_tokens ADD COLUMN made_by_id TEXT;

-- In what words and in whose time the account is told; NULL: not chosen.
ALTER TABLE users ADD COLUMN language TEXT;
ALTER TABLE users ADD COLUMN time_zone TEXT;
-- When the last token ended, of users or for enrollment, or way to sign in was disconnected, of which no record is left: an export
-- from before may hold it. NULL: none.
ALTER TABLE users ADD COLUMN keys_forgotten_until INTEGER;

-- Those who sign in to an account without a token.
CREATE TABLE people (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  name         TEXT NOT NULL,
  email        TEXT,                     -- in lower case; NULL: not known
  role         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER,
  removed_at   INTEGER                   -- NULL while the person may sign in
) WITHOUT ROWID;

CREATE INDEX people_by_user ON people (user_id, removed_at);
CREATE INDEX people_by_email ON people (email) WHERE email IS NOT NULL AND removed_at IS NULL;

-- How an OpenID provider knows a person: by its own name and its subject, never by the address alone.
CREATE TABLE identities (
  issuer    TEXT NOT NULL,
  subject   TEXT NOT NULL,
  user_id   TEXT NOT NULL,
  person_id TEXT NOT NULL,
  bound_at  INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject, user_id)
) WITHOUT ROWID;

CREATE INDEX identities_by_person ON identities (person_id);
CREATE INDEX identities_by_user ON identities (user_id);

-- Browsers that are signed in. The secret rests in the browser's cookie alone. A session is good for as long as what it stems
-- from: a token that is not revoked and has not ended, or a person who was not removed; and it does what that may do now.
CREATE TABLE sessions (
  digest       TEXT PRIMARY KEY,         -- SHA-256 of the cookie's secret, in hexadecimal
  id           TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  token_id     TEXT,                     -- exactly one of these two
  person_id    TEXT,
  device       TEXT NOT NULL,            -- as the browser names itself, shortened
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,         -- at most some minutes too old
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER
) WITHOUT ROWID;

CREATE UNIQUE INDEX sessions_by_id ON sessions (user_id, id);

-- Links that sign in once: made by the operator or sent by e-mail, or the invitation of a new person. What a person or a token
-- made stands only while they may still make it.
CREATE TABLE sign_in_links (
  digest       TEXT PRIMARY KEY,         -- SHA-256 of the link's secret, in hexadecimal
  id           TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  person_id    TEXT,                     -- NULL: whoever follows it becomes a person of the account
  role         TEXT,                     -- of an invitation
  name         TEXT,
  email        TEXT,
  made_by      TEXT NOT NULL,            -- who made it, in words: 'operator', or a person's or token's name
  made_by_kind TEXT NOT NULL,            -- 'operator', 'e-mail', 'person' or 'token'
  made_by_id   TEXT,                     -- the person's or token's
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  used_at      INTEGER
) WITHOUT ROWID;

CREATE UNIQUE INDEX sign_in_links_by_id ON sign_in_links (user_id, id);

-- Who did what in an account.
CREATE TABLE audit (
  user_id TEXT NOT NULL,
  at      INTEGER NOT NULL,
  id      TEXT NOT NULL,
  who     TEXT NOT NULL,                 -- JSON: the token or person, by id and name
  act     TEXT NOT NULL,                 -- the operation's id in the API, such as 'hibernateInstance'
  subject TEXT,                          -- what it was done to, such as an instance's id
  detail  TEXT NOT NULL,                 -- JSON: what of the request may be kept; never a secret
  PRIMARY KEY (user_id, at, id)
) WITHOUT ROWID;
