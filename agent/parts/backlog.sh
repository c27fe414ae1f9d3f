# --- what could not be sent ------------------------------------------------------------------------------------------

# A line a reading: sequence, when by the clock, and the readings. The newest are kept.
remember() {
  backlog=$(printf '%s\n' "$backlog" "$sequence,$clock,$late_gpu_percent,$vram_gb,$cpu_percent,$ram_gb,$disk_gb,$cost" |
    sed '/^$/d' | tail -n "$BACKLOG_MAXIMUM")
}

# backlog_json BYTES: the same with ages in place of times, the newest that fit. One without an age that the service takes
# is left out.
backlog_json() {
  printf '%s\n' "$backlog" | awk -F , -v now="$clock" -v room="$1" -v oldest="$BACKLOG_MAXIMUM_SECONDS" '
    NF == 8 && now - $2 >= 0 && now - $2 <= oldest {
      line = "[" $1 "," sprintf("%.0f", now - $2)
      for (i = 3; i <= NF; i++) line = line "," $i
      kept[++count] = line "]"
    }
    END {
      for (first = count + 1; first > 1 && length(kept[first - 1]) < room; first--) room -= length(kept[first - 1]) + 1
      for (i = first; i <= count; i++) printf "%s%s", (i > first ? "," : ""), kept[i]
    }'
}

