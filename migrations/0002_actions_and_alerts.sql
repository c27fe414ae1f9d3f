-- Providers, channels, alerts, the mass-outage guard, and the hourly roll-up.

ALTER TABLE instances ADD COLUMN provider_ref TEXT;

-- Who fell silent when: the guard counts by these, and only orphans cost them anything.
CREATE INDEX instances_by_silence ON instances (user_id, orphaned_since, status) WHERE orphaned_since IS NOT NULL;
CREATE INDEX silence_of_the_service ON instances (orphaned_since, status) WHERE orphaned_since IS NOT NULL;

-- An event is the alert. NULL: nobody is to be told. 'pending': not told yet. Else the digest that tells it.
ALTER TABLE events ADD COLUMN notice TEXT;
CREATE INDEX events_by_notice ON events (user_id, notice) WHERE notice IS NOT NULL;

-- How many instances are awake: of each user, and under '' of the whole service. Kept by the triggers below.
CREATE TABLE fleets (
  user_id TEXT PRIMARY KEY,
  awake   INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO fleets (user_id, awake)
SELECT user_id, COUNT(*) FROM instances WHERE status IN ('running', 'waking', 'hibernating') GROUP BY user_id;
INSERT INTO fleets (user_id, awake) SELECT '', COALESCE(SUM(awake), 0) FROM fleets;

CREATE TRIGGER instance_comes AFTER INSERT ON instances
WHEN new.status IN ('running', 'waking', 'hibernating')
BEGIN
  INSERT INTO fleets (user_id, awake) VALUES (new.user_id, 1), ('', 1)
  ON CONFLICT (user_id) DO UPDATE SET awake = awake + 1;
END;

CREATE TRIGGER instance_awakes AFTER UPDATE OF status ON instances
WHEN new.status IN ('running', 'waking', 'hibernating') AND old.status NOT IN ('running', 'waking', 'hibernating')
BEGIN
  INSERT INTO fleets (user_id, awake) VALUES (new.user_id, 1), ('', 1)
  ON CONFLICT (user_id) DO UPDATE SET awake = awake + 1;
END;

CREATE TRIGGER instance_falls_away AFTER UPDATE OF status ON instances
WHEN old.status IN ('running', 'waking', 'hibernating') AND new.status NOT IN ('running', 'waking', 'hibernating')
BEGIN
  UPDATE fleets SET awake = awake - 1 WHERE user_id IN (new.user_id, '');
END;

CREATE TRIGGER instance_goes AFTER DELETE ON instances
WHEN old.status IN ('running', 'waking', 'hibernating')
BEGIN
  UPDATE fleets SET awake = awake - 1 WHERE user_id IN (old.user_id, '');
END;

-- The mass-outage guard of each user, and under '' of the whole service.
CREATE TABLE guards (
  user_id     TEXT PRIMARY KEY,
  closed_at   INTEGER,                    -- NULL while it is open
  opened_at   INTEGER,
  silent_from INTEGER NOT NULL            -- orphans since this moment belong to the outage it closed for
) WITHOUT ROWID;

CREATE TABLE providers (
  user_id     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  credentials TEXT NOT NULL,              -- sealed
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (user_id, kind)
) WITHOUT ROWID;

CREATE TABLE channels (
  user_id          TEXT NOT NULL,
  id               TEXT NOT NULL,
  kind             TEXT NOT NULL,
  name             TEXT NOT NULL,
  minimum_severity TEXT NOT NULL,
  settings         TEXT NOT NULL,         -- sealed
  origin           TEXT NOT NULL,         -- where the service was reached when it was made: links begin with it
  created_at       INTEGER NOT NULL,
  last_delivery    TEXT,                  -- JSON: when, whether it was taken, and what the other side said
  PRIMARY KEY (user_id, id)
) WITHOUT ROWID;

-- Heartbeats that have outlived their detail, an hour a row.
CREATE TABLE heartbeat_hours (
  user_id              TEXT NOT NULL,
  instance_id          TEXT NOT NULL,
  hour                 INTEGER NOT NULL,  -- its first moment
  heartbeats           INTEGER NOT NULL,
  gpu_sum              REAL NOT NULL,
  gpu_heartbeats       INTEGER NOT NULL,
  gpu_max              REAL,
  cpu_sum              REAL NOT NULL,
  cpu_heartbeats       INTEGER NOT NULL,
  vram_max             REAL,
  cost_max             REAL,
  PRIMARY KEY (user_id, instance_id, hour)
) WITHOUT ROWID;
