# --- GPUs ------------------------------------------------------------------------------------------------------------

# A line a GPU: index|name|uuid|bus id|used GB|total GB|power limit|processes, then of the time since the last heartbeat that was
# accepted: samples|their sum|their maximum|highest power|whether one was missed, and of the time since the last try: maximum|
# whether one was missed. Before them a line "processes" once those at the GPUs were listed, and a line for each:
# process|uuid|pid|memory|whether it is new or grew|whether it is there.
gpu_state=
# What of the state is over: "accepted" or "tried".
gpu_state_over=
# "none" where the driver has no samples of its own: it may have some later.
gpu_ring=
gpu_ring_is_cheap=
gpu_program=

NVIDIA_QUERY=index,name,utilization.gpu,memory.used,memory.total,power.draw,power.limit,pci.bus_id,uuid

# is_hung STATUS: whether `limited` had to end the command.
is_hung() { case $1 in 124 | 137 | 143) ;; *) return 1 ;; esac; }

# What hung once tends to hang again, and each time takes its whole limit: left_alone NAME, leave_alone NAME, answered NAME.
left_alone() {
  alone_until=
  eval "alone_until=\${left_alone_until_$1:-0}"
  take_moment
  [ "$moment" -lt "$alone_until" ] && [ "$((alone_until - moment))" -le "$((LEFT_ALONE_MAXIMUM_SECONDS * 100))" ]
}

leave_alone() {
  eval "seconds=\$((\${left_alone_for_$1:-30} * 2))"
  [ "$seconds" -le "$LEFT_ALONE_MAXIMUM_SECONDS" ] || seconds=$LEFT_ALONE_MAXIMUM_SECONDS
  take_moment
  eval "left_alone_for_$1=$seconds left_alone_until_$1=$((moment + seconds * 100))"
}

answered() { eval "left_alone_for_$1= left_alone_until_$1="; }

# ask_gpu PART LIMIT COMMAND...: what it prints, between marks that GPU_MERGE knows.
ask_gpu() {
  printf '\n== %s\n' "$1"
  take_moment
  asked_at=$moment
  shift
  limited "$@" 2>/dev/null
  gpu_status=$?
  take_moment
  printf '\n== status %s %s\n' "$gpu_status" "$((moment - asked_at))"
}

# ask_gpus WHEN: all that is to be asked at a "sample" or a "beat".
ask_gpus() {
  case $gpu_program in
    nvidia-smi)
      ask_gpu nvidia "$PROGRAM_LIMIT_SECONDS" nvidia-smi "--query-gpu=$NVIDIA_QUERY" --format=csv,noheader,nounits
      ! is_hung "$gpu_status" || return 0
      case $1,$gpu_ring,$gpu_ring_is_cheap in
        beat,* | sample,,1) ask_gpu ring "$((PROGRAM_LIMIT_SECONDS / 2))" nvidia-smi -q -d UTILIZATION ;;
      esac
      [ "$1" = beat ] || return 0
      ask_gpu apps "$((PROGRAM_LIMIT_SECONDS / 2))" nvidia-smi --query-compute-apps=gpu_uuid,pid,used_gpu_memory --format=csv,noheader,nounits
      ;;
    amd-smi) ask_gpu amd "$PROGRAM_LIMIT_SECONDS" amd-smi metric --usage --mem-usage --csv ;;
    rocm-smi) ask_gpu rocm "$PROGRAM_LIMIT_SECONDS" rocm-smi --showuse --showmeminfo vram --csv ;;
  esac
}

# Takes the state and what the programs printed, and prints a line for `sample_gpus` and the state as it is now. A GPU that was
# there and is not read now stays, unknown: it may well be at work. So does one that the driver has made a device for.
# shellcheck disable=SC2016
GPU_MERGE=$AWK_FUNCTIONS'
  function add(i) {
    if (i in known) return 1
    if (count >= most || i !~ /^(0|[1-9][0-9]*)$/ || i + 0 > 1023) return 0
    known[i] = 1
    order[++count] = i
    missed[i] = missed_late[i] = 0
    return 1
  }
  function take(i, title, id, address, use, used_gb, total_gb, watts, most_watts) {
    if (!add(i) || i in taken) return
    taken[i] = 1
    by_place[++places] = i
    if (title != "") name[i] = title
    uuid[i] = id; bus[i] = address; used[i] = used_gb; total[i] = total_gb; limit[i] = most_watts
    if (use == "") missed[i] = missed_late[i] = 1
    else { samples[i]++; sum[i] += use; top(i, use) }
    if (watts != "" && (power[i] == "" || watts > power[i] + 0)) power[i] = watts
  }
  function top(i, use) {
    if (max[i] == "" || use > max[i] + 0) max[i] = use
    if (late[i] == "" || use > late[i] + 0) late[i] = use
  }
  function take_process(id, pid, mib,   key) {
    key = id "|" pid
    if (pid !~ /^[0-9]+$/ || (!(key in mem) && processes >= 1000)) return
    if (!(key in mem)) {
      process[++processes] = key
      mem[key] = mib
      worked[key] = listed_before
    } else if (mib != "") {
      if (mem[key] == "") mem[key] = mib
      else if (mib >= mem[key] + grown) { worked[key] = 1; mem[key] = mib }
      else if (mib < mem[key] + 0) mem[key] = mib
    }
    if (!(key in now)) at_gpu[id]++
    now[key] = 1
  }
  # The state. A name holds no bar.
  part == "" && /^processes$/ { listed_before = 1 }
  part == "" && /^process[|]/ {
    split($0, f, "|")
    key = f[2] "|" f[3]
    if (over == "accepted" && !f[6]) next
    process[++processes] = key
    mem[key] = f[4]; worked[key] = (over == "accepted" ? 0 : f[5]); there[key] = f[6]
  }
  part == "" && /^[0-9]/ {
    split($0, f, "|")
    i = f[1]
    if (!add(i)) next
    name[i] = f[2]; uuid[i] = f[3]; bus[i] = f[4]; count_at[i] = f[8]
    if (over != "accepted") { samples[i] = f[9]; sum[i] = f[10]; max[i] = f[11]; power[i] = f[12]; missed[i] = f[13] }
    if (over == "") { late[i] = f[14]; missed_late[i] = f[15] }
  }
  /^== status / { split($0, f, " "); status[part] = f[3]; took[part] = f[4]; next }
  /^== / { part = substr($0, 4); next }
  part == "nvidia" {
    n = split($0, f, /, */)
    if (n < 5 || f[1] !~ /^[0-9]+$/) next
    # A name may hold a comma.
    last = (n >= 9 && f[n] ~ /^(GPU|MIG)-/ ? n - 4 : n)
    title = f[2]
    for (i = 3; i <= last - 3; i++) title = title ", " f[i]
    if (last < n) take(f[1], word(title), word(f[n]), tolower(word(f[n - 1])), percent(f[last - 2]), gb(f[last - 1], 1048576), gb(f[last], 1048576), number(f[n - 3], 1e6), number(f[n - 2], 1e6))
    else take(f[1], word(title), "", "", percent(f[n - 2]), gb(f[n - 1], 1048576), gb(f[n], 1048576), "", "")
  }
  part == "ring" && /^GPU [0-9A-Fa-f:.]+ *$/ { ring_bus[++rings] = tolower($2); in_samples = 0; next }
  # Headings have no colon.
  part == "ring" && !/:/ { in_samples = (tolower($0) ~ /^ *gpu utilization samples/); next }
  part == "ring" && in_samples && $1 == "Max" {
    line = $0
    sub(/^[^:]*: */, "", line)
    ring[rings] = percent(line)
  }
  part == "apps" && NF {
    n = split($0, f, /, */)
    if (n >= 3 && f[2] ~ /^[0-9]+$/) take_process(word(f[1]), f[2], number(f[3], 1e9))
    # As where the driver does not tell: that is not nobody.
    else if (!/^No running/) unlisted = 1
  }
  # Lists stand in quotes and hold commas.
  part == "amd" || part == "rocm" { gsub(/"[^"]*"/, "list"); n = split($0, f, ",") }
  (part == "amd" && f[1] == "gpu") || (part == "rocm" && f[1] == "device") { for (i = 1; i <= n; i++) at[f[i]] = i; next }
  part == "amd" && ("gpu" in at) && f[1] ~ /^[0-9]+$/ {
    take(f[1], "", "", "", percent(f[at["gfx_activity"]]), gb(f[at["used_vram"]], 1048576), gb(f[at["total_vram"]], 1048576), "", "")
  }
  part == "rocm" && ("device" in at) && f[1] ~ /^card[0-9]+$/ {
    sub(/^card/, "", f[1])
    take(f[1], "", "", "", percent(f[at["GPU use (%)"]]), gb(f[at["VRAM Total Used Memory (B)"]], 1), gb(f[at["VRAM Total Memory (B)"]], 1), "", "")
  }
  END {
    for (k = 1; k <= count; k++) if (bus[order[k]] != "") by_bus[bus[order[k]]] = order[k]
    for (k = 1; k <= rings; k++) {
      if (ring[k] == "") continue
      ring_seen = 1
      if (ring_bus[k] in by_bus) top(by_bus[ring_bus[k]], ring[k])
      else if (rings == places) top(by_place[k], ring[k])
    }
    if (!count) { n = split(devices, f, " "); for (k = 1; k <= n; k++) add(f[k]) }
    if (unlisted) status["apps"] = "unlisted"
    listed = (status["apps"] == "0")
    for (k = 1; k <= processes; k++) {
      key = process[k]
      if (!listed) now[key] = there[key]
      if (worked[key]) working++
    }
    asked = ("nvidia" in status ? "nvidia" : "amd" in status ? "amd" : "rocm")
    printf "%s|%s|%d|%s|%s|%d|%d\n", status[asked], took[asked], ring_seen, status["ring"], status["apps"], working, listed_before
    if (listed || listed_before) print "processes"
    for (k = 1; k <= processes; k++) {
      key = process[k]
      if (now[key] || worked[key]) print "process|" key "|" mem[key] "|" worked[key] + 0 "|" now[key] + 0
    }
    # Those of a part of a GPU may be listed under the part: then nobody knows at which GPU they are.
    for (k = 1; k <= count; k++) if (uuid[order[k]] != "") here[uuid[order[k]]] = 1
    for (id in at_gpu) if (!(id in here)) strays = 1
    for (k = 1; k <= count; k++) {
      i = order[k]
      if (!(i in taken)) missed[i] = missed_late[i] = 1
      if (listed) count_at[i] = (uuid[i] == "" || (strays && !(uuid[i] in at_gpu)) ? "" : at_gpu[uuid[i]] + 0)
      else if ("apps" in status || !(i in taken)) count_at[i] = ""
      print i "|" name[i] "|" uuid[i] "|" bus[i] "|" used[i] "|" total[i] "|" limit[i] "|" count_at[i] "|" samples[i] + 0 "|" \
        sum[i] + 0 "|" max[i] "|" power[i] "|" missed[i] + 0 "|" late[i] "|" missed_late[i] + 0
    }
  }'

merge_gpus() { awk -v over="$gpu_state_over" -v most="$GPUS_MAXIMUM" -v grown="$GROWN_MIB" -v devices="$gpu_devices" "$GPU_MERGE" "$@"; }

# sample_gpus WHEN: reads the GPUs into `gpu_state`, at a "sample" or with more at a "beat".
sample_gpus() {
  gpu_program=
  for program in nvidia-smi amd-smi rocm-smi; do
    if has "$program"; then gpu_program=$program; break; fi
  done
  gpu_devices=
  [ -n "$gpu_state" ] || for device in "$DEV"/nvidia[0-9]*; do
    [ ! -e "$device" ] || gpu_devices="$gpu_devices ${device##*/nvidia}"
  done
  [ -n "$gpu_program$gpu_state$gpu_devices" ] || return 0
  if [ -z "$gpu_program" ] || left_alone gpus; then
    merged=$(printf '%s\n' "$gpu_state" | merge_gpus)
  # One file for all samples: but whoever was left hanging may still write into the last one.
  elif [ -n "${printed:=$(scratch_file)}" ]; then
    ask_gpus "$1" >"$printed"
    merged=$(printf '%s\n' "$gpu_state" | merge_gpus - "$printed")
  else
    merged=$({ printf '%s\n' "$gpu_state"; ask_gpus "$1"; } | merge_gpus)
  fi
  [ -n "$merged" ] || return 0
  gpu_state_over=
  IFS='|' read -r gpu_status took ring_seen ring_status apps_status working listed_before <<EOF
$merged
EOF
  case $merged in *"$NEWLINE"*) gpu_state=${merged#*"$NEWLINE"} ;; *) gpu_state= ;; esac
  gpu_ring_is_cheap=$([ "${took:-999}" -gt "$RING_CHEAP_HUNDREDTHS" ] || echo 1)
  case $ring_status,$ring_seen in 0,0) gpu_ring=none ;; 0,1) gpu_ring= ;; esac
  if is_hung "$gpu_status" || is_hung "$ring_status" || is_hung "$apps_status"; then
    leave_alone gpus
    gpu_trouble="$gpu_program does not answer"
    drop_printed
  elif [ "$gpu_status" = 0 ]; then
    answered gpus
    gpu_trouble=
  elif [ -n "$gpu_status" ]; then gpu_trouble="$gpu_program fails with $gpu_status"
  elif [ -z "$gpu_program" ]; then gpu_trouble="no program to read the GPUs with"
  fi
  case ${gpu_trouble:-} in
    "${gpu_trouble_told:-}") ;;
    ?*) [ -z "$gpu_state" ] || log "$gpu_trouble: GPUs that it does not list are unknown" ;;
  esac
  gpu_trouble_told=${gpu_trouble:-}
  [ "$1" = beat ] || return 0
  if [ "$apps_status" = 0 ]; then
    # All processes are new to the first list of them.
    [ "$listed_before" = 0 ] || source_is compute_processes "$working"
  elif [ "${gpu_program:-nvidia-smi}" = nvidia-smi ]; then
    case $NEWLINE$gpu_state in
      *"$NEWLINE"[0-9]*) source_is compute_processes null "${gpu_trouble:-nvidia-smi lists no processes ($apps_status)}" ;;
    esac
  fi
}

drop_printed() {
  [ -z "${printed:-}" ] || rm -f "$printed"
  printed=
}

# Sets what a heartbeat says of all GPUs together, each nothing where it is unknown.
sum_up_gpus() {
  IFS='|' read -r gpu_percent gpu_percent_max late_gpu_percent vram_gb <<EOF
$(printf '%s\n' "$gpu_state" | awk -F '|' '
    function most(a, b) { return a == "" || b + 0 > a + 0 ? b + 0 : a }
    !/^[0-9]/ { next }
    $9 > 0 && !$13 { mean = most(mean, sprintf("%.1f", $10 / $9)); max = most(max, $11) }
    $14 != "" && !$15 { late = most(late, $14) }
    $5 != "" { sum += $5; known = 1 }
    END { print mean "|" max "|" late "|" (known ? sprintf("%.2f", sum) : "") }')
EOF
}

# gpus_json LEVEL: at 1 without names, at 2 without what idleness is not judged by.
gpus_json() {
  printf '%s\n' "$gpu_state" | awk -F '|' -v level="$1" "$AWK_FUNCTIONS"'
    function known(value) { return value == "" ? "null" : value }
    /^[0-9]/ {
      printf "%s{\"index\":%s", (count++ ? "," : ""), $1
      if (level < 1) printf ",\"name\":%s", ($2 == "" ? "null" : json($2))
      mean = max = ""
      if ($9 > 0 && !$13) { mean = sprintf("%.1f", $10 / $9) + 0; max = $11 }
      printf ",\"utilization\":%s,\"utilization_max\":%s", known(mean), known(max)
      if (level < 2) {
        printf ",\"vram_used_gb\":%s,\"vram_total_gb\":%s", known($5), known($6)
        printf ",\"power_watts\":%s,\"power_limit_watts\":%s,\"compute_processes\":%s", known($12), known($7), known($8)
      }
      printf "}"
    }'
}

