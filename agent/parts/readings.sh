# --- readings --------------------------------------------------------------------------------------------------------

# limited SECONDS COMMAND...: runs a command for so long at the most. What it prints should go into a file: a program that
# cannot be ended holds a pipe open, and whoever reads it waits.
limited() {
  seconds=$1
  shift
  if has timeout; then
    timeout -k 2 "$seconds" "$@"
  else
    "$@" &
    child=$!
    (sleep "$seconds" && kill -9 "$child") >/dev/null 2>&1 &
    watcher=$!
    wait "$child" 2>/dev/null
    set -- "$?"
    kill "$watcher" 2>/dev/null
    return "$1"
  fi
}

json_string() { { printf '%s' "$1" | tr -d '\000-\037\177'; echo; } | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'; }

# A new file of this user's only, in memory where that can be: a full disk must not silence the agent.
scratch_file() {
  for folder in "$RUN_DIR" /dev/shm "${TMPDIR:-/tmp}"; do
    made_file=$( (umask 077 && mktemp "$folder/dumont-agent.XXXXXX") 2>/dev/null) || continue
    # A disk that is full makes files, and holds nothing in them.
    if { echo >"$made_file" && : >"$made_file"; } 2>/dev/null; then
      echo "$made_file"
      return
    fi
    rm -f "$made_file"
  done
  return 1
}

# number TEXT MOST: the text when it is a number from 0 to MOST, else null. What was not read is unknown, never zero.
number() {
  case $1 in
    '' | *[!0-9.]* | *. | *.*.* | 0[0-9]*) echo null ;;
    *) awk -v n="$1" -v most="$2" 'BEGIN { sub(/^[.]/, "0.", n); print (n + 0 <= most + 0 ? n : "null") }' ;;
  esac
}

# The same in awk: the number, or nothing.
AWK_FUNCTIONS='
  function number(text, most) {
    gsub(/^[ "]+|[ "]+$/, "", text)
    return text ~ /^[0-9]+([.][0-9]+)?$/ && text + 0 <= most ? text + 0 : ""
  }
  function percent(text) { sub(/ *%$/, "", text); return number(text, 100) }
  # A size of so many bytes a unit, in GB.
  function gb(text, unit) {
    sub(/ *M[iI]?B$/, "", text)
    text = number(text, 1e16 / unit)
    return text == "" ? "" : sprintf("%.2f", text * unit / 1e9)
  }
  function word(text) { gsub(/[^ -~]|[|]/, "", text); return substr(text, 1, 64) }
  function json(text,   i, letter, written) {
    for (i = 1; i <= length(text); i++) {
      letter = substr(text, i, 1)
      written = written (letter == "\\" || letter == "\"" ? "\\" : "") letter
    }
    return "\"" written "\""
  }'

