-- What the metrics route reads without asking every instance.

-- How many instances of the whole service stand where.
CREATE TABLE status_counts (
  status    TEXT PRIMARY KEY,
  instances INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO status_counts (status, instances) SELECT status, COUNT(*) FROM instances GROUP BY status;

CREATE TRIGGER status_comes AFTER INSERT ON instances
BEGIN
  INSERT INTO status_counts (status, instances) VALUES (new.status, 1)
  ON CONFLICT (status) DO UPDATE SET instances = instances + 1;
END;

CREATE TRIGGER status_changes AFTER UPDATE OF status ON instances WHEN new.status <> old.status
BEGIN
  UPDATE status_counts SET instances = instances - 1 WHERE status = old.status;
  INSERT INTO status_counts (status, instances) VALUES (new.status, 1)
  ON CONFLICT (status) DO UPDATE SET instances = instances + 1;
END;

CREATE TRIGGER status_goes AFTER DELETE ON instances
BEGIN
  UPDATE status_counts SET instances = instances - 1 WHERE status = old.status;
END;

-- How often an instance was hibernated, and how often that was regretted: woken within ten minutes. Of each user, and
-- under '' of the whole service. Counted with the event, so once; never counted down.
CREATE TABLE hibernation_counts (
  user_id      TEXT NOT NULL,
  reason       TEXT NOT NULL,
  hibernations INTEGER NOT NULL,
  regretted    INTEGER NOT NULL,
  PRIMARY KEY (user_id, reason)
) WITHOUT ROWID;

CREATE TRIGGER hibernation_is_counted AFTER INSERT ON events WHEN new.kind = 'hibernated'
BEGIN
  INSERT INTO hibernation_counts (user_id, reason, hibernations, regretted)
  VALUES (new.user_id, json_extract(new.detail, '$.reason'), 1, 0), ('', json_extract(new.detail, '$.reason'), 1, 0)
  ON CONFLICT (user_id, reason) DO UPDATE SET hibernations = hibernations + 1;
END;

CREATE TRIGGER regret_is_counted AFTER INSERT ON events
WHEN new.kind IN ('waking', 'woken') AND json_extract(new.detail, '$.regretted')
BEGIN
  UPDATE hibernation_counts SET regretted = regretted + 1
  WHERE user_id IN (new.user_id, '') AND reason = json_extract(new.detail, '$.reason');
END;
