#!/bin/sh
# dumont-agent: reports this instance to the Dumont Agent System once a minute and does what it is told.
# POSIX sh; needs curl or wget and what any Linux image has. `dumont-agent help` says how to use it.
set -u
export LC_ALL=C

VERSION=1.3.0
API_URL_DEFAULT=https://dumontcloud.com
CONFIG_FILE=${DUMONT_CONFIG_FILE:-/etc/dumont-agent/agent.env}
HOOKS_DIR=${DUMONT_HOOKS_DIR:-/etc/dumont-agent/hooks.d}
RUN_DIR=${DUMONT_RUN_DIR:-/run/dumont-agent}
STATE_DIR=${DUMONT_STATE_DIR:-/var/lib/dumont-agent}
LOG_FILE=${DUMONT_LOG_FILE:-/var/log/dumont-agent.log}
PROC=${DUMONT_PROC:-/proc}
CGROUP=${DUMONT_CGROUP:-/sys/fs/cgroup}
DEV=${DUMONT_DEV:-/dev}
ROOT=${DUMONT_ROOT:-}

BIN=${DUMONT_BIN:-/usr/local/bin/dumont-agent}
UNIT_DIR=${DUMONT_UNIT_DIR:-/etc/systemd/system}
# Where root's unit keeps what the hooks say: the agent may read there, and no more.
ROOT_HOOKS_DIR=${DUMONT_ROOT_HOOKS_DIR:-/run/dumont-agent-hooks}
SERVICE_USER=dumont-agent

# Where EC2, Google and Azure tell a machine which one it is.
METADATA_URL=${DUMONT_METADATA_URL:-http://169.254.169.254}
METADATA_LIMIT_SECONDS=2
# How often it is asked for a notice of interruption, and at the least while it does not answer.
SPOT_SECONDS=5
SPOT_MAXIMUM_SECONDS=60
# What is left of a notice that does not say: the shortest that any of the three clouds gives.
SPOT_NOTICE_SECONDS=30
# For so long EC2 gives a session.
SPOT_SESSION_SECONDS=21600
# For as long as this `install` waits for the network and the service; the agent itself goes on for good.
ENROLL_LIMIT_SECONDS=60

# Between two beats it never sleeps longer than this, so that what must be seen soon is.
TICK_SECONDS=${DUMONT_TICK_SECONDS:-5}

PROGRAM_LIMIT_SECONDS=10   # nvidia-smi and its like hang when a driver is broken
# What hung is left alone for a minute, then for twice as long each time, to this most.
LEFT_ALONE_MAXIMUM_SECONDS=600
# The driver's own samples are read each time where the program answers this soon, else once a beat.
RING_CHEAP_HUNDREDTHS=50
# A process at a GPU whose memory grew by this much has worked.
GROWN_MIB=16
JUPYTER_LIMIT_SECONDS=5
WORK_LIMIT_SECONDS=2
WORK_MAXIMUM_URLS=4
WORK_MAXIMUM_BYTES=1048576
SCRIPT_LIMIT_SECONDS=5
SCRIPTS_LIMIT_SECONDS=15   # for all of them
SCRIPTS_MAXIMUM=8
NOTE_MAXIMUM_BYTES=120
SOURCES_MAXIMUM=32
REQUEST_LIMIT_SECONDS=20
# As much of an answer is read, whoever gives it.
ANSWER_MAXIMUM_BYTES=65536
# For each hook of a warning, and of an order that no preparation came before.
HOOK_LIMIT_SECONDS=60
RESUME_LIMIT_SECONDS=600
# One that hangs must not silence the agent.
HIBERNATE_LIMIT_SECONDS=${DUMONT_HIBERNATE_LIMIT_SECONDS:-300}
PREPARE_DEFAULT_SECONDS=600
PREPARE_MAXIMUM_SECONDS=3600
HOOK_RETRY_SECONDS=${DUMONT_HOOK_RETRY_SECONDS:-60}
# Between TERM and KILL.
HOOK_GRACE_SECONDS=10
# After which hooks of which nothing is heard have ended.
HOOKS_SILENT_SECONDS=60
# For so long what was prepared needs no hooks again.
PREPARED_SECONDS=900
HOOK_LOG_BYTES=4000
# What hooks print is kept in two files of about this size.
HOOK_LOG_PIECE_BYTES=65536
HOUR_SECONDS=${DUMONT_DEAD_MAN_HOUR_SECONDS:-3600}
# So long nothing holds the agent up but that the whole machine stands still.
DEAD_MAN_GAP_SECONDS=300
# A pause of five seconds that takes so long was a machine that stood still.
STOOD_STILL_SECONDS=60
# With the readings and the request itself, half the time after which a silent instance is an orphan.
PAUSE_MAXIMUM_SECONDS=110
# So long after a beat that came at once, no other does.
AT_ONCE_HUNDREDTHS=500
INTERVAL_DEFAULT_SECONDS=60
INTERVAL_MAXIMUM_SECONDS=3600
# What the service takes at the most.
BODY_MAXIMUM_BYTES=16000
BACKLOG_MAXIMUM=240
BACKLOG_MAXIMUM_SECONDS=604800
GPUS_MAXIMUM=64
# From which value on a source counts as use by the service's policy, unless its owner has changed it: `doctor` goes by it.
IDLE_THRESHOLD_PERCENT=5
SOURCE_THRESHOLDS="ssh_connections=1 notebook_connections=1 busy_kernels=1 cpu_cores=0.5 network_kb_per_second=500
  disk_kb_per_second=2000 compute_processes=1 work=1 scripts=1"

SETTINGS="INSTANCE_ID API_TOKEN ENROLLMENT_TOKEN API_URL HOURLY_COST HIBERNATE_COMMAND JUPYTER_URL
  SAMPLE_SECONDS SSH_PORTS NOTEBOOK_PORTS WORK_URLS ACTIVITY_DIR DEAD_MAN_HOURS SPOT_WATCH"
NEWLINE='
'

usage() {
  cat <<EOF
Usage: dumont-agent COMMAND

  run              report until stopped (a foreground process, fit to be PID 1)
  once [--dry-run] report once; with --dry-run print what would be sent
  install [--hibernate-command COMMAND] [--url ADDRESS]
                   install and enable the systemd service, or upgrade it
  install --enroll ENROLLMENT_TOKEN [--later]
                   the same, register this machine under its provider's id, and start; with --later both come
                   with the first start, as an image needs it
  uninstall        remove what install made, and nothing else
  status           how it is set up and whether it runs
  check            try the connection, the token and the readings
  doctor           what it reads, from where, what is unknown and why, and what counts as use: to paste into an issue
  version | help

Configuration: the environment, or $CONFIG_FILE
  DUMONT_INSTANCE_ID        this instance, and
  DUMONT_API_TOKEN          its token; or
  DUMONT_ENROLLMENT_TOKEN   with which the machine registers itself
  DUMONT_API_URL            $API_URL_DEFAULT
  DUMONT_HOURLY_COST        dollars an hour, to report what it has cost so far
  DUMONT_HIBERNATE_COMMAND  how this machine hibernates itself; without it, it only says that it can't
  DUMONT_JUPYTER_URL        with its token in the query, to report busy kernels
  DUMONT_WORK_URLS          counters of requests: "vllm=http://127.0.0.1:8000/metrics tgi=… triton=… name=URL#metric_name"
  DUMONT_ACTIVITY_DIR       scripts that say whether the machine is in use, /etc/dumont-agent/activity.d
  DUMONT_SSH_PORTS          22
  DUMONT_NOTEBOOK_PORTS     8888 8080
  DUMONT_SAMPLE_SECONDS     15: how often it looks at the GPUs between two reports
  DUMONT_DEAD_MAN_HOURS     hibernate by itself after so long idle and out of the service's reach
  DUMONT_SPOT_WATCH         auto, or off: watch EC2, Google and Azure for the end of a spot machine
EOF
}

log() { printf '%s dumont-agent: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2; }
fail() { log "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

