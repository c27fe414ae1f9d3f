# --- hooks -----------------------------------------------------------------------------------------------------------

# Sets `second`: `moment` in whole seconds.
take_second() {
  take_moment
  second=$((moment / 100))
}

# stage_of NAME: sets `stage`, by the beginning of a hook's name, and `argument`. Any other hook is one from before there
# were stages.
stage_of() {
  for stage in warning prepare resume; do
    argument=$stage
    case $1 in "$stage" | "$stage"[!A-Za-z]*) return ;; esac
  done
  stage=prepare
  argument=pre-hibernate
}

# The stages for which there are hooks, one a line for each hook. Under systemd the agent may not run root's own hooks, so
# their modes are read; where it may not even look, there may be hooks of each stage.
list_hook_stages() {
  [ -e "${HOOKS_DIR%/*}" ] || return 0
  if [ ! -x "${HOOKS_DIR%/*}" ] || { [ -d "$HOOKS_DIR" ] && { [ ! -r "$HOOKS_DIR" ] || [ ! -x "$HOOKS_DIR" ]; }; }; then
    printf 'warning\nprepare\nresume\n'
    return
  fi
  for hook in "$HOOKS_DIR"/*; do
    # Nothing there: no program for it.
    [ -f "$hook" ] || continue
    # shellcheck disable=SC2012 # Other programs that tell modes are not everywhere.
    ls -lnL "$HOOKS_DIR" 2>/dev/null | awk '
      $1 ~ /^-.*[xs]/ { print ($9 ~ /^warning([^A-Za-z]|$)/ ? "warning" : $9 ~ /^resume([^A-Za-z]|$)/ ? "resume" : "prepare") }'
    return
  done
}

count_hooks() { list_hook_stages | grep -c "^$1\$"; }

