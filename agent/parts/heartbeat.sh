# --- the heartbeat ---------------------------------------------------------------------------------------------------

# take_sample WHEN: of what may come and go between two beats, at a "sample" or with more at a "beat".
take_sample() {
  take_moment
  sampled_at=$moment
  sample_gpus "$1"
  sample_connections
}

# What the first beat's readings are the growth of.
take_base() {
  read_cpu
  take_sample beat
  take_counters
  take_work
  # Of these only the counters matter.
  new_sources=
}

# Fills the variables that `readings_json` writes: each a number as JSON has it, or null.
take_readings() {
  uptime=$(number "$(read_uptime)" 10000000000)
  # Ages go by a clock that nobody sets, where there is one.
  clock=$uptime
  [ "$clock" != null ] || clock=$(date +%s)
  take_sample beat
  sum_up_gpus
  gpu_percent=$(number "$gpu_percent" 100)
  gpu_percent_max=$(number "$gpu_percent_max" 100)
  late_gpu_percent=$(number "$late_gpu_percent" 100)
  vram_gb=$(number "$vram_gb" 10000000)
  gpu_state_over=tried
  take_counters
  take_kernels
  take_work
  take_scripts
  take_sources
  activity=$(activity_json)
  read_cpu
  cpu_percent=$(number "$cpu_percent" 100)
  ram_gb=$(number "$(read_ram_gb)" 10000000)
  disk_gb=$(number "$(read_disk_gb)" 10000000)
  cost=$(number "${DUMONT_HOURLY_COST:-}" 1000000)
  if [ "$cost" != null ]; then
    cost=$(number "$(awk -v seconds="$uptime" -v dollars="$cost" \
      'BEGIN { if (seconds != "null") printf "%.4f", seconds / 3600 * dollars }')" 1000000000)
  fi
}

# A heartbeat was accepted: what comes next is of the time from now on.
begin_anew() {
  gpu_state_over=accepted
  sources=
}

# bare_json STATUS: the least that tells the service that this instance lives, without the brace that closes it.
bare_json() { printf '{"instance_id":%s,"status":%s' "$(json_string "$DUMONT_INSTANCE_ID")" "$(json_string "$1")"; }

# readings_json STATUS [LEVEL]: one heartbeat but for what waits, and without the brace that closes it; at a higher level with less.
readings_json() {
  bare_json "$1"
  printf ',"gpu_utilization":%s,"gpu_utilization_max":%s' "$gpu_percent" "$gpu_percent_max"
  printf ',"vram_used_gb":%s,"cpu_utilization":%s' "$vram_gb" "$cpu_percent"
  printf ',"ram_used_gb":%s,"disk_used_gb":%s,"cost_accumulated":%s,"uptime_seconds":%s' \
    "$ram_gb" "$disk_gb" "$cost" "$uptime"
  printf ',"gpus":[%s],"activity":%s,"sources":[%s],"agent_version":"%s","boot_id":%s,"sequence":%s' \
    "$(gpus_json "${2:-0}")" "$activity" "$(sources_json "${2:-0}")" "$VERSION" "${run_id:-null}" "${sequence:-null}"
  doings_json "${2:-0}"
}

# fit_readings STATUS: sets `readings` to as much as fits into one heartbeat.
fit_readings() {
  for level in 0 1 2; do
    readings=$(readings_json "$1" "$level")
    # With `,"backlog":[]}` behind it.
    [ "${#readings}" -gt "$((BODY_MAXIMUM_BYTES - 14))" ] || break
  done
}

