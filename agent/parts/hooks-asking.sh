# --- hooks: the agent's side
#
# `preparation` is asked, running or ended, or empty while the machine works. It `stands` for as long as the service, a
# cloud's notice or the dead-man switch wants it; once nothing does, it ends and the resume hooks run.

preparation=
stands=
hooks_stage=
preparation_id=
preparation_state=
preparation_log=
mark=$STATE_DIR/prepared

# What tells one start of the machine, or of the container, from another.
machine_start() {
  start=
  { read -r start <"$PROC/1/stat"; } 2>/dev/null
  # The start is the twentieth after the name, which may hold anything.
  start=$(printf '%s' "${start##*)}" | cut -d ' ' -f 21)
  printf '%s/%s' "$(head -c 36 "$PROC/sys/kernel/random/boot_id" 2>/dev/null | tr -cd 'A-Za-z0-9-')" "$start"
}

# Whether it is prepared since not long ago, and nothing has been resumed since.
is_prepared() { take_second; [ "$preparation" = ended ] && [ "$((second - preparation_ended))" -le "$PREPARED_SECONDS" ]; }

is_standing() { [ -n "$stands${hibernates_next:-}${reclaimed_by:-}${dead_man:-}" ]; }

# prepare ID REASON SECONDS EACH: asks for a preparation, unless there is one.
prepare() {
  if [ "$preparation" = ended ]; then
    # Who asks anew, and by name, after a failure, means that it is to be tried again.
    case $1,$preparation_state in ?*,failed) preparation= ;; *) is_prepared || preparation= ;; esac
  fi
  [ "$1" = "$preparation_id" ] || [ -z "$preparation" ] || beat_now=1
  [ -z "$1" ] || preparation_id=$1
  [ -z "$preparation" ] || return 0
  preparation=asked
  preparation_id=$1
  preparation_reason=$2
  preparation_seconds=$3
  preparation_each=$4
  preparation_state=running
  preparation_log=
  preparation_line=
  take_second
  preparation_began=$second
}

# The answer's own. An id that was prepared already is no news.
take_preparation() {
  stands=1
  told_preparation=$(printf '%s' "$answer" | sed -n 's/.*\({"type":"prepare"[^}]*}\).*/\1/p')
  seconds=$(printf '%s' "$told_preparation" | sed -n 's/.*"deadline_seconds":0*\([0-9]\{1,5\}\).*/\1/p')
  seconds=${seconds:-$PREPARE_DEFAULT_SECONDS}
  [ "$seconds" -gt 0 ] || seconds=1
  [ "$seconds" -le "$PREPARE_MAXIMUM_SECONDS" ] || seconds=$PREPARE_MAXIMUM_SECONDS
  told_id=$(printf '%s' "$told_preparation" | sed -n 's/.*"preparation_id":"\([A-Za-z0-9._:-]\{1,64\}\)".*/\1/p')
  told_reason=$(printf '%s' "$told_preparation" | sed -n 's/.*"because":"\([a-z_]\{1,32\}\)".*/\1/p')
  if [ "$preparation" = ended ] && [ "$told_id" = "$preparation_id" ]; then return 0; fi
  prepare "$told_id" "${told_reason:-service}" "$seconds" 0
}

# ask_root STAGE REASON SECONDS EACH: leaves a word for root's unit.
ask_root() {
  printf 'id=%s\nstage=%s\nreason=%s\nseconds=%s\neach=%s\ninstance=%s\n' \
    "$hooks_id" "$1" "$2" "$3" "$4" "$DUMONT_INSTANCE_ID" >"$RUN_DIR/hooks.new" &&
    mv -f "$RUN_DIR/hooks.new" "$RUN_DIR/hooks.request"
}

# Ends the hooks that run, before their time.
stop_hooks() {
  if is_confined hooks; then ask_root stop stop 1 0
  else { : >"$hooks_call"; } 2>/dev/null
  fi
}

# start_hooks STAGE REASON SECONDS EACH: has root's unit run them, or runs them in the background.
start_hooks() {
  hooks_stage=$1
  hooks_serial=$((${hooks_serial:-0} + 1))
  hooks_id=$(date +%s)-$$-$hooks_serial
  take_second
  hooks_heard=$second
  hooks_limit=$((second + $3 + 2 * HOOKS_SILENT_SECONDS))
  hooks_state=running
  hooks_seconds=0
  log "hooks: $1 ($2), for $3 seconds at the most"
  if is_confined hooks; then
    hooks_folder=$ROOT_HOOKS_DIR
    ask_root "$@"
    return
  fi
  hooks_folder=$RUN_DIR/hooks
  if ! (umask 077 && mkdir -p "$hooks_folder" && echo >"$hooks_folder/state") 2>/dev/null; then
    for folder in /dev/shm "${TMPDIR:-/tmp}"; do
      hooks_folder=$( (umask 077 && mktemp -d "$folder/dumont-agent.XXXXXX") 2>/dev/null) && break
    done
  fi
  hooks_call=${hooks_folder:=/dev/null}/call
  rm -f "$hooks_call"
  if [ -d "$hooks_folder" ]; then
    run_stage "$@" </dev/null &
    return
  fi
  # With nowhere to write, nothing can be told of them meanwhile.
  hooks_state=failed
  if run_stage "$1" "$2" "$HOOK_LIMIT_SECONDS" 0; then hooks_state=succeeded; fi
}

# Sets `hooks_state` and `hooks_seconds`. Of whom nothing is heard for long, has ended.
hear_hooks() {
  [ "$hooks_state" = running ] || return 0
  take_second
  said_id=
  { read -r said_id said_state said_seconds <"$hooks_folder/state"; } 2>/dev/null
  if [ "$said_id" = "$hooks_id" ] && [ -n "${said_seconds:-}" ]; then
    [ "$said_state" = running ] || hooks_state=$said_state
    [ "$said_seconds" = "$hooks_seconds" ] || hooks_heard=$second
    hooks_seconds=$said_seconds
  fi
  if [ "$hooks_state" = running ] &&
    { [ "$((second - hooks_heard))" -gt "$HOOKS_SILENT_SECONDS" ] || [ "$second" -gt "$hooks_limit" ]; }; then
    log "hooks: nothing is heard of those that run"
    hooks_state=failed
  fi
}

# Their words as one JSON text: without what a terminal makes of it, and a new line for each return of the carriage.
hooks_said() {
  cat "$hooks_folder/log.old" "$hooks_folder/log" 2>/dev/null | tail -c "$HOOK_LOG_BYTES" | tr '\r\t' '\n ' | tr -d '\000-\011\013-\032\034-\037\177' |
    sed "s/$(printf '\033')\[[0-9;?]*[A-Za-z]//g; s/$(printf '\033')//g; /^ *\$/d"
}

last_line() { tail -n 1 | cut -c 1-200; }

follow_hooks() {
  if [ -n "$hooks_stage" ]; then
    hear_hooks
    if [ "$hooks_state" = running ]; then
      [ "$preparation" = asked ] || return 0
      # Root's unit sees by the request itself that it is called away.
      if ! is_confined hooks; then
        stop_hooks
        return 0
      fi
    fi
    ended_stage=$hooks_stage
    hooks_stage=
    log "hooks: $ended_stage $hooks_state after $hooks_seconds seconds"
    [ "$ended_stage" != prepare ] || end_preparation "$hooks_state"
  fi
  case $preparation in
    asked)
      # Those before have ended: started anew, the agent must not take their end for this one's.
      hooks_id=
      note_mark running
      if [ "$(count_hooks prepare)" -gt 0 ]; then
        preparation=running
        take_second
        time_left=$((preparation_seconds - second + preparation_began))
        start_hooks prepare "$preparation_reason" "$((time_left > 0 ? time_left : 1))" "$preparation_each"
        note_mark running
      else
        end_preparation succeeded
        # Only who has asked by name is told of nothing.
        [ -n "$preparation_id" ] || preparation_state=
      fi
      ;;
    ended) is_standing || resume called_off ;;
    '')
      if [ "${warning:-}" = asked ]; then
        warning=told
        [ "$(count_hooks warning)" -eq 0 ] || start_hooks warning warning "$HOOK_LIMIT_SECONDS" "$HOOK_LIMIT_SECONDS"
      fi
      ;;
  esac
  if [ "$preparation" = ended ] && [ -n "${hibernates_next:-}" ]; then hibernate_now; fi
}

# note_mark STATE: for the next start, which must know that something is to be resumed.
note_mark() {
  (umask 077 && mkdir -p "$STATE_DIR" && printf '%s %s %s %s %s\n' "$1" "$(machine_start)" "${hooks_id:--}" \
    "${preparation_id:--}" "${hooks_folder:--}" >"$mark.new" && mv -f "$mark.new" "$mark") 2>/dev/null ||
    say_once "can't write to $STATE_DIR: once started anew, nothing resumes (DUMONT_STATE_DIR names another folder)"
}

end_preparation() {
  take_second
  preparation=ended
  preparation_ended=$second
  preparation_state=$1
  preparation_log=$([ -z "${hooks_folder:-}" ] || hooks_said)
  preparation_line=$(printf '%s\n' "$preparation_log" | last_line)
  preparation_took=$((second - preparation_began))
  note_mark "$1"
  beat_now=1
}

# resume REASON: the machine works on, or again.
resume() {
  preparation=
  stands=
  rm -f "$mark"
  [ "$(count_hooks resume)" -eq 0 ] || start_hooks resume "$1" "$RESUME_LIMIT_SECONDS" 0
}

# At its start: what was prepared before is resumed, unless the machine has not stopped since.
take_mark() {
  marked=
  { read -r marked started marked_hooks marked_id marked_folder <"$mark"; } 2>/dev/null
  [ -n "${marked_folder:-}" ] || return 0
  if [ "$started" != "$(machine_start)" ]; then
    resume started
    return
  fi
  # They had not begun. Who wanted them asks again.
  [ "$marked $marked_hooks" != "running -" ] || return 0
  take_second
  preparation_id=$marked_id
  preparation_began=$second
  preparation_ended=$second
  preparation_took=0
  preparation_line=
  stands=1
  if [ "$marked" = running ]; then
    preparation=running
    preparation_state=running
    hooks_stage=prepare
    hooks_id=$marked_hooks
    hooks_folder=$marked_folder
    hooks_call=$hooks_folder/call
    hooks_state=running
    hooks_seconds=
    hooks_heard=$second
    hooks_limit=$((second + PREPARE_MAXIMUM_SECONDS))
  else
    preparation=ended
    preparation_state=$marked
  fi
}

# Sees by its own pauses that the machine stood still, and works again.
watch_sleep() {
  [ "$preparation" = ended ] || { ticked=; return; }
  take_second
  now=$(date +%s)
  if [ -n "${ticked:-}" ] &&
    { [ "$((second - ticked))" -gt "$STOOD_STILL_SECONDS" ] || [ "$((now - ticked_by_date))" -gt "$STOOD_STILL_SECONDS" ]; }; then
    log "the machine stood still, and works again"
    reclaimed_by=
    dead_man=
    dead_man_acted=
    hibernates_next=
    resume started
    beat_now=1
  fi
  ticked=$second
  ticked_by_date=$now
}

status_now() {
  # That it cannot hibernate is said once, and must not be lost for what else it does.
  if [ "$report_status" != running ]; then echo "$report_status"
  elif [ -n "${reclaimed_by:-}" ]; then echo reclaimed
  elif [ "$preparation" = asked ] || [ "$preparation" = running ]; then echo preparing
  elif [ "$preparation" = ended ] && is_standing && [ "$stands" != asleep ]; then echo prepared
  else echo "$report_status"
  fi
}

# doings_json LEVEL: what it does beside reporting, as more fields of a heartbeat.
doings_json() {
  printf ',"hooks":[%s]' "$(list_hook_stages | sort -u | sed 's/.*/"&"/' | tr '\n' ',' | sed 's/,$//')"
  if [ -n "$preparation_state" ]; then
    case $preparation_state in
      running) preparation_took=$((second - preparation_began)); preparation_line=$([ -z "$hooks_stage" ] || hooks_said | last_line) ;;
    esac
    printf ',"preparation":{"id":%s,"state":"%s","seconds":%s' \
      "$([ -n "${preparation_id#-}" ] && json_string "$preparation_id" || echo null)" "$preparation_state" "$preparation_took"
    if [ "$1" -lt 1 ] && [ -z "${without_log:-}" ]; then
      printf ',"line":%s' "$([ -n "$preparation_line" ] && json_string "$preparation_line" || echo null)"
      [ -z "$preparation_log" ] || printf ',"log":%s' "$(json_text "$preparation_log")"
    fi
    printf '}'
  fi
  reclaim_json
  dead_man_json
}

json_text() { printf '%s\n' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | awk '{ printf "%s%s", (NR > 1 ? "\\n" : "\""), $0 } END { printf "\"" }'; }

# doings_accepted SHARE: what a heartbeat that was accepted has told need not be told again.
doings_accepted() {
  preparation_log=
  if [ "$preparation_state" != running ] && ! is_standing; then preparation_state=; fi
  accept_dead_man "$1"
}

