# --- doctor ----------------------------------------------------------------------------------------------------------

# Long enough that a mean over it says something.
DOCTOR_SECONDS=5

# without_secrets TEXT: with addresses as far as they hold no user and no query.
without_secrets() { printf '%s' "$1" | tr -d '\000-\037\177' | sed 's,//[^/@ ]*@,//***@,g; s,?[^# ]*,?***,g'; }

tell_setting() {
  eval "value=\${DUMONT_$1:-}"
  case $1,$value in
    *,) shown= ;;
    # A command may well hold a key.
    *TOKEN,* | HIBERNATE_COMMAND,*) shown="set" ;;
    *) shown=$(without_secrets "$value") ;;
  esac
  printf '  %-26s %s\n' "DUMONT_$1" "${shown:-not set}"
}

# threshold_of NAME: from which value on it counts as use.
threshold_of() {
  case $1 in work_*) kind=work ;; script_*) kind=scripts ;; *) kind=$1 ;; esac
  for each in $SOURCE_THRESHOLDS; do
    [ "${each%%=*}" != "$kind" ] || { echo "${each#*=}"; return; }
  done
  echo 1
}

# where_read NAME
where_read() {
  case $1 in
    ssh_connections) echo "$PROC/net/tcp and tcp6, ports ${DUMONT_SSH_PORTS:-22}" ;;
    notebook_connections) echo "$PROC/net/tcp and tcp6, ports ${DUMONT_NOTEBOOK_PORTS:-8888 8080}" ;;
    busy_kernels) echo "the kernels at $(place_of "$DUMONT_JUPYTER_URL")" ;;
    cpu_cores) echo "$cpu_file" ;;
    network_kb_per_second) echo "$network_file" ;;
    disk_kb_per_second) echo "$disk_file" ;;
    compute_processes) echo "nvidia-smi --query-compute-apps" ;;
    work_*) echo "DUMONT_WORK_URLS" ;;
    script_*) echo "$folder" ;;
  esac
}

tell_gpus() {
  case $gpu_program in
    '') echo "  read by:   nothing: neither nvidia-smi, amd-smi nor rocm-smi is here" ;;
    nvidia-smi)
      echo "  read by:   nvidia-smi, which took $((${took:-0} / 100)).$(printf %02d "$((${took:-0} % 100))") s${gpu_trouble:+; $gpu_trouble}"
      [ -n "${gpu_trouble:-}" ] || echo "  driver:    $(limited "$PROGRAM_LIMIT_SECONDS" nvidia-smi \
        --query-gpu=driver_version,persistence_mode --format=csv,noheader 2>/dev/null </dev/null | head -n 1 | tr -cd ' -~'
      ) (version, persistence mode); its own samples: $([ "${ring_seen:-0}" = 1 ] && echo read || echo none)"
      ;;
    *) echo "  read by:   $gpu_program${gpu_trouble:+; $gpu_trouble}" ;;
  esac
  printf '%s\n' "$gpu_state" | awk -F '|' '
    function known(value, unit) { return value == "" ? "unknown" : value unit }
    /^[0-9]/ {
      printf "  GPU %-6s %s: highest %s, memory %s of %s, power %s of %s, compute processes %s\n", $1, ($2 == "" ? "of unknown name" : $2),
        ($13 || !$9 ? "unknown" : $11 " %"), known($5), known($6, " GB"), known($12), known($7, " W"), known($8)
      count++
    }
    END { if (!count) print "  none" }'
}

# tell_source NAME VALUE WHY: sets `in_use` to what counts as use.
tell_source() {
  from=$(threshold_of "$1")
  verdict=quiet
  case $2 in
    null) verdict="IN USE, as it is unknown" ;;
    *) [ "$(awk -v n="$2" -v from="$from" 'BEGIN { print (n + 0 >= from + 0) }')" = 0 ] || verdict="IN USE" ;;
  esac
  [ "$verdict" = quiet ] || in_use="$in_use $1"
  printf '  %-24s %-10s %-8s %s  (%s)\n' "$1" "$(known "$2")" "$from" "$verdict" "$3"
}

not_reported() { case $NEWLINE$sources in *"$NEWLINE$1"*) ;; *) printf '  %-24s not reported: %s\n' "$2" "$3" ;; esac; }

doctor() {
  ! enrolls || take_kept || :
  API_URL=${DUMONT_API_URL:-$API_URL_DEFAULT}
  API_URL=${API_URL%/}
  CLIENT=$(client) || exit 1
  trap drop_printed EXIT
  trap 'exit 130' INT TERM
  echo "dumont-agent $VERSION, doctor at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo
  echo "Machine"
  echo "  system:    $(uname -srm), $(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\).*/\1/p' "$ROOT/etc/os-release" 2>/dev/null | tr -cd ' -~')"
  echo "  container: $(is_container && echo yes || echo 'none seen')"
  echo "  programs:  $CLIENT, $(readlink -f "$(command -v awk)" 2>/dev/null), timeout $(has timeout && echo 'is here' || echo 'is not here')"
  echo "  this runs as $(id -un 2>/dev/null || id -u); the service as $SERVICE_USER, which may see less"
  case $(fetch "$API_URL/api/agent/status") in
    *'"success":true'*) echo "  service:   reached at $(without_secrets "$API_URL")" ;;
    *) echo "  service:   NOT reached at $(without_secrets "$API_URL")" ;;
  esac
  echo
  echo "Settings ($([ -r "$CONFIG_FILE" ] && echo "the environment and $CONFIG_FILE" || echo "the environment; $CONFIG_FILE cannot be read"))"
  for name in $SETTINGS; do tell_setting "$name"; done
  take_base
  sleep "$DOCTOR_SECONDS"
  take_readings
  echo
  echo "GPUs, over $DOCTOR_SECONDS s"
  tell_gpus
  echo
  echo "Sources of activity, over $DOCTOR_SECONDS s: value, from which on it counts as use by the default policy, and what that makes it"
  in_use=
  while IFS='|' read -r name value _ note; do
    [ -z "$name" ] || tell_source "$name" "$value" "${note:-$(where_read "$name")}"
  done <<EOF
$(printf '%s\n' "$sources" | awk -F '|' "$SOURCE_VALUE"'{ print $1 "|" ($1 == "" ? "" : source_value()) "||" $4 }')
EOF
  not_reported disk_kb_per_second disk_kb_per_second "this container does not say what its own disks do"
  not_reported compute_processes compute_processes "no NVIDIA GPU has been read twice"
  not_reported busy_kernels busy_kernels "DUMONT_JUPYTER_URL is not set"
  not_reported work_ 'work_*' "$([ -n "${DUMONT_WORK_URLS:-}" ] && echo 'no counter was read twice' || echo 'DUMONT_WORK_URLS is not set')"
  not_reported script_ 'script_*' "no executable file in ${DUMONT_ACTIVITY_DIR:-/etc/dumont-agent/activity.d}"
  echo
  case $gpu_percent_max in
    null) echo "Idleness is judged by the GPU, whose utilization is unknown: this machine is not idle." ;;
    *)
      if [ "$(awk -v n="$gpu_percent_max" -v under="$IDLE_THRESHOLD_PERCENT" 'BEGIN { print (n < under) }')" = 0 ]; then in_use="GPU$in_use"; fi
      ;;
  esac
  if [ -n "$in_use" ]; then echo "By the default policy it is in use now: ${in_use# }"
  else echo "By the default policy nothing uses it now."
  fi
}

