# --- the machine -----------------------------------------------------------------------------------------------------

# CPU time used and CPU time that could have been, both growing: by the container's limit where there is one. Printed in
# full: awk's own way has six digits.
cpu_counters() {
  cores=$(grep -c '^processor' "$PROC/cpuinfo" 2>/dev/null)
  [ "${cores:-0}" -gt 0 ] || cores=1
  now=$(read_uptime)
  if [ -r "$CGROUP/cpu.max" ] && [ -r "$CGROUP/cpu.stat" ]; then
    limit=$(awk -v cores="$cores" '{ print ($1 == "max" ? cores : $1 / $2) }' "$CGROUP/cpu.max")
    awk -v now="$now" -v limit="$limit" '$1 == "usage_usec" { printf "%.3f %.3f", $2 / 1e6, now * limit }' "$CGROUP/cpu.stat"
  elif [ -r "$CGROUP/cpuacct/cpuacct.usage" ] && [ "$(cat "$CGROUP/cpu/cpu.cfs_quota_us" 2>/dev/null || echo -1)" -gt 0 ]; then
    awk -v now="$now" -v quota="$(cat "$CGROUP/cpu/cpu.cfs_quota_us")" \
      -v period="$(cat "$CGROUP/cpu/cpu.cfs_period_us")" '{ printf "%.3f %.3f", $1 / 1e9, now * quota / period }' \
      "$CGROUP/cpuacct/cpuacct.usage"
  else
    # The idle columns are the fourth and the fifth.
    awk '$1 == "cpu" { for (i = 2; i <= 9; i++) all += $i; printf "%.0f %.0f", all - $5 - $6, all; exit }' "$PROC/stat"
  fi
}

# Percent since the last call; nothing at the first, nor when the counters have begun again.
read_cpu() {
  counters=$(cpu_counters)
  cpu_percent=$(printf '%s %s\n' "${cpu_before:-}" "$counters" | awk '
    NF == 4 && $3 >= $1 && $4 > $2 { p = 100 * ($3 - $1) / ($4 - $2); printf "%.1f", (p > 100 ? 100 : p) }')
  cpu_before=$counters
}

read_ram_gb() {
  limit=
  if [ -r "$CGROUP/memory.current" ]; then
    limit=$(cat "$CGROUP/memory.max" 2>/dev/null)
    used=$(cat "$CGROUP/memory.current")
    cache=$(sed -n 's/^inactive_file //p' "$CGROUP/memory.stat" 2>/dev/null)
  elif [ -r "$CGROUP/memory/memory.usage_in_bytes" ]; then
    limit=$(cat "$CGROUP/memory/memory.limit_in_bytes" 2>/dev/null)
    used=$(cat "$CGROUP/memory/memory.usage_in_bytes")
    cache=$(sed -n 's/^total_inactive_file //p' "$CGROUP/memory/memory.stat" 2>/dev/null)
    # No limit is a number near 2^63.
    [ "${#limit}" -lt 16 ] || limit=max
  fi
  case ${limit:-max} in
    max) awk '$1 == "MemTotal:" { t = $2 } $1 == "MemAvailable:" { a = $2 } END { if (t && a != "") printf "%.2f", (t - a) * 1024 / 1e9 }' "$PROC/meminfo" ;;
    *) awk -v used="$used" -v cache="${cache:-0}" 'BEGIN { printf "%.2f", (used - cache) / 1e9 }' ;;
  esac
}

read_disk_gb() { df -P / 2>/dev/null | awk 'NR == 2 && $3 ~ /^[0-9]+$/ { printf "%.1f", $3 * 1024 / 1e9 }'; }
read_uptime() { cut -d ' ' -f 1 "$PROC/uptime" 2>/dev/null; }

