# --- the service -----------------------------------------------------------------------------------------------------

# GNU wget takes less memory than curl, and unlike other wgets keeps the token out of the process list.
client() {
  if has wget && wget --version 2>/dev/null | grep -q '^GNU Wget'; then echo gnu-wget
  elif has curl; then echo curl
  elif has wget; then echo wget
  else fail "neither wget nor curl is here"
  fi
}

# fetch URL: the answer's body.
fetch() {
  : "${CLIENT:=$(client)}"
  case $CLIENT in
    curl) curl -sS --max-time "$REQUEST_LIMIT_SECONDS" "$1" 2>/dev/null ;;
    # GNU's tries twenty times by itself.
    *) limited "$REQUEST_LIMIT_SECONDS" wget -q -O - -T "$REQUEST_LIMIT_SECONDS" "$1" 2>/dev/null ;;
  esac | head -c "$ANSWER_MAXIMUM_BYTES"
}

# read_url SECONDS URL [METHOD HEADER]: the body, without any proxy; nothing where the answer is an error.
read_url() {
  case ${CLIENT:=$(client)} in
    gnu-wget)
      limited "$1" wget -q -O - -T "$1" -t 1 --no-proxy --max-redirect=0 ${3:+--method="$3"} ${4:+--header="$4"} "$2" </dev/null 2>/dev/null
      ;;
    curl) curl -sf --noproxy '*' --max-time "$1" ${3:+-X "$3"} ${4:+-H "$4"} "$2" </dev/null 2>/dev/null ;;
    wget)
      # It can do nothing but GET and POST.
      [ "${3:-GET}" = GET ] || return 1
      limited "$1" wget -q -O - -Y off -T "$1" ${4:+--header "$4"} "$2" </dev/null 2>/dev/null
      ;;
  esac
}

headers_of_request() {
  printf 'header = Authorization: Bearer %s\nheader = Content-Type: application/json\n' "$1" 2>/dev/null
}

# request BODY PATH TOKEN: sets `http_status` (000 without an answer), `answer` and `retry_after`.
request() {
  http_status=000
  answer=
  retry_after=
  url=$API_URL$2
  client=$CLIENT
  if [ "$client" = gnu-wget ]; then
    # It reads its headers from a regular file alone: one of this user's only, there for this one request.
    if ! headers=$(scratch_file) || ! headers_of_request "$3" >"$headers"; then
      # Nowhere to write: better seen in the process list than taken for dead.
      if has curl; then client=curl; else client=wget; fi
    fi
  fi
  case $client in
    gnu-wget)
      # A redirection would turn the POST into a GET. wget's own limit is for each piece of the answer, not for the whole.
      reply=$(limited "$REQUEST_LIMIT_SECONDS" wget -q -S -O - -T "$REQUEST_LIMIT_SECONDS" -t 1 --max-redirect=0 --content-on-error \
        --config="$headers" --post-data "$1" "$url" 2>&1 | head -c "$ANSWER_MAXIMUM_BYTES")
      ;;
    curl)
      reply=$(printf '%s' "$1" | curl -sS -i --max-time "$REQUEST_LIMIT_SECONDS" -K /dev/fd/3 --data-binary @- \
        "$url" 2>/dev/null 3<<EOF | head -c "$ANSWER_MAXIMUM_BYTES"
header = "Authorization: Bearer $3"
header = "Content-Type: application/json"
EOF
      )
      ;;
    wget)
      reply=$(limited "$REQUEST_LIMIT_SECONDS" wget -S -q -O - -T "$REQUEST_LIMIT_SECONDS" --header "Authorization: Bearer $3" \
        --header 'Content-Type: application/json' --post-data "$1" "$url" 2>&1 | head -c "$ANSWER_MAXIMUM_BYTES")
      ;;
  esac
  [ -z "${headers:-}" ] || rm -f "$headers"
  # Headers and body in one: the status is in the last status line, the body is one line of JSON.
  http_status=$(printf '%s\n' "$reply" | sed -n 's/^ *HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' | tail -n 1)
  retry_after=$(printf '%s\n' "$reply" | sed -n 's/^ *[Rr]etry-[Aa]fter: *\([0-9]\{1,\}\)[[:space:]]*$/\1/p' | tail -n 1)
  answer=$(printf '%s\n' "$reply" | sed -n '/^{/p')
  : "${http_status:=000}"
}

# post BODY: a heartbeat. Any network's sign-in page says 200; only the service says when it wants to hear more.
post() {
  request "$1" /api/agent/status "$DUMONT_API_TOKEN"
  case $http_status,$answer in
    200,*'"next_heartbeat_in_seconds":'*) ;;
    200,*) http_status=000 ;;
  esac
}

told() { printf '%s' "$answer" | grep -q "\"type\":\"$1\""; }
message_of() { printf '%s' "$answer" | sed -n "s/.*\"type\":\"$1\",\"message\":\"\([^\"]*\)\".*/\1/p"; }

# beat STATUS: takes readings and reports them. Fails when not even that the instance lives was accepted.
beat() {
  beat_now=
  take_moment
  beat_began=$moment
  ticked=
  [ -z "${sequence:-}" ] || sequence=$((sequence + 1))
  take_readings
  without_log=
  weigh_use
  take_second
  fit_readings "$1"
  # Each with less than the one before, at once: that the instance lives must get through whatever else does not.
  for share in all brief half none bare; do
    case $share in
      # What hooks have printed is the least of it.
      brief) [ -n "$preparation_state" ] || continue ;;
      half | none) [ -n "$backlog" ] || continue ;;
    esac
    case $share in
      half) backlog=$(printf '%s\n' "$backlog" | tail -n "$(($(printf '%s\n' "$backlog" | grep -c .) / 2))") ;;
      none) backlog= ;;
      brief)
        without_log=1
        fit_readings "$1"
        ;;
      bare) readings=$(bare_json "$1") ;;
    esac
    case $share in
      bare) post "$readings}" ;;
      *) post "$readings,\"backlog\":[$(backlog_json "$((BODY_MAXIMUM_BYTES - ${#readings}))")]}" ;;
    esac
    case $http_status in
      400 | 413) say_once "refused ($http_status), sent again with less: $answer" ;;
      *) break ;;
    esac
  done
  [ "$http_status" = 200 ] || return 1
  backlog=
  [ "$share" = bare ] || begin_anew
  doings_accepted "$share"
}

# say_once TEXT: into the log, unless it was the last word there of this kind.
say_once() {
  [ "$1" != "${said:-}" ] || return 0
  said=$1
  log "$1"
}

