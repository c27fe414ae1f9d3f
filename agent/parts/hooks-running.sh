# --- hooks: what runs them, here in the background or as root's unit

# Sets `time_left`: the seconds until `hooks_until`.
take_time_left() {
  take_second
  time_left=$((hooks_until - second))
}

# say_hooks STATE: for the agent, with how long they have run.
say_hooks() {
  take_second
  { printf '%s %s %s\n' "$hooks_id" "$1" "$((second - hooks_began))" >"$hooks_folder/state"; } 2>/dev/null
}

note_hooks() {
  log "$1"
  { printf '%s\n' "$1" >>"$hooks_folder/log"; } 2>/dev/null
}

# keep_tail LIVE: the end of what comes in, in files of a bounded size, as soon as it comes. Once LIVE is gone, the rest goes
# nowhere, and whoever still writes, as a server that a hook has started, is not ended by it.
keep_tail() {
  logged=0
  while [ -e "$1" ]; do
    records=
    bytes=
    dd bs="$HOOK_LOG_PIECE_BYTES" count=1 2>"$1.dd" >>"$hooks_folder/log"
    { { read -r records _; read -r _; read -r bytes _; } <"$1.dd"; } 2>/dev/null
    case $records in
      0+0) rm -f "$1" "$1.dd"; return ;;
      '') break ;;
    esac
    case $bytes in '' | *[!0-9]*) bytes=$HOOK_LOG_PIECE_BYTES ;; esac
    logged=$((logged + bytes))
    [ "$logged" -ge "$HOOK_LOG_PIECE_BYTES" ] || continue
    logged=0
    { mv -f "$hooks_folder/log" "$hooks_folder/log.old" && : >"$hooks_folder/log"; } 2>/dev/null
  done
  rm -f "$1.dd"
  exec cat >/dev/null
}

# in_group COMMAND...: in a process group of its own, where that can be.
in_group() {
  if has setsid; then exec setsid "$@"
  elif has timeout; then exec timeout "$PREPARE_MAXIMUM_SECONDS" "$@"
  fi
  exec "$@"
}

end_group() { kill "-$1" "-$2" 2>/dev/null || kill "-$1" "$2" 2>/dev/null; }

# A moment at first, as most hooks are quick, then a second.
nap() {
  naps=$((naps + 1))
  { [ "$naps" -le 10 ] && sleep 0.2 2>/dev/null; } || sleep 1
}

# Whether the agent wants something else: the preparation, for which no other hooks are waited, or their end.
is_called_away() { [ -e "$hooks_call" ]; }

# run_hook HOOK SECONDS
run_hook() {
  stage_of "${1##*/}"
  hook_serial=$((${hook_serial:-0} + 1))
  live=$hooks_folder/hook.$hooks_id.$hook_serial
  if ! { : >"$live"; } 2>/dev/null; then
    limited "$2" "$1" "$argument" </dev/null >/dev/null 2>&1
    return
  fi
  {
    (in_group "$1" "$argument") </dev/null 2>&1 &
    child=$!
    echo "$child" >"$live.pid"
    wait "$child"
    echo "$?" >"$live.code"
  } 2>/dev/null | keep_tail "$live" &
  take_second
  hook_until=$((second + $2))
  naps=0
  signal=TERM
  while ! { read -r code <"$live.code"; } 2>/dev/null; do
    take_second
    if is_called_away && [ "$signal" = TERM ]; then
      hooks_until=$second
      hook_until=$second
    fi
    if [ "$second" -ge "$hook_until" ]; then
      # What not even KILL ends is left behind.
      [ "$signal" != none ] || { code=137; break; }
      { read -r child <"$live.pid"; } 2>/dev/null && end_group "$signal" "$child"
      case $signal in
        TERM) note_hooks "${1##*/}: its time is over"; signal=KILL; hook_until=$((second + HOOK_GRACE_SECONDS)) ;;
        KILL) signal=none; hook_until=$((second + 5)) ;;
      esac
    fi
    # Where its folder has gone, so has whoever would hear of it.
    [ -d "$hooks_folder" ] || signal=none hook_until=$second
    say_hooks running
    nap
  done
  # Its last words come a little later.
  naps=0
  while [ -e "$live" ] && [ "$naps" -lt 5 ]; do nap; done
  rm -f "$live" "$live.pid" "$live.code"
  [ "$code" = 0 ] || note_hooks "${1##*/}: failed ($code)"
  [ "$code" = 0 ]
}

# run_stage STAGE REASON SECONDS EACH: runs a stage's hooks, each for EACH seconds at the most where that is not 0. Those of a
# preparation that fail run again, as long as there is time.
run_stage() {
  wanted=$1
  export DUMONT_STAGE="$1" DUMONT_REASON="$2" DUMONT_DEADLINE_SECONDS="$3" DUMONT_INSTANCE_ID
  DUMONT_DEADLINE=$(($(date +%s) + $3))
  export DUMONT_DEADLINE
  take_second
  hooks_began=$second
  hooks_until=$((second + $3))
  each=$4
  rm -f "$hooks_folder"/hook.* "$hooks_folder/log.old" 2>/dev/null
  { : >"$hooks_folder/log"; } 2>/dev/null
  say_hooks running
  set --
  for hook in "$HOOKS_DIR"/*; do
    if [ ! -f "$hook" ] || [ ! -x "$hook" ]; then continue; fi
    stage_of "${hook##*/}"
    [ "$stage" != "$wanted" ] || set -- "$@" "$hook"
  done
  while [ $# -gt 0 ]; do
    untried=$#
    while [ "$untried" -gt 0 ]; do
      untried=$((untried - 1))
      hook=$1
      shift
      take_time_left
      if [ "$time_left" -le 0 ]; then
        note_hooks "${hook##*/}: no time was left for it"
        set -- "$@" "$hook"
        continue
      fi
      if [ "$each" -gt 0 ] && [ "$each" -lt "$time_left" ]; then time_left=$each; fi
      run_hook "$hook" "$time_left" || set -- "$@" "$hook"
    done
    [ $# -gt 0 ] || break
    take_time_left
    if [ "$wanted" != prepare ] || [ "$each" -gt 0 ] || [ "$time_left" -le "$HOOK_RETRY_SECONDS" ]; then
      say_hooks failed
      return 1
    fi
    again=$((second + HOOK_RETRY_SECONDS))
    while [ "$second" -lt "$again" ] && ! is_called_away; do
      sleep 1
      say_hooks running
    done
  done
  say_hooks succeeded
}

# is_roots_alone PATH: whether it, and every folder above it, belongs to root, and nobody else may write to it. Above it a
# folder may be one in which nobody replaces what is root's.
is_roots_alone() {
  path=$(readlink -f "$1") || return 1
  above=0
  while :; do
    # shellcheck disable=SC2012
    ls -ldn "$path" 2>/dev/null | awk -v above="$above" '
      { exit !($3 == 0 && ((above && substr($1, 10, 1) ~ /[tT]/) || (substr($1, 9, 1) != "w" && (substr($1, 6, 1) != "w" || $4 == 0)))) }
      END { if (NR == 0) exit 1 }' || return 1
    [ "$path" != / ] || return 0
    path=${path%/*}
    path=${path:-/}
    above=1
  done
}

# asked NAME PATTERN: what the agent asks for under that name, where it is of that form. It comes from whoever is the
# service's user, so it is never more than a word that is compared or counted.
asked() {
  value=$(head -c 1024 "$ROOT_HOOKS_DIR/request" | sed -n "s/^$1=//p" | head -n 1)
  matches "$value" "$2" && printf '%s' "$value"
}

# What root's unit does: runs the hooks that the agent asks for.
run_asked_hooks() {
  [ "$(id -u)" -eq 0 ] || fail "run-hooks is for the unit dumont-agent-hooks.service, which belongs to root"
  hooks_folder=$ROOT_HOOKS_DIR
  (umask 022 && mkdir -p "$hooks_folder") && chgrp "$(id -g "$SERVICE_USER")" "$hooks_folder" && chmod 750 "$hooks_folder" || exit 1
  hooks_call=$RUN_DIR/hooks.request
  live=$hooks_folder/none
  rm -rf "$hooks_folder/request"
  # By a move, which follows no link, into a folder where nobody else may put another in its place.
  limited 5 mv -f "$hooks_call" "$hooks_folder/request" 2>/dev/null || exit 0
  if [ -L "$hooks_folder/request" ] || [ ! -f "$hooks_folder/request" ]; then
    rm -rf "$hooks_folder/request" "$hooks_call"
    fail "what asks for hooks is no file"
  fi
  if ! { hooks_id=$(asked id '[A-Za-z0-9-]{1,64}') && asked_stage=$(asked stage 'warning|prepare|resume|stop') &&
    reason=$(asked reason '[a-z_]{1,32}') && asked_seconds=$(asked seconds '[1-9][0-9]{0,3}') &&
    each=$(asked each '[0-9]{1,3}') && DUMONT_INSTANCE_ID=$(asked instance '[A-Za-z0-9][A-Za-z0-9._:-]{0,127}'); }; then
    fail "what asks for hooks is not of their form"
  fi
  [ "$asked_seconds" -le "$PREPARE_MAXIMUM_SECONDS" ] || asked_seconds=$PREPARE_MAXIMUM_SECONDS
  rm -f "$hooks_folder/request"
  # What was to be stopped has seen the request itself.
  [ "$asked_stage" != stop ] || exit 0
  take_second
  hooks_began=$second
  for file in "$HOOKS_DIR" "$HOOKS_DIR"/*; do
    if [ ! -e "$file" ] || is_roots_alone "$file"; then continue; fi
    { : >"$hooks_folder/log"; } 2>/dev/null
    note_hooks "not run: $file, or a folder above it, is not root's alone (chown root, chmod go-w)"
    say_hooks failed
    exit 1
  done
  trap '{ read -r child <"$live.pid"; } 2>/dev/null && end_group TERM "$child"; say_hooks failed; exit 1' TERM INT
  run_stage "$asked_stage" "$reason" "$asked_seconds" "$each"
}

