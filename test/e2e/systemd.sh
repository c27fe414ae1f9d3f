#!/bin/sh
# Boots the systemd of this machine as PID 1 of namespaces of its own: /usr is shared and read-only, /etc a copy, the
# rest empty, so that nothing of it touches the machine. systemd.sh FOLDER AGENT; the root appears at FOLDER.
set -e
box=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$box"
cp "$2" "$box"
cd "$box"
mkdir usr etc var var/log var/lib var/tmp run tmp proc sys dev root
for folder in bin sbin lib lib64; do [ ! -e "/$folder" ] || ln -s "usr/$folder" "$folder"; done
mount --rbind -o ro /usr usr
mount -t tmpfs tmpfs usr/local/bin
cp -a /etc/. etc
rm -rf etc/systemd/system/*
: >etc/fstab
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/shm
mount -t tmpfs tmpfs run
mv dumont-agent root
exec chroot "$box" env -i PATH="$PATH" container=other /lib/systemd/systemd --unit=basic.target --log-target=null
