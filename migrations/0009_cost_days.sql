-- What each instance has cost on each UTC day that is over. Its user's fleet writes them, all of a user into one database.
CREATE TABLE cost_days (
  user_id            TEXT NOT NULL,
  day                INTEGER NOT NULL,   -- its first instant
  instance_id        TEXT NOT NULL,
  working_seconds    REAL NOT NULL,
  working            REAL NOT NULL,      -- dollars
  idle_seconds       REAL NOT NULL,
  idle               REAL NOT NULL,
  silent_seconds     REAL NOT NULL,
  silent             REAL NOT NULL,
  hibernated_seconds REAL NOT NULL,
  hibernated         REAL NOT NULL,
  wasted             REAL NOT NULL,
  saved              REAL NOT NULL,
  reported           REAL NOT NULL,      -- of the dollars: by the machine itself
  unpriced_seconds   REAL NOT NULL,      -- of which the dollars say nothing
  provider           TEXT NOT NULL,
  tags               TEXT NOT NULL,      -- JSON
  closed_at          INTEGER NOT NULL,   -- when that was reckoned: an earlier word that arrives late changes nothing
  PRIMARY KEY (user_id, day, instance_id)
) WITHOUT ROWID;
