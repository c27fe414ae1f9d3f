# --- configuration ---------------------------------------------------------------------------------------------------

# Takes DUMONT_* lines of the file that the environment has not set. The file is read, never run.
load_config() {
  [ -r "$CONFIG_FILE" ] || return 0
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      DUMONT_[A-Z]*=*) ;;
      *) continue ;;
    esac
    name=${line%%=*}
    value=${line#*=}
    value=${value%"$(printf '\r')"}
    case $name in *[!A-Z_]*) continue ;; esac
    case $value in
      \"*\") value=${value#\"}; value=$(printf '%s' "${value%\"}" | sed 's/\\\([\\"`$]\)/\1/g') ;;
      \'*\') value=${value#\'}; value=${value%\'} ;;
    esac
    eval "[ -n \"\${$name:-}\" ] || $name=\$value"
  done <"$CONFIG_FILE"
}

# `sudo` empties the environment, so what was exported before it is looked up in the processes above this one.
adopt_environment() {
  pid=$PPID
  while [ "$pid" -gt 1 ] && [ -z "${DUMONT_INSTANCE_ID:-}" ]; do
    if [ -r "$PROC/$pid/environ" ]; then
      for name in $SETTINGS; do
        value=$(tr '\0' '\n' <"$PROC/$pid/environ" | sed -n "s/^DUMONT_$name=//p" | head -n 1)
        [ -z "$value" ] || eval "DUMONT_$name=\${DUMONT_$name:-\$value}"
      done
    fi
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "$PROC/$pid/status" 2>/dev/null)
    [ -n "$pid" ] || return 0
  done
}

need_config() {
  if enrolls; then take_kept || fail "this machine has not enrolled yet: dumont-agent run does it"; fi
  [ -n "${DUMONT_INSTANCE_ID:-}" ] || fail "DUMONT_INSTANCE_ID is not set (in the environment or $CONFIG_FILE)"
  [ -n "${DUMONT_API_TOKEN:-}" ] || fail "DUMONT_API_TOKEN is not set (in the environment or $CONFIG_FILE)"
  need_token DUMONT_API_TOKEN "$DUMONT_API_TOKEN"
  need_address
}

need_token() { case $2 in '' | *[!A-Za-z0-9._~+/=-]*) fail "$1 holds what no token holds" ;; esac; }

need_address() {
  API_URL=${DUMONT_API_URL:-$API_URL_DEFAULT}
  API_URL=${API_URL%/}
  case $API_URL in
    *[!][A-Za-z0-9.:/_~%@-]*) fail "DUMONT_API_URL holds what no address holds" ;;
    http://?* | https://?*) ;;
    *) fail "DUMONT_API_URL is neither an http:// nor an https:// address" ;;
  esac
}

