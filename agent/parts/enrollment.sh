# --- enrollment ------------------------------------------------------------------------------------------------------

# Whether this machine registers itself. One that was set up by hand stays what it is.
enrolls() {
  [ -n "${DUMONT_ENROLLMENT_TOKEN:-}" ] && { [ -n "${enrolled:-}" ] || [ -z "${DUMONT_INSTANCE_ID:-}" ] || [ -z "${DUMONT_API_TOKEN:-}" ]; }
}

# inherited NAME: a variable, of the environment or of the processes above this one, up to the container's first: sudo, SSH
# and cron empty theirs.
inherited() {
  eval "value=\${$1:-}"
  pid=$PPID
  while [ -z "$value" ]; do
    [ "${pid:-0}" -gt 0 ] || pid=1
    value=$({ tr '\0' '\n' <"$PROC/$pid/environ" | sed -n "s/^$1=//p" | head -n 1; } 2>/dev/null)
    [ "$pid" != 1 ] || break
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "$PROC/$pid/status" 2>/dev/null)
  done
  printf '%s' "$value"
}

# metadata METHOD PATH HEADER: what the cloud answers.
metadata() { read_url "$METADATA_LIMIT_SECONDS" "$METADATA_URL$2" "$1" "$3" | head -c "$ANSWER_MAXIMUM_BYTES"; }

matches() { { printf '%s' "$1" | tr '\n' ' '; echo; } | grep -Eqx "$2"; }

# Only the second version of its metadata service, which other clouds that imitate the first one do not have.
find_ec2() {
  session=$(metadata PUT /latest/api/token 'X-aws-ec2-metadata-token-ttl-seconds: 60')
  matches "$session" '[A-Za-z0-9+/=_-]+' || return 1
  machine_id=$(metadata GET /latest/meta-data/instance-id "X-aws-ec2-metadata-token: $session")
  matches "$machine_id" 'i-[0-9a-f]{8,17}'
}

google() { metadata GET "/computeMetadata/v1/$1" 'Metadata-Flavor: Google'; }

find_gcp() {
  machine_id=$(google instance/id)
  matches "$machine_id" '[0-9]{1,20}' || return 1
  zone=$(google instance/zone)
  machine_ref=projects/$(google project/project-id)/zones/${zone##*/}/instances/$(google instance/name)
}

# Azure ignores the case of names.
azure() {
  metadata GET "/metadata/instance/compute/$1?api-version=2021-02-01&format=text" 'Metadata: true' | tr '[:upper:]' '[:lower:]'
}

find_azure() {
  machine_id=$(azure vmId)
  matches "$machine_id" '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' || return 1
  machine_ref=$(azure resourceGroupName)/$(azure name)
}

# Sets `machine_provider`, `machine_id`, `machine_ref` and `machine_secret`, which no other machine has, where there is one.
find_machine() {
  machine_ref=
  machine_secret=
  machine_id=$(inherited RUNPOD_POD_ID)
  if matches "$machine_id" '[a-z0-9]{1,64}'; then
    machine_provider=runpod
    machine_secret=$(inherited RUNPOD_API_KEY)
    return 0
  fi
  machine_id=$(inherited CONTAINER_ID)
  if matches "$machine_id" '[0-9]{1,18}'; then
    machine_provider=vast
    machine_secret=$(inherited CONTAINER_API_KEY)
    return 0
  fi
  for machine_provider in ec2 gcp azure; do
    if "find_$machine_provider"; then
      matches "$machine_ref" '[A-Za-z0-9._:/-]{1,200}' || machine_ref=
      return 0
    fi
  done
  machine_id=
  return 1
}

NOT_FOUND="which machine this is nobody says: RUNPOD_POD_ID (RunPod) and CONTAINER_ID (Vast.ai) are not set, and $METADATA_URL does not answer as EC2 (IMDSv2), Google or Azure do"

# kept NAME: of the machine that enrolled last: MACHINE, KEY, INSTANCE_ID, API_TOKEN.
kept() { [ ! -r "$STATE_DIR/enrolled" ] || sed -n "s/^$1=//p" "$STATE_DIR/enrolled"; }

# keep INSTANCE_ID API_TOKEN
keep() {
  (
    umask 077
    mkdir -p "$STATE_DIR" && printf 'MACHINE=%s\nKEY=%s\nINSTANCE_ID=%s\nAPI_TOKEN=%s\n' \
      "$machine_provider/$machine_id" "$machine_key" "$1" "$2" >"$STATE_DIR/enrolled.new" &&
      mv "$STATE_DIR/enrolled.new" "$STATE_DIR/enrolled"
  ) 2>/dev/null || say_once "can't write to $STATE_DIR: once started anew, this machine may not be known again (DUMONT_STATE_DIR names another folder)"
}

# Takes the token of the machine that enrolled last.
take_kept() {
  kept_token=$(kept API_TOKEN)
  [ -n "$kept_token" ] || return 1
  enrolled=1
  DUMONT_INSTANCE_ID=$(kept INSTANCE_ID)
  DUMONT_API_TOKEN=$kept_token
}

# The key by which the service knows this machine again: the one that is kept, else one made of what only this machine was
# given, which outlives its disk, else chance.
choose_key() {
  machine_key=
  [ "$(kept MACHINE)" != "$machine_provider/$machine_id" ] || machine_key=$(kept KEY)
  if [ -z "$machine_key" ] && [ -n "$machine_secret" ] && has sha256sum; then
    machine_key=$(printf '%s' "dumont-agent/$machine_provider/$machine_id/$machine_secret" | sha256sum | cut -c 1-64)
  fi
  [ -n "$machine_key" ] || machine_key=$(head -c 32 /dev/urandom | od -An -tx1 | tr -cd 'a-f0-9')
}

# Registers the machine that was found, and keeps its token.
enroll() {
  choose_key
  # Before it asks: should the answer be lost, it is known again.
  keep '' ''
  request "{\"provider\":\"$machine_provider\",\"machine_id\":\"$machine_id\",\"provider_ref\":$(
    [ -n "$machine_ref" ] && printf '"%s"' "$machine_ref" || echo null
  ),\"machine_key\":\"$machine_key\"}" /api/agent/enroll "$DUMONT_ENROLLMENT_TOKEN"
  given_id=$(printf '%s' "$answer" | sed -n 's/.*"instance_id":"\([A-Za-z0-9._:-]*\)".*/\1/p')
  given_token=$(printf '%s' "$answer" | sed -n 's/.*"token":"\([A-Za-z0-9._-]*\)".*/\1/p')
  case $http_status in
    200 | 201) ;;
    *) return 1 ;;
  esac
  if [ -z "$given_id" ] || [ -z "$given_token" ]; then
    http_status=000
    return 1
  fi
  keep "$given_id" "$given_token"
  enrolled=1
  DUMONT_INSTANCE_ID=$given_id
  DUMONT_API_TOKEN=$given_token
  log "enrolled: $machine_provider machine $machine_id is instance $given_id"
  note=$(printf '%s' "$answer" | sed -n 's/.*"note":"\([^"]*\)".*/\1/p')
  [ -z "$note" ] || log "$note"
}

# Whether the last request to enroll was refused, and not merely unheard.
is_refused() { case $http_status in 400 | 401 | 403 | 404 | 409 | 413) ;; *) return 1 ;; esac; }

refusal() {
  because=$(printf '%s' "$answer" | sed -n 's/.*"message":"\([^"]*\)".*/\1/p')
  # GNU wget keeps the answer of a 401 to itself.
  [ "$http_status" != 401 ] || because="the enrollment token was revoked, or is not of this service"
  printf 'not enrolled (%s): %s' "$http_status" "${because:-the service was not heard}"
}

# Whether it is known as whom to report. An image may have come up as another machine than the one that its token is of, so
# the machine is asked for at each start, and until it is known, before each beat. Where nobody answers it goes on as before:
# a machine that works must not fall silent because its cloud's metadata does.
is_known() {
  [ -z "${certain:-}" ] || return 0
  if find_machine; then
    if [ "$(kept MACHINE)" = "$machine_provider/$machine_id" ] && take_kept || enroll; then
      certain=1
      return 0
    fi
    say_once "$(refusal)"
    return 1
  fi
  http_status=000
  retry_after=
  say_once "$NOT_FOUND"
  take_kept
}

# How long to wait after so many failures to enroll: longer where asking again is of no use by itself.
enroll_backoff() {
  awk -v failures="$failures" -v asked="${retry_after:-0}" -v most="$(is_refused && echo 600 || echo 60)" '
    BEGIN {
      seconds = 5
      for (i = 1; i < failures && i < 11; i++) seconds *= 2
      if (asked > seconds) seconds = asked
      print (seconds < most ? seconds : most)
    }'
}

