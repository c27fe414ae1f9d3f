# --- the dead-man switch ---------------------------------------------------------------------------------------------
#
# Where the service is out of reach for hours, nobody else stops this machine. It goes by the same evidence as the service, try
# by try: what is unknown is in use.

dead_man=            # while it acts
dead_man_seconds=    # empty: off
dead_man_acted_at=   # by the clock, until the service has been told
dead_man_acted=      # by a clock that nobody sets, until it is seen that the machine stopped
quiet_since=
idle_threshold=$IDLE_THRESHOLD_PERCENT
idle_thresholds=$SOURCE_THRESHOLDS
idle_metric=gpu
told_idle=           # what the service said last that idleness is judged by
kept_until=          # by the clock: until then its owner keeps it alive

# At the agent's start.
set_dead_man() {
  [ -n "${DUMONT_DEAD_MAN_HOURS:-}" ] || return 0
  dead_man_hours=$(number "$DUMONT_DEAD_MAN_HOURS" 10000)
  dead_man_seconds=$(awk -v hours="$dead_man_hours" -v hour="$HOUR_SECONDS" 'BEGIN { if (hours + 0 >= 1) printf "%.0f", hours * hour }')
  if [ -z "$dead_man_seconds" ]; then
    log "DUMONT_DEAD_MAN_HOURS is no number of hours from 1 to 10000: there is no dead-man switch"
  elif [ -z "${DUMONT_HIBERNATE_COMMAND:-}" ]; then
    log "DUMONT_DEAD_MAN_HOURS needs DUMONT_HIBERNATE_COMMAND: there is no dead-man switch"
    dead_man_seconds=
  fi
  [ -n "$dead_man_seconds" ] || return 0
  { read -r dead_man_acted_at <"$STATE_DIR/dead_man"; } 2>/dev/null
  case $dead_man_acted_at in *[!0-9]*) dead_man_acted_at= ;; esac
  was_heard=
  [ ! -e "$STATE_DIR/heard" ] || was_heard=1
  { read -r told_idle <"$STATE_DIR/heard"; } 2>/dev/null
  judge_as_told
  begin_outage
  dead_man_next=0
  dead_man_failures=0
}

begin_outage() {
  take_second
  unheard_since=$second
  quiet_since=
  dead_man_seen=$second
}

# What the last answer said that idleness is judged by. It is kept: an agent that starts anew may find nobody to ask.
take_idle() {
  idle_said=$(printf '%s' "$answer" | sed -n 's/.*"idle":\({"threshold_percent":[^{}]*"sources":{[^{}]*}[^{}]*}\).*/\1/p')
  if [ -n "$was_heard" ] && [ "${idle_said:-$told_idle}" = "$told_idle" ]; then return 0; fi
  was_heard=1
  told_idle=${idle_said:-$told_idle}
  judge_as_told
  (umask 077 && mkdir -p "$STATE_DIR" && printf '%s\n' "$told_idle" >"$STATE_DIR/heard") 2>/dev/null || :
}

judge_as_told() {
  [ -n "$told_idle" ] || return 0
  kept_until=$(printf '%s' "$told_idle" | sed -n 's/.*"kept_until":\([0-9]\{1,12\}\).*/\1/p')
  told_threshold=$(number "$(printf '%s' "$told_idle" | sed -n 's/.*"threshold_percent":\([0-9.]*\).*/\1/p')" 100)
  [ "$told_threshold" = null ] || idle_threshold=$told_threshold
  idle_metric=$(printf '%s' "$told_idle" | sed -n 's/.*"metric":"\([a-z]*\)".*/\1/p')
  idle_metric=${idle_metric:-gpu}
  # Where the policy hibernates nothing for idleness, nor does the machine.
  case $told_idle in *'"enabled":false'*) idle_metric=none ;; esac
  idle_thresholds=$(printf '%s' "$told_idle" | sed 's/.*"sources":{\([^}]*\)}.*/\1/; s/"//g; s/:/=/g; s/,/ /g')
}

# Whether nothing has used this machine since the last try to report. With a list of names, only those of them count.
is_quiet() {
  printf '%s\n' "${gpu_state:-}" sources "${tried_sources:-}" | awk -F '|' -v thresholds="$idle_thresholds" -v under="$idle_threshold" \
    -v metric="$idle_metric" -v cpu="$cpu_percent" -v only="${1:-}" -v processes="${processes_before:-}" '
    BEGIN {
      n = split(thresholds, pair, /[ \n]+/)
      for (i = 1; i <= n; i++) { split(pair[i], f, "="); from[f[1]] = f[2] }
    }
    $0 == "sources" { sources = 1; next }
    # A GPU: its highest of this time, and whether it was missed.
    !sources && /^[0-9]/ { gpus++; if ($14 == "" || $15 || $14 + 0 >= under) busy = 1 }
    !sources || $1 == "" { next }
    only != "" && index(" " only " ", " " $1 " ") == 0 { next }
    {
      seen = 1
      kind = ($1 ~ /^work_/ ? "work" : $1 ~ /^script_/ ? "scripts" : $1)
      least = (kind in from ? from[kind] : 1)
      if (least == "null") next
      # They are counted since the service was heard.
      value = $2 + $3 - ($1 == "compute_processes" ? processes : 0)
      if ($2 == "null" || value >= least + 0) used = 1
    }
    END {
      if (metric == "cpu" || (metric == "auto" && !gpus)) busy = (cpu == "null" || cpu == "" || cpu + 0 >= under)
      else if (!gpus || metric == "none") busy = 1
      if (only != "") exit used
      exit busy || used || !seen
    }'
}

# At each try to report, once its readings are taken.
weigh_use() {
  [ -n "$dead_man_seconds" ] || return 0
  if [ "$(date +%s)" -ge "${kept_until:-0}" ] && is_quiet; then
    take_second
    quiet_since=${quiet_since:-$second}
  else
    quiet_since=
  fi
  processes_before=$(printf '%s\n' "${tried_sources:-}" | sed -n 's/^compute_processes|\([0-9]*\)|.*/\1/p')
}

# accept_dead_man SHARE: of a heartbeat that was accepted, with as much as the share says.
accept_dead_man() {
  [ -n "$dead_man_seconds" ] || return 0
  take_idle
  take_second
  unheard_since=$second
  dead_man_next=0
  dead_man_failures=0
  processes_before=
  if [ -n "$dead_man_acted_at" ] && [ "$1" != bare ]; then
    dead_man_acted_at=
    dead_man_acted=
    rm -f "$STATE_DIR/dead_man"
  fi
  if [ -n "$dead_man" ]; then
    log "dead-man switch: the service is back, so this machine goes on"
    dead_man=
  fi
}

# Each tick.
watch_dead_man() {
  [ -n "$dead_man_seconds" ] || return 0
  take_second
  # A machine that stood still was neither idle nor out of reach meanwhile.
  if [ "$((second - dead_man_seen))" -gt "$DEAD_MAN_GAP_SECONDS" ]; then
    dead_man_acted=
    dead_man=
    begin_outage
  fi
  dead_man_seen=$second
  if [ -n "$dead_man_acted" ]; then
    if [ "$((second - dead_man_acted))" -gt "$((HOUR_SECONDS / 6))" ]; then dead_man_failed "this machine still runs"; fi
    return 0
  fi
  if [ -n "$dead_man" ]; then
    # The service has had its last chance to be heard.
    if [ "$preparation" = ended ] && [ -z "$hooks_stage$beat_now" ]; then act_as_dead_man; fi
    return 0
  fi
  if [ -z "$was_heard" ] || [ -n "$dead_man_acted_at$preparation" ] || [ -z "$quiet_since" ] || [ "$second" -lt "$dead_man_next" ]; then return 0; fi
  if [ "$((second - quiet_since))" -ge "$dead_man_seconds" ] && [ "$((second - unheard_since))" -ge "$dead_man_seconds" ]; then
    warn_users "This machine was idle and out of the service's reach for $DUMONT_DEAD_MAN_HOURS hours. It hibernates itself."
    dead_man=1
    prepare '' dead_man "$PREPARE_DEFAULT_SECONDS" 0
    follow_hooks
  fi
}

act_as_dead_man() {
  dead_man=
  if ! is_quiet "ssh_connections notebook_connections busy_kernels"; then
    log "dead-man switch: somebody uses this machine, so it goes on"
    quiet_since=
    return 0
  fi
  dead_man_acted=$second
  dead_man_acted_at=$(date +%s)
  (umask 077 && mkdir -p "$STATE_DIR" && echo "$dead_man_acted_at" >"$STATE_DIR/dead_man") 2>/dev/null ||
    log "can't write to $STATE_DIR: the service will not hear of the dead-man switch"
  go_down || dead_man_failed "the hibernate command failed"
}

dead_man_failed() {
  rm -f "$STATE_DIR/dead_man"
  dead_man_acted=
  dead_man_acted_at=
  stands=
  [ "$dead_man_failures" -ge 5 ] || dead_man_failures=$((dead_man_failures + 1))
  delay=$((HOUR_SECONDS / 6))
  for step in 1 2 3 4; do
    [ "$step" -ge "$dead_man_failures" ] || delay=$((delay * 2))
  done
  dead_man_next=$((second + delay))
  log "dead-man switch: $1; tried again in $delay seconds at the earliest"
}

dead_man_json() {
  [ -n "$dead_man_seconds" ] || return 0
  ago=null
  if [ -n "$dead_man_acted_at" ]; then
    ago=$(($(date +%s) - dead_man_acted_at))
    if [ "$ago" -lt 0 ] || [ "$ago" -gt 100000000 ]; then ago=0; fi
  fi
  printf ',"dead_man":{"hours":%s,"acted_seconds_ago":%s}' "$dead_man_hours" "$ago"
}

