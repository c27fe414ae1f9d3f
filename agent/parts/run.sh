# Tells a clock that is off: the service's own time goes by its clock alone, but logs and certificates do not.
tell_skew() {
  server=$(fetch "$API_URL/api/agent/status" | sed -n 's/.*"server_time":"\([^"]*\)".*/\1/p')
  [ -n "$server" ] || return 0
  skew=$(($(date -u +%s) - $(date -u -d "$server" +%s 2>/dev/null || date -u +%s)))
  [ "${skew#-}" -lt 30 ] || log "this machine's clock is off by $skew seconds"
}

# jitter SECONDS PERCENT: so much more or less, so that a fleet does not beat in step.
jitter() {
  awk -v s="$1" -v p="$2" -v seed="$(head -c 4 /dev/urandom | od -An -tu4)" \
    'BEGIN { srand(seed); printf "%.1f", s * (1 + (2 * rand() - 1) * p / 100) }'
}

# Sleeps so that a TERM ends it at once. A sleep that knows no fractions must not make a tight loop of it.
pause() {
  sleep "$1" 2>/dev/null &
  sleeper=$!
  wait "$sleeper" && return
  whole=${1%%.*}
  sleep "$((${whole:-0} + 1))" &
  sleeper=$!
  wait "$sleeper"
}

# hundredths SECONDS: sets `hundredths`, without a program.
hundredths() {
  case $1 in
    # To reckon with what is no number would end the agent.
    '' | *[!0-9.]* | *.*.* | .* | 0[0-9]*) set -- "$INTERVAL_DEFAULT_SECONDS" ;;
  esac
  case $1 in
    *.*) fraction=${1#*.}00 ;;
    *) fraction=00 ;;
  esac
  hundredths=$((${1%%.*} * 100 + 1${fraction%"${fraction#??}"} - 100))
}

# Sets `moment`: hundredths of a second by a clock that nobody sets, where there is one.
take_moment() {
  moment=
  { read -r moment _ <"$PROC/uptime"; } 2>/dev/null
  case $moment in
    *[!0-9.]* | *.*.* | 0[0-9]*) moment= ;;
    [0-9]*.[0-9]*) ;;
    *) moment= ;;
  esac
  hundredths "${moment:-$(date +%s)}"
  moment=$hundredths
}

# Sets `sample_hundredths`, after which the next sample is due.
take_sample_time() {
  case ${DUMONT_SAMPLE_SECONDS:-15} in
    *[!0-9.]* | *.*.* | .* | 0[0-9]* | ???????*) hundredths 15 ;;
    *) hundredths "${DUMONT_SAMPLE_SECONDS:-15}" ;;
  esac
  sample_hundredths=$hundredths
}

# What is to be done between two beats. It may set `beat_now`: then the next beat comes at once.
tick() {
  watch_sleep
  follow_hooks
  watch_spot
  watch_dead_man
  take_moment
  if [ "$moment" -ge "$((sampled_at + sample_hundredths))" ] || [ "$moment" -lt "$sampled_at" ]; then take_sample sample; fi
}

# Whether the next beat comes at once. Of two such, one after the other, the second waits a moment.
comes_at_once() {
  [ -n "$beat_now" ] || return 1
  take_moment
  since=$((moment - ${came_at_once:--100000}))
  if [ "$since" -ge 0 ] && [ "$since" -lt "$AT_ONCE_HUNDREDTHS" ]; then return 1; fi
  came_at_once=$moment
}

# wait_for_next_beat SECONDS [BEGAN]: sleeps in slices, with a tick after each. What has passed since that moment is a part of it,
# but never more than half: where all programs hang, a beat takes long, and the next must not be late for it.
wait_for_next_beat() {
  hundredths "$TICK_SECONDS"
  tick_hundredths=$hundredths
  hundredths "$1"
  left=$hundredths
  if [ -n "${2:-}" ]; then
    take_moment
    passed=$((moment - $2))
    [ "$passed" -ge 0 ] || passed=0
    [ "$passed" -le "$((left / 2))" ] || passed=$((left / 2))
    left=$((left - passed))
  fi
  while [ "$left" -gt 0 ] && ! comes_at_once; do
    slice=$tick_hundredths
    # What runs in the background is about to end.
    [ -z "$hooks_stage${spot_asked:-}" ] || slice=100
    [ "$left" -gt "$slice" ] || slice=$left
    take_moment
    slice_began=$moment
    fraction=$((100 + slice % 100))
    pause "$((slice / 100)).${fraction#1}"
    tick
    take_moment
    # A tick takes its time too; and a clock that stands still must not make this wait for good.
    passed=$((moment - slice_began))
    [ "$passed" -gt "$slice" ] || passed=$slice
    left=$((left - passed))
  done
}

# Sets `run_id`, as JSON: the kernel's boot id, where it can be read, and what no other run of the agent has.
name_run() {
  run_id=$(head -c 36 "$PROC/sys/kernel/random/boot_id" 2>/dev/null | tr -cd 'A-Za-z0-9-')
  run_id=$run_id-$(date +%s)-$(head -c 8 /dev/urandom 2>/dev/null | od -An -tx1 2>/dev/null | tr -cd 'a-f0-9')$$
  run_id="\"$(printf '%.64s' "${run_id#-}")\""
}

# Sets `interval` to what the answer asks for, where that can be.
take_interval() {
  interval=$(printf '%s' "$answer" | sed -n 's/.*"next_heartbeat_in_seconds":\([0-9.]*\)[,}].*/\1/p')
  interval=$(number "$interval" "$INTERVAL_MAXIMUM_SECONDS")
  case $interval in *[1-9]*) ;; *) interval=$INTERVAL_DEFAULT_SECONDS ;; esac
}

# How long to wait after so many failures in a row. Without any answer readings go on at the usual pace. What the service
# asks for is the least, and grows when it does not help, but never to half the time to an orphan. Up to a fifth of it is
# chance, so that a fleet does not come back in step.
backoff() {
  awk -v interval="$interval" -v asked="${retry_after:-0}" -v failures="$failures" -v most="$PAUSE_MAXIMUM_SECONDS" \
    -v answered="$([ "$http_status" = 000 ] || echo 1)" -v chance="$(jitter 10 100)" '
    function least(a, b) { return a < b ? a : b }
    BEGIN {
      seconds = interval
      if (answered) {
        seconds = (asked > 0 ? asked : interval)
        # Some awks know no powers.
        for (i = 1; i < least(failures, 11); i++) seconds *= 2
      }
      seconds = least(seconds, least(2 * interval, most) / 1.2)
      if (asked > seconds) seconds = asked
      printf "%.1f", least(seconds * (1 + chance / 100), most)
    }'
}

run() {
  if enrolls; then
    need_token DUMONT_ENROLLMENT_TOKEN "$DUMONT_ENROLLMENT_TOKEN"
    need_address
  else
    need_config
    certain=1
  fi
  CLIENT=$(client) || exit 1
  name_run
  sequence=0
  report_status=running
  (umask 077 && mkdir -p "$RUN_DIR" && echo "$$" >"$RUN_DIR/pid") 2>/dev/null
  trap 'log "stopped"; [ -z "${headers:-}" ] || rm -f "$headers"; rm -f "${spot_file:-}" "${said_by:-}" "${ended_with:-}"; drop_printed; [ -z "${sleeper:-}" ] || kill "$sleeper" 2>/dev/null; exit 0' TERM INT
  failures=0
  until is_known; do
    failures=$((failures + 1))
    pause "$(jitter "$(enroll_backoff)" 10)"
  done
  said=
  take_mark
  set_dead_man
  log "version $VERSION for instance $DUMONT_INSTANCE_ID at $API_URL"
  [ -z "${DUMONT_HOURLY_COST:-}" ] || [ "$(number "$DUMONT_HOURLY_COST" 1000000)" != null ] ||
    log "DUMONT_HOURLY_COST is not a number: the cost is not reported"
  tell_skew
  take_sample_time
  take_base
  interval=$INTERVAL_DEFAULT_SECONDS
  failures=0
  wait_for_next_beat "$(jitter 5 90)"
  while :; do
    if ! is_known; then
      failures=$((failures + 1))
      pause "$(jitter "$(enroll_backoff)" 10)"
      continue
    fi
    if beat "$(status_now)"; then
      if [ "$failures" -gt 0 ]; then
        log "heard again after $failures failures"
        said=
      fi
      failures=0
      report_status=running
      take_interval
      obey
      # Not all at once after an outage: the first beat after a failure is spread again.
      wait_for_next_beat "$(jitter "$interval" "${spread:-10}")" "$beat_began"
      spread=0
      continue
    fi
    failures=$((failures + 1))
    spread=10
    case $http_status in
      400 | 413) ;;
      401 | 403)
        remember
        say_once "refused ($http_status): is DUMONT_API_TOKEN the token of instance $DUMONT_INSTANCE_ID? $answer"
        ;;
      *)
        remember
        say_once "not heard ($http_status)"
        ;;
    esac
    wait_for_next_beat "$(backoff)"
  done
}

once() {
  [ "${1:-}" = --dry-run ] && DUMONT_API_TOKEN=${DUMONT_API_TOKEN:-none}
  need_config
  [ "${1:-}" = --dry-run ] || CLIENT=$(client) || exit 1
  trap drop_printed EXIT
  take_base
  sleep 1
  if [ "${1:-}" = --dry-run ]; then
    take_readings
    fit_readings running
    printf '%s}\n' "$readings"
    return 0
  fi
  beat running || fail "not accepted ($http_status): $answer"
  printf '%s\n' "$answer"
}

known() { [ "$1" = null ] && echo unknown || echo "$1"; }

check() {
  need_config
  CLIENT=$(client) || exit 1
  echo "program:    $CLIENT"
  reached=$(fetch "$API_URL/api/agent/status")
  case $reached in *'"success":true'*) echo "reached:    $API_URL" ;; *) fail "$API_URL cannot be reached" ;; esac
  tell_skew
  trap drop_printed EXIT
  take_base
  sleep 1
  beat running || fail "the token is refused ($http_status): $answer"
  echo "token:      accepted for instance $DUMONT_INSTANCE_ID"
  echo "GPUs:       $(printf '%s\n' "$gpu_state" | grep -c '^[0-9]') (busiest at $(known "$gpu_percent") %)"
  echo "readings:   CPU $(known "$cpu_percent") %, RAM $(known "$ram_gb") GB, disk $(known "$disk_gb") GB"
}

status() {
  echo "version:    $VERSION"
  ! enrolls || take_kept || :
  printf 'instance:   %s\n' "${DUMONT_INSTANCE_ID:-not set}"
  printf 'service at: %s\n' "${DUMONT_API_URL:-$API_URL_DEFAULT}"
  echo "token:      $([ -n "${DUMONT_API_TOKEN:-}" ] && echo set || echo not set)"
  [ -z "${DUMONT_ENROLLMENT_TOKEN:-}" ] || printf 'enrolls:    %s\n' "$(kept MACHINE | grep . || echo 'not yet')"
  printf 'hibernates: %s\n' "${DUMONT_HIBERNATE_COMMAND:-no command set}"
  if has systemctl && [ -d /run/systemd/system ]; then
    echo "systemd:    $(systemctl is-active dumont-agent 2>/dev/null)"
  else
    echo "systemd:    not here"
  fi
}

