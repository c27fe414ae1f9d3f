# The first line of a configuration file that install wrote. Lines of MADE after it say what else install made.
NOTE_OF_INSTALL='# Written by dumont-agent install'
MADE='# made '

# notes_of_install: those lines, of the file as it is.
notes_of_install() { ! written_by_install || sed -n "/^$MADE/p" "$CONFIG_FILE"; }
written_by_install() { [ -f "$CONFIG_FILE" ] && [ "$(head -n 1 "$CONFIG_FILE")" = "$NOTE_OF_INSTALL" ]; }

# Sets `made`, the newest first, so that a folder comes before the one that holds it.
note_made() {
  made="$MADE$1${made:+
$made}"
}

# make_folder FOLDER: makes it and what is above it, and notes those that were not there before.
make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder "$(dirname "$1")"
  mkdir "$1" || exit 1
  note_made "folder $1"
}

make_user() {
  ! id "$SERVICE_USER" >/dev/null 2>&1 || return 0
  if has useradd; then useradd --system --no-create-home --shell /usr/sbin/nologin "$SERVICE_USER"
  else adduser -S -D -H -s /sbin/nologin "$SERVICE_USER"
  fi
  note_made user
}

# A value of several lines would be several settings.
need_one_line() {
  for name in $SETTINGS; do
    eval "value=\${DUMONT_$name:-}"
    [ "$(printf '%s' "$value" | tr -d '\000-\037')" = "$value" ] || fail "DUMONT_$name must be one line"
  done
}

# quoted VALUE: as systemd's EnvironmentFile and `load_config` read it; as it is where that says the same.
quoted() {
  case $1 in
    *[!A-Za-z0-9._~+/=:@%-]*) printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"`$]/\\&/g')" ;;
    *) printf '%s' "$1" ;;
  esac
}

# Enrolls this machine now, if the network is up and the service answers in time; what is refused installs nothing.
enroll_now() {
  failures=0
  waited=0
  until is_known; do
    # It is in the log already.
    ! is_refused || exit 1
    failures=$((failures + 1))
    seconds=$(enroll_backoff)
    waited=$((waited + seconds))
    if [ "$waited" -gt "$ENROLL_LIMIT_SECONDS" ]; then
      [ -n "${machine_id:-}" ] || fail "nothing is installed"
      log "the agent goes on trying"
      return 0
    fi
    sleep "$seconds"
  done
  [ -n "${certain:-}" ] || return 0
  echo "This is machine $machine_id at $machine_provider. It reports as instance $DUMONT_INSTANCE_ID."
}

# Sets `running` to the agent that runs without systemd; nothing without one.
find_running() {
  running=$(cat "$RUN_DIR/pid" 2>/dev/null)
  { tr '\0' ' ' <"$PROC/${running:-none}/cmdline"; } 2>/dev/null | grep -q 'dumont-agent run' || running=
}

# A container ends with its first process.
end_running() {
  find_running
  [ -z "$running" ] || [ "$running" = 1 ] || kill "$running" 2>/dev/null
}

start_in_background() {
  end_running
  if [ "$running" = 1 ]; then
    echo "Installed as $BIN. It is the container's first process already: start the container anew for this version."
    return 0
  fi
  if has setsid; then setsid "$BIN" run </dev/null >>"$LOG_FILE" 2>&1 &
  else nohup "$BIN" run </dev/null >>"$LOG_FILE" 2>&1 &
  fi
  (umask 077 && mkdir -p "$RUN_DIR" && echo "$!" >"$RUN_DIR/pid")
  echo "Installed as $BIN, and started. There is no systemd here: let the container start it with '$BIN run &'. Log: $LOG_FILE"
}

install_agent() {
  [ "$(id -u)" -eq 0 ] || fail "install needs root: sudo $0 install"
  case $CONFIG_FILE in /*) ;; *) CONFIG_FILE=$PWD/$CONFIG_FILE ;; esac
  starts=
  later=
  while [ $# -gt 0 ]; do
    case $1 in
      --hibernate-command) [ $# -ge 2 ] || fail "$1 needs a command"; DUMONT_HIBERNATE_COMMAND=$2; shift ;;
      --enroll) [ $# -ge 2 ] || fail "$1 needs an enrollment token"; DUMONT_ENROLLMENT_TOKEN=$2; starts=1; shift ;;
      --url) [ $# -ge 2 ] || fail "$1 needs an address"; DUMONT_API_URL=$2; shift ;;
      --later) later=1 ;;
      *) fail "unknown option $1" ;;
    esac
    shift
  done
  adopt_environment
  load_config
  need_one_line
  if enrolls; then
    need_token DUMONT_ENROLLMENT_TOKEN "$DUMONT_ENROLLMENT_TOKEN"
    need_address
    CLIENT=$(client) || exit 1
  else
    [ -z "$starts" ] || echo "This machine was set up by hand as instance ${DUMONT_INSTANCE_ID:-}, and stays so: it does not enroll."
    need_config
  fi
  made=$(notes_of_install)
  if enrolls && [ -z "$later" ]; then enroll_now; fi
  make_folder "$(dirname "$CONFIG_FILE")"
  make_folder "$HOOKS_DIR"
  make_user
  if [ -d "$STATE_DIR" ]; then chown -R "$SERVICE_USER" "$STATE_DIR"; fi
  umask 077
  {
    echo "$NOTE_OF_INSTALL"
    [ -z "$made" ] || printf '%s\n' "$made"
    for name in $SETTINGS; do
      case ${enrolled:-},$name in
        # They are of this machine, not of the image.
        1,INSTANCE_ID | 1,API_TOKEN) continue ;;
      esac
      eval "value=\${DUMONT_$name:-}"
      [ -z "$value" ] || printf 'DUMONT_%s=%s\n' "$name" "$(quoted "$value")"
    done
  } >"$CONFIG_FILE.new"
  mv "$CONFIG_FILE.new" "$CONFIG_FILE"
  umask 022
  # By a new file, so that an agent that runs keeps its own to the end.
  cp "$0" "$BIN.new"
  chmod 755 "$BIN.new"
  mv "$BIN.new" "$BIN"
  [ -z "$later" ] || starts=
  if ! has systemctl || [ ! -d /run/systemd/system ]; then
    if [ -n "$starts" ]; then start_in_background
    else echo "Installed as $BIN. There is no systemd here: start it with '$BIN run &'."
    fi
    return 0
  fi
  unit >"$UNIT_DIR/dumont-agent.service"
  hooks_units
  [ -z "${DUMONT_HIBERNATE_COMMAND:-}" ] || hibernate_units
  systemctl daemon-reload
  systemctl enable dumont-agent >/dev/null 2>&1
  systemctl enable --now dumont-agent-hooks.path >/dev/null 2>&1
  [ -z "${DUMONT_HIBERNATE_COMMAND:-}" ] || systemctl enable --now dumont-agent-hibernate.path >/dev/null 2>&1
  if [ -n "$starts" ]; then
    systemctl restart dumont-agent || exit 1
    echo "Installed and started."
    return 0
  fi
  systemctl try-restart dumont-agent
  echo "Installed. Start it with: systemctl start dumont-agent"
}

uninstall_agent() {
  [ "$(id -u)" -eq 0 ] || fail "uninstall needs root: sudo $0 uninstall"
  if has systemctl && [ -d /run/systemd/system ]; then
    systemctl disable --now dumont-agent-hibernate.path dumont-agent-hooks.path dumont-agent >/dev/null 2>&1
    systemctl stop dumont-agent-hooks.service >/dev/null 2>&1
  fi
  end_running
  # It takes its files along, once the program that it runs has ended.
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    find_running
    if [ -z "$running" ] || [ "$running" = 1 ]; then break; fi
    sleep 1
  done
  rm -f "$RUN_DIR"/dumont-agent.??????
  rm -f "$STATE_DIR/enrolled" "$STATE_DIR/prepared" "$STATE_DIR/heard" "$STATE_DIR/dead_man" "$RUN_DIR/pid" "$LOG_FILE"
  rm -rf "$RUN_DIR/hooks" "$ROOT_HOOKS_DIR"
  rmdir "$STATE_DIR" "$RUN_DIR" 2>/dev/null
  rm -f "$UNIT_DIR/dumont-agent.service" "$UNIT_DIR/dumont-agent-hibernate.path" \
    "$UNIT_DIR/dumont-agent-hibernate.service" "$UNIT_DIR/dumont-agent-hooks.path" \
    "$UNIT_DIR/dumont-agent-hooks.service" "$BIN"
  if has systemctl && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  made=$(notes_of_install)
  if written_by_install; then rm -f "$CONFIG_FILE"; fi
  printf '%s\n' "$made" | while read -r _ _ what folder; do
    case $what in
      # One that holds something is somebody's.
      folder) rmdir "$folder" 2>/dev/null || echo "Left, as it is not empty: $folder" ;;
      user) if has userdel; then userdel "$SERVICE_USER"; else deluser "$SERVICE_USER" 2>/dev/null; fi ;;
    esac
  done
  echo "Removed."
}

