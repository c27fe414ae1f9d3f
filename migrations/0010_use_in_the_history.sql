-- What idleness judges by, in each sample of a chunk, after `status`: [.., gpu_utilization_max, activity, sources, unread,
-- preparation, late, repeated_at]. `sources` holds the highest of each kind of source, in the order of SOURCE_KINDS, and `unread` names those
-- that could not be read. Columns that are null at the end are left out, as are all of them in samples of before.

DROP VIEW heartbeats;

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
  json_extract(sample.value, '$[8]')       AS status,
  json_extract(sample.value, '$[9]')       AS gpu_utilization_max,
  sample.value                             AS sample
FROM heartbeat_chunks AS chunk, json_each(chunk.samples) AS sample;

-- How many heartbeats of the hour showed no work (src/history/quiet.ts); unknown for hours that were rolled up before. Those that a
-- former release adds to an hour count as work, since it leaves this number as it is.
ALTER TABLE heartbeat_hours ADD COLUMN quiet_heartbeats INTEGER;
