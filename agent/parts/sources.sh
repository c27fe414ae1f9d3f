# --- sources of activity ---------------------------------------------------------------------------------------------

# A line a source, of the time since the last heartbeat that was accepted: name|value or null|growth|note. Its value is the highest
# that was read; what was unknown for a part of the time is unknown. Work is what runs now, and the growth of its counter.
sources=
# What was read since they were last put together.
new_sources=

# source_is NAME VALUE [NOTE [GROWTH]]
source_is() { new_sources="$new_sources$NEWLINE$1|$2|${4:-}|${3:-}"; }

take_sources() {
  tried_sources=$new_sources
  sources=$(printf '%s\n' "$sources" "$new_sources" | awk -F '|' -v most="$SOURCES_MAXIMUM" '
    $1 == "" || (!($1 in value) && count >= most) { next }
    !($1 in value) { order[++count] = $1; value[$1] = $2; growth[$1] = $3; note[$1] = $4; next }
    { growth[$1] += $3 }
    value[$1] == "null" { next }
    $2 == "null" || $1 ~ /^work_/ || $2 + 0 >= value[$1] + 0 { value[$1] = $2; note[$1] = $4 }
    END { for (k = 1; k <= count; k++) print order[k] "|" value[order[k]] "|" growth[order[k]] "|" note[order[k]] }')
  new_sources=
}

# sources_json LEVEL: at 1 without notes.
sources_json() {
  printf '%s\n' "$sources" | awk -F '|' -v level="$1" "$AWK_FUNCTIONS$SOURCE_VALUE"'
    $1 != "" {
      printf "%s{\"name\":\"%s\",\"value\":%s", (count++ ? "," : ""), $1, source_value()
      if ($4 != "" && level < 1) printf ",\"note\":%s", json($4)
      printf "}"
    }'
}

# In awk, of a line of `sources`.
# shellcheck disable=SC2016
SOURCE_VALUE='
  function source_value(   n) {
    if ($2 == "null") return "null"
    n = $2 + $3
    if (n > 1e9) n = 1e9
    return n == int(n) ? sprintf("%.0f", n) : sprintf("%.2f", n)
  }'

# hex_ports PORTS: as /proc/net/tcp has them.
hex_ports() {
  printf '%s\n' "$1" | tr -s ', ' '\n' | while read -r port; do
    case $port in '' | 0* | *[!0-9]* | ??????*) continue ;; esac
    printf '%04X ' "$port"
  done
}

# without_strangers CONNECTIONS: those to SSH, without the ones on which nobody has signed in: strangers knock at any port that is
# open. OpenSSH's titles say how many they are, and who has signed in, which may be at another port; other servers say nothing.
without_strangers() {
  limited 2 cat "$PROC"/[0-9]*/cmdline 2>/dev/null | tr '\000' '\n' | awk -v connections="$1" '
    /^sshd: .*[[]listener[]] [0-9]+ of [0-9]+-[0-9]+ startups/ { sub(/^.*[[]listener[]] /, ""); strangers += $1 }
    $0 ~ "^sshd(-session)?: [^ []+ *$" { people++ }
    END {
      if (people > connections) people = connections
      print (connections - strangers > people ? connections - strangers : people + 0)
    }'
}

# Established connections to SSH and to notebooks: `who` misses editors, and images without utmp.
sample_connections() {
  [ -n "${ssh_ports:-}" ] || ssh_ports=" $(hex_ports "${DUMONT_SSH_PORTS:-22}")"
  [ -n "${notebook_ports:-}" ] || notebook_ports=" $(hex_ports "${DUMONT_NOTEBOOK_PORTS:-8888 8080}")"
  set --
  for file in "$PROC/net/tcp" "$PROC/net/tcp6"; do
    [ ! -r "$file" ] || set -- "$@" "$file"
  done
  if [ $# -eq 0 ]; then
    source_is ssh_connections null "$PROC/net/tcp cannot be read"
    source_is notebook_connections null "$PROC/net/tcp cannot be read"
    return 0
  fi
  IFS=' ' read -r ssh notebook <<EOF
$(awk -v ssh="$ssh_ports" -v notebook="$notebook_ports" '
    $4 == "01" {
      port = " " substr($2, length($2) - 3) " "
      people += (index(ssh, port) > 0)
      notebooks += (index(notebook, port) > 0)
    }
    END { print people + 0, notebooks + 0 }' "$@")
EOF
  [ "${ssh:-0}" = 0 ] || ssh=$(without_strangers "$ssh")
  source_is ssh_connections "${ssh:-null}"
  source_is notebook_connections "${notebook:-null}"
}

# Whether what /proc says of disks is of the machine around this container.
is_container() {
  if [ -z "${in_container:-}" ]; then
    in_container=no
    if [ -e "$ROOT/.dockerenv" ] || [ -e "$ROOT/run/.containerenv" ] ||
      grep -Eq 'docker|kubepods|containerd|libpod|lxc' "$PROC/1/cgroup" 2>/dev/null ||
      awk '$2 == "/" { type = $3 } END { exit type != "overlay" }' "$PROC/mounts" 2>/dev/null; then
      in_container=yes
    fi
  fi
  [ "$in_container" = yes ]
}

# Sets `cpu_file`, `network_file` and `disk_file` to where their counters are, each nothing where there is none.
find_counters() {
  cpu_file=
  for file in "$CGROUP/cpu.stat" "$CGROUP/cpuacct/cpuacct.usage" "$PROC/stat"; do
    if [ -r "$file" ]; then cpu_file=$file; break; fi
  done
  network_file=
  [ ! -r "$PROC/net/dev" ] || network_file=$PROC/net/dev
  disk_file=
  set -- "$CGROUP/io.stat" "$CGROUP/blkio/blkio.throttle.io_service_bytes_recursive"
  # Of a cgroup without those below it: outside of containers it is nearly nothing.
  if is_container; then set -- "$@" "$CGROUP/blkio/blkio.throttle.io_service_bytes"
  else set -- "$@" "$PROC/diskstats" "$CGROUP/blkio/blkio.throttle.io_service_bytes"
  fi
  for file in "$@"; do
    # Without a device it does not count: newer kernels do so only where there is a limit.
    case $file in */blkio/*) grep -q ' Read ' "$file" 2>/dev/null || continue ;; esac
    if [ -r "$file" ]; then disk_file=$file; break; fi
  done
}

# CPU, network and disk by counters that only grow, so that nothing between two readings is missed. Each is the mean since the
# last reading; one that fell has begun again, and counts as it stands.
take_counters() {
  find_counters
  take_moment
  counters=$(awk -v before="${counters_before:-}" -v now="$moment" -v disk_file="$disk_file" '
    FILENAME ~ /cpu[.]stat$/ && $1 == "usage_usec" { cpu = $2 / 1e6 }
    FILENAME ~ /cpuacct[.]usage$/ { cpu = $1 / 1e9 }
    # In hundredths of a second: user, nice, system, irq and softirq.
    FILENAME ~ /\/stat$/ && $1 == "cpu" { cpu = ($2 + $3 + $4 + $7 + $8) / 100 }
    FILENAME ~ /net\/dev$/ && sub(/:/, " ") && $1 != "lo" { network += $2 + $10 }
    FILENAME ~ /net\/dev$/ { network += 0 }
    FILENAME ~ /io[.]stat$/ { for (i = 2; i <= NF; i++) if ($i ~ /^[rw]bytes=/) disk += substr($i, 8) }
    FILENAME ~ /blkio/ && ($2 == "Read" || $2 == "Write") { disk += $3 }
    # Whole disks: what partitions, and mappings onto disks, read and write is of a disk too.
    FILENAME ~ /diskstats$/ && $3 ~ /^([shv]d[a-z]+|xvd[a-z]+|nvme[0-9]+n[0-9]+|mmcblk[0-9]+)$/ { disk += ($6 + $10) * 512 }
    function mean(name, at, value, unit) {
      if (value == "" || old[at] == "-" || now <= old[1]) return
      # As the former one was kept: what was rounded up there has not fallen.
      value = shown(value) + 0
      printf "%s|%.3f\n", name, (value >= old[at] + 0 ? value - old[at] : value) / unit / ((now - old[1]) / 100)
    }
    function shown(value) { return value == "" ? "-" : sprintf("%.3f", value) }
    END {
      # One that has done nothing yet has nothing in its file.
      if (disk_file != "") disk += 0
      print now, shown(cpu), shown(network), shown(disk)
      if (split(before, old, " ") != 4) exit
      mean("cpu_cores", 2, cpu, 1)
      mean("network_kb_per_second", 3, network, 1000)
      mean("disk_kb_per_second", 4, disk, 1000)
    }' ${cpu_file:+"$cpu_file"} ${network_file:+"$network_file"} ${disk_file:+"$disk_file"} </dev/null)
  counters_before=${counters%%"$NEWLINE"*}
  while IFS='|' read -r name value; do
    [ -z "$value" ] || source_is "$name" "$value"
  done <<EOF
$counters
EOF
  IFS=' ' read -r _ cpu network disk <<EOF
$counters_before
EOF
  [ "$cpu" != - ] || source_is cpu_cores null "${cpu_file:-$PROC/stat} cannot be read"
  [ "$network" != - ] || source_is network_kb_per_second null "$PROC/net/dev cannot be read"
  [ "$disk" != - ] || is_container || source_is disk_kb_per_second null "$PROC/diskstats cannot be read"
}

# Where Jupyter should be but does not answer, it may be at work.
take_kernels() {
  busy_kernels=0
  [ -n "${DUMONT_JUPYTER_URL:-}" ] || return 0
  kernels=$(read_url "$JUPYTER_LIMIT_SECONDS" "$(printf '%s' "$DUMONT_JUPYTER_URL" | sed 's|/*\(?.*\)\{0,1\}$|/api/kernels\1|')" |
    head -c "$WORK_MAXIMUM_BYTES")
  case $kernels in
    '['*)
      busy_kernels=$(printf '%s' "$kernels" | grep -o '"execution_state": *"busy"' | grep -c .)
      source_is busy_kernels "$busy_kernels"
      ;;
    *)
      busy_kernels=
      source_is busy_kernels null "$(place_of "$DUMONT_JUPYTER_URL") does not list its kernels"
      ;;
  esac
}

# The same for a service of the former release, which goes by it.
activity_json() {
  printf '{"ssh_sessions":%s,' "$(number "$(who 2>/dev/null | grep -c 'pts/')" 1000000)"
  if [ -n "$busy_kernels" ]; then printf '"busy_jupyter_kernels":%s}' "$busy_kernels"; else printf '"jupyter_unreachable":1}'; fi
}

# place_of URL: its host and port alone. The rest may hold a secret.
place_of() {
  place=${1#*://}
  place=${place%%[/?#]*}
  printf '%.80s' "${place##*@}" | tr -cd 'A-Za-z0-9.:_[]-'
}

# Which metrics are whose: the counter, or another that older versions have, and what runs now.
work_metrics() {
  case $1 in
    vllm*) echo "vllm:request_success_total vllm:request_success vllm:num_requests_running" ;;
    tgi*) echo "tgi_request_count tgi_request_success tgi_batch_current_size" ;;
    triton*) echo "nv_inference_request_success nv_inference_count nv_inference_pending_request_count" ;;
  esac
}

# Takes a page of Prometheus text. Prints what the counter is at, by what it grew, and what runs now; or "?" and why not.
# shellcheck disable=SC2016
WORK_READER='
  function value_of(line) {
    sub(/^[^ {]*([{].*[}])?[ \t]*/, "", line)
    sub(/[ \t].*$/, "", line)
    return line ~ /^[0-9.]+([eE][-+]?[0-9]+)?$/ ? line + 0 : ""
  }
  { bytes += length($0) + 1 }
  # A family may be declared before there is anything to count.
  $1 == "#" && $2 == "TYPE" && ($3 == counter || $3 == other) { declared = 1; if ($4 == "gauge") is_gauge = 1 }
  /^[a-zA-Z_:]/ {
    metric = $0
    sub(/[{ \t].*$/, "", metric)
    if (metric != counter && metric != other && metric != running) next
    value = value_of($0)
    if (value == "") next
    sum[metric] += value
  }
  END {
    if (!bytes) { print "? gives no metrics"; exit }
    if (bytes > most) { print "? says more than 1 MiB"; exit }
    served = (counter in sum ? sum[counter] : other in sum ? sum[other] : "")
    now = (running in sum ? sum[running] : 0)
    if (is_gauge) { now = served; served = 0 }
    # Of one that was there before, a server that has begun again says nothing until it has served something.
    if (served == "" && before == "" && !declared) { print "? has no " counter; exit }
    served += 0
    grew = (before == "" ? "" : served >= before + 0 ? served - before : served)
    printf "%.3f %s %.3f\n", served, (grew == "" ? "-" : sprintf("%.3f", grew)), now
  }'

# Requests that servers on this machine have served, by their own counters.
take_work() {
  count=0
  named=' '
  while read -r each; do
    name=${each%%=*}
    url=${each#*=}
    case $each in '') continue ;; *=*) ;; *) name= ;; esac
    [ "${#name}" -le 27 ] || name=
    case $name in
      '' | *[!a-z0-9_]*)
        source_is work_unnamed null "DUMONT_WORK_URLS wants name=URL, a name of at most 27 of a-z, 0-9 and _"
        continue
        ;;
    esac
    case $named in
      *" $name "*)
        source_is "work_$name" null "DUMONT_WORK_URLS: two have the name $name"
        continue
        ;;
    esac
    named="$named$name "
    count=$((count + 1))
    if [ "$count" -gt "$WORK_MAXIMUM_URLS" ]; then
      source_is "work_$name" null "DUMONT_WORK_URLS: only the first $WORK_MAXIMUM_URLS are read"
      continue
    fi
    case $url in
      *'#'?*) metrics="${url#*#} - -"; url=${url%%#*} ;;
      *) metrics=$(work_metrics "$name") ;;
    esac
    case $metrics in
      '' | *[!A-Za-z0-9_:\ -]*)
        source_is "work_$name" null "DUMONT_WORK_URLS: which metric? $name=URL#metric_name"
        continue
        ;;
    esac
    case $url in
      http://?* | https://?*) read_work ;;
      *) source_is "work_$name" null "DUMONT_WORK_URLS: neither an http:// nor an https:// address" ;;
    esac
  done <<EOF
$(printf '%s\n' "${DUMONT_WORK_URLS:-}" | tr '|' / | tr -s '\t ' '\n' | head -n 32)
EOF
}

# Of `name`, `url` and `metrics`.
read_work() {
  before=
  eval "before=\${work_before_$name:-}"
  IFS=' ' read -r counter other running _ <<EOF
$metrics
EOF
  IFS=' ' read -r served grew running <<EOF
$(read_url "$WORK_LIMIT_SECONDS" "$url" | head -c "$((WORK_MAXIMUM_BYTES + 1))" |
    awk -v counter="$counter" -v other="$other" -v running="$running" -v before="$before" -v most="$WORK_MAXIMUM_BYTES" "$WORK_READER")
EOF
  case $served in
    [0-9]*)
      eval "work_before_$name=\$served"
      [ "$grew" = - ] || source_is "work_$name" "$running" '' "$grew"
      ;;
    *) source_is "work_$name" null "$(place_of "$url") ${grew:-cannot be read} $running" ;;
  esac
}

# plain_note FILE: its first line, as text that can stand in a heartbeat.
plain_note() {
  line=$(head -n 1 "$1" | tr -d '\000-\037\177' | tr '|' /)
  case $line in
    *[!\ -~]*)
      # Cut between two letters. What is not UTF-8 is left out.
      kept=$(printf '%s' "$line" | od -An -v -tu1 | awk -v most="$NOTE_MAXIMUM_BYTES" '
        { for (i = 1; i <= NF; i++) byte[++n] = $i }
        END {
          for (i = 1; i <= n && i <= most; i += size) {
            b = byte[i]
            size = (b < 128 ? 1 : b >= 194 && b < 224 ? 2 : b >= 224 && b < 240 ? 3 : b >= 240 && b < 245 ? 4 : 0)
            if (!size) { print -1; exit }
            if (i + size - 1 > n || i + size - 1 > most) break
            for (k = 1; k < size; k++) if (byte[i + k] < 128 || byte[i + k] > 191) { print -1; exit }
            if ((b == 224 && byte[i + 1] < 160) || (b == 237 && byte[i + 1] > 159)) { print -1; exit }
            if ((b == 240 && byte[i + 1] < 144) || (b == 244 && byte[i + 1] > 143)) { print -1; exit }
          }
          print i - 1
        }')
      if [ "$kept" -ge 0 ]; then printf '%s' "$line" | head -c "$kept"
      else printf '%s' "$line" | tr -cd ' -~' | head -c "$NOTE_MAXIMUM_BYTES"
      fi
      ;;
    *) printf '%s' "$line" | head -c "$NOTE_MAXIMUM_BYTES" ;;
  esac
}

# run_script SCRIPT FILE STATUS_FILE: its exit status; what it prints is in the file. It prints through a pipe, so that it cannot fill the
# disk; and the pipe's other end is limited too, as a child that the script has left behind may hold it open.
run_script() {
  { limited "$SCRIPT_LIMIT_SECONDS" "$1" 2>/dev/null; echo "$?" >"$3"; } </dev/null |
    limited "$((SCRIPT_LIMIT_SECONDS + 1))" sh -c 'dd bs=1 count=400 2>/dev/null; exec cat >/dev/null' >"$2" 2>/dev/null
  read -r script_status <"$3" || script_status=137
  return "$script_status"
}

# What the owner's scripts say: 0 is in use, 1 is not, anything else is unknown.
take_scripts() {
  folder=${DUMONT_ACTIVITY_DIR:-/etc/dumont-agent/activity.d}
  [ -d "$folder" ] || return 0
  count=0
  take_moment
  scripts_end=$((moment + SCRIPTS_LIMIT_SECONDS * 100))
  for script in "$folder"/*; do
    if [ ! -f "$script" ] || [ ! -x "$script" ]; then continue; fi
    count=$((count + 1))
    if [ "$count" -gt "$SCRIPTS_MAXIMUM" ]; then
      source_is script_others null "only the first $SCRIPTS_MAXIMUM scripts are run"
      break
    fi
    name=${script##*/}
    name=script_$(printf '%.25s' "${name%%.*}" | tr '[:upper:]' '[:lower:]' | tr -c 'a-z0-9_' _)
    take_moment
    if left_alone "$name"; then
      source_is "$name" null "it took longer than $SCRIPT_LIMIT_SECONDS s, and is tried again later"
    elif [ "$moment" -gt "$scripts_end" ]; then
      source_is "$name" null "the scripts before it took too long"
    elif ! said_by=$(scratch_file) || ! ended_with=$(scratch_file); then
      source_is "$name" null "there is nowhere to write what it says"
    else
      run_script "$script" "$said_by" "$ended_with"
      script_status=$?
      case $script_status in
        0) source_is "$name" 1 "$(plain_note "$said_by")"; answered "$name" ;;
        1) source_is "$name" 0 "$(plain_note "$said_by")"; answered "$name" ;;
        124 | 137 | 143)
          source_is "$name" null "it took longer than $SCRIPT_LIMIT_SECONDS s"
          leave_alone "$name"
          ;;
        *) source_is "$name" null "it ended with $script_status, neither 0 (in use) nor 1 (not in use)" ;;
      esac
      rm -f "$said_by" "$ended_with"
    fi
  done
}

