-- Which instance watches which machine, at providers that are called: one machine, one watcher. Two would act on each
-- other's silence.
CREATE TABLE machines (
  user_id     TEXT NOT NULL,
  provider    TEXT NOT NULL,
  ref         TEXT NOT NULL,             -- the provider's own id of the machine
  instance_id TEXT NOT NULL,             -- who watches it
  claimed_at  INTEGER NOT NULL,          -- grows each time that its holder claims it anew
  PRIMARY KEY (user_id, provider, ref)
) WITHOUT ROWID;

CREATE INDEX machines_by_instance ON machines (user_id, instance_id);

-- Of two that watch the same one, it is the later registration's.
INSERT OR IGNORE INTO machines (user_id, provider, ref, instance_id, claimed_at)
SELECT user_id, provider, COALESCE(provider_ref, instance_id), instance_id, registered_at FROM instances
WHERE provider IN ('webhook', 'vast', 'runpod', 'ec2') AND status <> 'deleted'
ORDER BY registered_at DESC, instance_id DESC;
