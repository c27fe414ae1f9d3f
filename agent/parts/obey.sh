warn_users() {
  log "$1"
  [ "$1" != "${warned:-}" ] || return 0
  warned=$1
  ! has wall || printf '%s\n' "dumont-agent: $1" | wall 2>/dev/null
  return 0
}

# Told to hibernate: hooks, then the last word, then the machine's own way. Without one it says so in its next beat.
hibernate() {
  if [ -z "${DUMONT_HIBERNATE_COMMAND:-}" ]; then
    log "told to hibernate, but DUMONT_HIBERNATE_COMMAND is not set"
    report_status=no_hibernate_command
    return 0
  fi
  # The service has waited for the hooks as long as it was to.
  if [ -z "${hibernates_next:-}" ] && [ "$preparation" = running ]; then
    log "told to hibernate before the hooks have ended"
    stop_hooks
  fi
  hibernates_next=1
  prepare '' hibernate "$((HOOK_LIMIT_SECONDS * $(count_hooks prepare)))" "$HOOK_LIMIT_SECONDS"
  follow_hooks
}

# Once the hooks have ended.
hibernate_now() {
  hibernates_next=
  # It ends as it has begun: no beat at once takes the last word back.
  beat hibernating || log "the last word was not heard ($http_status)"
  go_down
}

go_down() {
  log "hibernating: $DUMONT_HIBERNATE_COMMAND"
  # Until something else is heard, or the machine has stood still.
  stands=asleep
  beat_now=
  if is_confined hibernate; then
    # The service may not hibernate the machine itself: a unit of root's watches for this file.
    : >"$RUN_DIR/hibernate"
  else
    limited "$HIBERNATE_LIMIT_SECONDS" sh -c "$DUMONT_HIBERNATE_COMMAND"
    status=$?
    [ "$status" != 0 ] || return 0
    # The machine may have stood still meanwhile.
    if is_hung "$status"; then log "the hibernate command did not end in $HIBERNATE_LIMIT_SECONDS seconds"; return 0; fi
    log "the hibernate command failed"
    return 1
  fi
}

# is_confined UNIT: whether this runs as a user of its own, beside a unit of root's that does what it may not.
is_confined() { [ "$(id -u)" -ne 0 ] && [ -d "$RUN_DIR" ] && [ -e "$UNIT_DIR/dumont-agent-$1.path" ]; }

obey() {
  if told hibernate; then
    hibernate
    return
  fi
  if told prepare; then take_preparation
  elif ! told hibernating; then stands=
  fi
  if told hibernate_warning; then
    warn_users "$(message_of hibernate_warning)"
    [ -n "${warning:-}" ] || warning=asked
  else
    warned=
    warning=
  fi
  follow_hooks
}

