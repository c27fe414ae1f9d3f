-- Mass outages go by the last sign of life, whatever step of its ladder an instance has reached, and the service's
-- guard counts users, each with one vote.

-- When a silent instance was last known to live; NULL for one that is heard, or sleeps for another reason.
ALTER TABLE instances ADD COLUMN silent_since INTEGER;

UPDATE instances SET silent_since = orphaned_since - 1000 * COALESCE(
  json_extract(policy, '$.orphan.orphan_after_seconds'),
  (SELECT json_extract(users.policy, '$.orphan.orphan_after_seconds') FROM users WHERE users.id = instances.user_id),
  300
)
WHERE orphaned_since IS NOT NULL;

DROP INDEX instances_by_silence;
DROP INDEX silence_of_the_service;
CREATE INDEX instances_by_silence ON instances (user_id, silent_since, orphaned_since) WHERE silent_since IS NOT NULL;

-- While a guard is closed, who was last heard from this moment on belongs to the outage. `silent_from` says the same
-- by the moments at which they became orphans, as alerts tell of them.
ALTER TABLE guards ADD COLUMN seen_from INTEGER NOT NULL DEFAULT 0;
UPDATE guards SET seen_from = COALESCE(
  (SELECT MIN(silent_since) FROM instances
   WHERE instances.user_id = guards.user_id AND instances.orphaned_since >= guards.silent_from),
  silent_from
);

-- The votes of users who have, or had, an outage of their own.
CREATE TABLE outage_votes (
  user_id   TEXT PRIMARY KEY,
  closed_at INTEGER,                    -- since when the vote is "silent"; NULL while it is not
  opened_at INTEGER,
  seen_from INTEGER NOT NULL,
  seen_at   INTEGER NOT NULL            -- the last sign of life of the instance that tipped it
) WITHOUT ROWID;

CREATE INDEX silent_votes ON outage_votes (seen_at, closed_at) WHERE closed_at IS NOT NULL;

-- Whose guard is closed votes so.
INSERT INTO outage_votes (user_id, closed_at, opened_at, seen_from, seen_at)
SELECT user_id, closed_at, opened_at, seen_from, seen_from FROM guards WHERE closed_at IS NOT NULL AND user_id <> '';

-- How many instances of each user are awake: silent ones are not, whatever is being done to them.
DROP TRIGGER instance_comes;
DROP TRIGGER instance_awakes;
DROP TRIGGER instance_falls_away;
DROP TRIGGER instance_goes;
DELETE FROM fleets;

INSERT INTO fleets (user_id, awake)
SELECT user_id, COUNT(*) FROM instances
WHERE status IN ('running', 'waking', 'hibernating') AND silent_since IS NULL GROUP BY user_id;

CREATE INDEX awake_users ON fleets (user_id) WHERE awake > 0;

CREATE TRIGGER instance_comes AFTER INSERT ON instances
WHEN new.status IN ('running', 'waking', 'hibernating') AND new.silent_since IS NULL
BEGIN
  INSERT INTO fleets (user_id, awake) VALUES (new.user_id, 1)
  ON CONFLICT (user_id) DO UPDATE SET awake = awake + 1;
END;

CREATE TRIGGER instance_awakes AFTER UPDATE OF status, silent_since ON instances
WHEN (new.status IN ('running', 'waking', 'hibernating') AND new.silent_since IS NULL)
 AND NOT (old.status IN ('running', 'waking', 'hibernating') AND old.silent_since IS NULL)
BEGIN
  INSERT INTO fleets (user_id, awake) VALUES (new.user_id, 1)
  ON CONFLICT (user_id) DO UPDATE SET awake = awake + 1;
END;

CREATE TRIGGER instance_falls_away AFTER UPDATE OF status, silent_since ON instances
WHEN (old.status IN ('running', 'waking', 'hibernating') AND old.silent_since IS NULL)
 AND NOT (new.status IN ('running', 'waking', 'hibernating') AND new.silent_since IS NULL)
BEGIN
  UPDATE fleets SET awake = awake - 1 WHERE user_id = new.user_id;
END;

CREATE TRIGGER instance_goes AFTER DELETE ON instances
WHEN old.status IN ('running', 'waking', 'hibernating') AND old.silent_since IS NULL
BEGIN
  UPDATE fleets SET awake = awake - 1 WHERE user_id = old.user_id;
END;
