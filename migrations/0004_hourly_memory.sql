-- Memory in the hourly roll-up; unknown for hours that were rolled up before.
ALTER TABLE heartbeat_hours ADD COLUMN ram_max REAL;
