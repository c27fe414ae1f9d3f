backlog=
beat_now=

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
  run) load_config; run ;;
  once) load_config; once "$@" ;;
  install) install_agent "$@" ;;
  uninstall) uninstall_agent ;;
  # For root's unit.
  run-hooks) run_asked_hooks ;;
  status) load_config; status ;;
  check) load_config; check ;;
  doctor) load_config; doctor ;;
  unit) unit ;;
  version) echo "$VERSION" ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
