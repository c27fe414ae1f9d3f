# --- systemd ---------------------------------------------------------------------------------------------------------

unit() {
  cat <<EOF
[Unit]
Description=Dumont agent: reports this instance to the Dumont Agent System
Documentation=$API_URL_DEFAULT
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=$BIN run
EnvironmentFile=$CONFIG_FILE
User=$SERVICE_USER
Restart=always
RestartSec=10
RuntimeDirectory=dumont-agent
# The token of a machine that has registered itself.
StateDirectory=dumont-agent
MemoryMax=64M
TasksMax=32
# What it needs: the network, /proc, and the devices that nvidia-smi and its like open.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
CapabilityBoundingSet=
AmbientCapabilities=
RemoveIPC=yes
UMask=0077
DevicePolicy=closed
DeviceAllow=char-nvidia rw
DeviceAllow=char-nvidia-frontend rw
DeviceAllow=char-nvidia-uvm rw
DeviceAllow=char-drm rw
DeviceAllow=/dev/kfd rw

[Install]
WantedBy=multi-user.target
EOF
}

hibernate_units() {
  cat >"$UNIT_DIR/dumont-agent-hibernate.path" <<EOF
[Unit]
Description=Watches for the Dumont agent's word to hibernate

[Path]
PathExists=$RUN_DIR/hibernate

[Install]
WantedBy=multi-user.target
EOF
  cat >"$UNIT_DIR/dumont-agent-hibernate.service" <<EOF
[Unit]
Description=Hibernates this machine at the Dumont agent's word

[Service]
Type=oneshot
EnvironmentFile=$CONFIG_FILE
ExecStartPre=/bin/rm -f $RUN_DIR/hibernate
# In braces, so that the command stays one word.
ExecStart=/bin/sh -c \${DUMONT_HIBERNATE_COMMAND}
EOF
}

hooks_units() {
  cat >"$UNIT_DIR/dumont-agent-hooks.path" <<EOF
[Unit]
Description=Watches for the Dumont agent's word to run hooks

[Path]
PathExists=$RUN_DIR/hooks.request

[Install]
WantedBy=multi-user.target
EOF
  # As root, and outside of the agent's confinement and limits: hooks stop services and save what belongs to others.
  cat >"$UNIT_DIR/dumont-agent-hooks.service" <<EOF
[Unit]
Description=Runs the owner's hooks at the Dumont agent's word
StartLimitIntervalSec=60
StartLimitBurst=60

[Service]
Type=oneshot
ExecStart=$BIN run-hooks
Environment=HOME=/root
RuntimeDirectory=dumont-agent-hooks
RuntimeDirectoryMode=0750
RuntimeDirectoryPreserve=yes
TimeoutStartSec=$((PREPARE_MAXIMUM_SECONDS + 120))
# What a hook has started may go on.
KillMode=process
EOF
}

