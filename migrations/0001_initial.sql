-- What must be found without knowing an instance. Every table is WITHOUT ROWID: a TEXT key then costs one
-- written row, not two. Times are milliseconds since the epoch, UTC.

CREATE TABLE users (
  id             TEXT PRIMARY KEY,
  name           TEXT NOT NULL,
  policy         TEXT NOT NULL DEFAULT '{}',  -- JSON: the user's overrides of the service's default policy
  policy_version INTEGER NOT NULL DEFAULT 0,  -- grows with each change, so that an instance never takes an older one
  created_at     INTEGER NOT NULL
) WITHOUT ROWID;

-- User tokens. The token itself is signed and not kept; the row says that it may still be used.
CREATE TABLE user_tokens (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) WITHOUT ROWID;

-- The registry: a projection that each instance's actor keeps up to date.
CREATE TABLE instances (
  user_id                TEXT NOT NULL,
  instance_id            TEXT NOT NULL,
  name                   TEXT NOT NULL,
  provider               TEXT NOT NULL,
  hourly_cost            REAL,
  hibernated_hourly_cost REAL,
  policy                 TEXT NOT NULL,       -- JSON: the instance's own overrides
  status                 TEXT NOT NULL,
  registered_at          INTEGER NOT NULL,
  orphaned_since         INTEGER,
  revision               INTEGER NOT NULL,    -- grows; a late write of an older state changes nothing
  PRIMARY KEY (user_id, instance_id)
) WITHOUT ROWID;

CREATE TABLE events (
  user_id     TEXT NOT NULL,
  at          INTEGER NOT NULL,
  instance_id TEXT NOT NULL,
  id          TEXT NOT NULL,                  -- unique for the instance: the same event twice is one row
  kind        TEXT NOT NULL,
  severity    TEXT NOT NULL,
  message     TEXT NOT NULL,
  detail      TEXT NOT NULL,                  -- JSON: rule, threshold, evidence, times
  PRIMARY KEY (user_id, at, instance_id, id)
) WITHOUT ROWID;

CREATE INDEX events_by_instance ON events (user_id, instance_id, at, id);

-- Heartbeats, about ten a row. `samples` is a JSON array with one array a heartbeat:
-- [at, gpu_utilization, vram_used_gb, cpu_utilization, ram_used_gb, disk_used_gb, cost_accumulated,
--  uptime_seconds, status]. Columns may be added at the end, never moved.
CREATE TABLE heartbeat_chunks (
  user_id        TEXT NOT NULL,
  instance_id    TEXT NOT NULL,
  first_at       INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,            -- the number of the chunk's first heartbeat; they follow without a hole
  last_at        INTEGER NOT NULL,            -- at most an hour after first_at
  samples        TEXT NOT NULL,
  PRIMARY KEY (user_id, instance_id, first_at, first_sequence)
) WITHOUT ROWID;

-- One row a heartbeat, for whoever asks.
CREATE VIEW heartbeats AS
SELECT
  chunk.user_id,
  chunk.instance_id,
  chunk.first_at                           AS chunk_first_at,
  json_extract(sample.value, '$[0]')       AS at,
  chunk.first_sequence + sample.key        AS sequence,
  json_extract(sample.value, '$[1]')       AS gpu_utilization,
  json_extract(sample.value, '$[2]')       AS vram_used_gb,
  json_extract(sample.value, '$[3]')       AS cpu_utilization,
  json_extract(sample.value, '$[4]')       AS ram_used_gb,
  json_extract(sample.value, '$[5]')       AS disk_used_gb,
  json_extract(sample.value, '$[6]')       AS cost_accumulated,
  json_extract(sample.value, '$[7]')       AS uptime_seconds,
  json_extract(sample.value, '$[8]')       AS status
FROM heartbeat_chunks AS chunk, json_each(chunk.samples) AS sample;
