# --- notices of interruption -----------------------------------------------------------------------------------------
#
# They are asked for in the background, and tell what they have found in a file: metadata that hangs delays nothing.

reclaimed_by=
spot_cloud=

# spot_reply METHOD PATH HEADER: as `metadata`, with the status and the headers, whatever the status is.
spot_reply() {
  : "${CLIENT:=$(client)}"
  case $CLIENT in
    gnu-wget)
      limited "$METADATA_LIMIT_SECONDS" wget -q -S -O - -T "$METADATA_LIMIT_SECONDS" -t 1 --no-proxy --max-redirect=0 \
        --content-on-error --method="$1" --header "$3" "$METADATA_URL$2" 2>&1
      ;;
    curl) curl -s -i --noproxy '*' --max-time "$METADATA_LIMIT_SECONDS" -X "$1" -H "$3" "$METADATA_URL$2" 2>/dev/null ;;
    wget)
      [ "$1" = GET ] || return 1
      limited "$METADATA_LIMIT_SECONDS" wget -S -q -O - -Y off -T "$METADATA_LIMIT_SECONDS" --header "$3" "$METADATA_URL$2" 2>&1
      ;;
  esac | head -c "$ANSWER_MAXIMUM_BYTES"
}

# seconds_until TIME: by this machine's clock, of a time in UTC such as 2026-11-27T10:00:00Z or Fri, 27 Nov 2026 10:00:00 GMT. One
# that is over, or far away, says rather that the clock is wrong.
seconds_until() {
  printf '%s\n' "$1" | awk -v now="$(date -u +%s)" '
    { gsub(/[-T:Z]/, " ") }
    $1 ~ /,$/ { at = index("JanFebMarAprMayJunJulAugSepOctNovDec", $3); $0 = $4 " " (at + 2) / 3 " " $2 " " $5 " " $6 " " $7 }
    NF == 6 && $1 > 2000 && $2 >= 1 {
      year = $1 - ($2 <= 2)
      days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400)
      days += int((153 * ($2 + ($2 > 2 ? -3 : 9)) + 2) / 5) + $3 - 719469
      left = days * 86400 + $4 * 3600 + $5 * 60 + $6 - now
      if (left > 0 && left <= 3600) print int(left)
    }'
}

# What each finds is one line: a cloud, then `none`, `notice ACTION SECONDS`, or `unknown`, then what the next call needs.
spot_ec2() {
  token=$spot_memory
  if [ -z "$token" ]; then
    token=$(metadata PUT /latest/api/token "X-aws-ec2-metadata-token-ttl-seconds: $SPOT_SESSION_SECONDS")
    matches "$token" '[A-Za-z0-9+/=_-]+' || { echo unknown; return; }
  fi
  reply=$(spot_reply GET /latest/meta-data/spot/instance-action "X-aws-ec2-metadata-token: $token")
  case $reply in
    *HTTP/[0-9.]*\ 404*) echo "none - - $token" ;;
    *HTTP/[0-9.]*\ 200*'"action"'*)
      until=$(seconds_until "$(printf '%s' "$reply" | sed -n 's/.*"time" *: *"\([^"]*\)".*/\1/p')")
      echo "notice $(printf '%s' "$reply" | sed -n 's/.*"action" *: *"\([a-z-]\{1,32\}\)".*/\1/p') ${until:--} $token"
      ;;
    # The session may be over, although its time is not.
    *HTTP/[0-9.]*\ 401*) echo "unknown - - -" ;;
    *) echo "unknown - - $token" ;;
  esac
}

spot_gcp() {
  reply=$(spot_reply GET /computeMetadata/v1/instance/preempted 'Metadata-Flavor: Google')
  case $reply in
    *HTTP/[0-9.]*\ 200*TRUE) echo "notice preempted $SPOT_NOTICE_SECONDS -" ;;
    *HTTP/[0-9.]*\ 200*FALSE) echo "none - - -" ;;
    *) echo "unknown - - -" ;;
  esac
}

# Its events are of all machines of a set.
spot_azure() {
  name=$spot_memory
  [ -n "$name" ] || name=$(azure name)
  reply=$(spot_reply GET '/metadata/scheduledevents?api-version=2020-07-01' 'Metadata: true')
  case $reply in
    *HTTP/[0-9.]*\ 200*'"Events"'*) ;;
    *) echo "unknown - - ${name:--}"; return ;;
  esac
  event=$(printf '%s' "$reply" | tr '\r\n{' '  \n' | grep '"EventType" *: *"Preempt"' |
    grep -iF "\"${name:+$name\"}" | head -n 1)
  if [ -z "$event" ]; then
    echo "none - - ${name:--}"
    return
  fi
  until=$(seconds_until "$(printf '%s' "$event" | sed -n 's/.*"NotBefore" *: *"\([^"]*\)".*/\1/p')")
  echo "notice preempt ${until:--} ${name:--}"
}

# What a call in the background writes.
ask_spot() {
  if [ -n "$spot_cloud" ]; then
    found="$spot_cloud $("spot_$spot_cloud")"
  else
    found="nowhere -"
    for each in ec2 gcp azure; do
      if "find_$each"; then found="$each unknown - - -"; break; fi
    done
  fi
  [ ! -e "$1" ] || printf '%s\n' "$found" >"$1"
}

# Each tick.
watch_spot() {
  [ "${DUMONT_SPOT_WATCH:-auto}" != off ] && [ "$spot_cloud" != off ] || return 0
  take_second
  if [ -n "${spot_asked:-}" ]; then
    if [ -s "$spot_file" ]; then
      spot_said=
      { read -r spot_by spot_said spot_action spot_until spot_kept <"$spot_file"; } 2>/dev/null
      : >"$spot_file"
      spot_asked=
      take_spot
    elif [ "$((second - spot_asked))" -gt 60 ]; then
      spot_asked=
    fi
    return 0
  fi
  [ "$second" -ge "${spot_next:-0}" ] || return 0
  if [ -z "${spot_file:-}" ]; then
    if ! spot_file=$(scratch_file); then
      log "spot: there is nowhere to write, so notices of interruption are not watched"
      spot_cloud=off
      return 0
    fi
    # It may be known already, and a machine of RunPod or Vast.ai is at none of the three.
    if [ -n "${machine_id:-}" ]; then
      case $machine_provider in ec2 | gcp | azure) spot_cloud=$machine_provider ;; esac
    fi
    if [ -n "$(inherited RUNPOD_POD_ID)$(inherited CONTAINER_ID)" ]; then spot_cloud=off; return 0; fi
  fi
  # A session of EC2's ends; what else is kept is asked for again as well.
  if [ "$((second - ${spot_renewed:-0}))" -gt "$((SPOT_SESSION_SECONDS / 2))" ]; then
    spot_memory=
    spot_renewed=$second
  fi
  spot_asked=$second
  ask_spot "$spot_file" </dev/null >/dev/null 2>&1 &
}

# What was found goes into `reclaimed_by`, and says when to ask again.
take_spot() {
  if [ "$spot_by" = nowhere ]; then
    spot_next=$((second + 3600))
    return 0
  fi
  [ -n "$spot_cloud" ] || log "spot: this machine is at $spot_by, whose notices of interruption are watched"
  spot_cloud=$spot_by
  spot_memory=${spot_kept#-}
  case $spot_said in
    notice | none)
      spot_failures=0
      # It has been a moment since.
      spot_next=$((second + SPOT_SECONDS - 1))
      ;;
    *)
      spot_failures=$((${spot_failures:-0} + 1))
      spot_next=$((second + SPOT_SECONDS * spot_failures))
      [ "$spot_next" -le "$((second + SPOT_MAXIMUM_SECONDS))" ] || spot_next=$((second + SPOT_MAXIMUM_SECONDS))
      ;;
  esac
  case $spot_said,$reclaimed_by in
    notice,) take_notice "${spot_action#-}" "${spot_until#-}" ;;
    none,?*)
      log "spot: the notice of interruption is gone, and this machine goes on"
      reclaimed_by=
      beat_now=1
      ;;
  esac
  follow_hooks
}

# take_notice ACTION SECONDS
take_notice() {
  reclaimed_by=$spot_cloud
  reclaim_action=$1
  reclaim_at=${2:+$((second + $2))}
  time_left=$((${2:-$SPOT_NOTICE_SECONDS} - 5))
  warn_users "This machine is taken back by $reclaimed_by (${1:-interruption}), in ${2:-about $SPOT_NOTICE_SECONDS} seconds."
  prepare '' reclaimed "$((time_left > 0 ? time_left : 1))" 0
  beat_now=1
}

reclaim_json() {
  [ -n "$reclaimed_by" ] || return 0
  in_seconds=null
  if [ -n "$reclaim_at" ]; then
    in_seconds=$((reclaim_at - second))
    [ "$in_seconds" -gt 0 ] || in_seconds=0
  fi
  printf ',"reclaim":{"by":"%s","action":%s,"in_seconds":%s}' \
    "$reclaimed_by" "$([ -n "$reclaim_action" ] && json_string "$reclaim_action" || echo null)" "$in_seconds"
}

