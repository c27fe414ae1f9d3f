-- Enrollment tokens: machines register themselves with them. Like a user token, the token itself is signed and not kept.
CREATE TABLE enrollments (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  name         TEXT NOT NULL,
  uses         INTEGER NOT NULL,         -- how many machines may be registered with it
  expires_at   INTEGER NOT NULL,
  defaults     TEXT NOT NULL,            -- JSON: what is registered of each machine
  created_at   INTEGER NOT NULL,
  last_used_at INTEGER
) WITHOUT ROWID;

CREATE INDEX enrollments_by_user ON enrollments (user_id, created_at, id);

-- Its uses: a machine takes one, however often it asks. How many are left is counted here.
CREATE TABLE enrolled_machines (
  enrollment_id TEXT NOT NULL,
  machine       TEXT NOT NULL,           -- kind of the provider and its own id: 'ec2/i-1234567890abcdef0'
  user_id       TEXT NOT NULL,
  taken_by      TEXT NOT NULL,           -- the request that took it last: only that one may give it back
  taken_at      INTEGER NOT NULL,
  registered_at INTEGER,                 -- NULL until the machine is registered
  PRIMARY KEY (enrollment_id, machine)
) WITHOUT ROWID;

CREATE INDEX enrolled_machines_by_user ON enrolled_machines (user_id, enrollment_id, machine);
