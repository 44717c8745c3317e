#!/usr/bin/env bash
# Makes the guest's root file system, kernel and initrd, once, and prints the folder they are kept in.
# Usage: image.sh [PACKAGE...]: the Debian packages that schedd itself needs. Another list is another image.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/schedd
suite=bookworm
size=2G
packages=(systemd systemd-sysv dbus dbus-user-session udev libpam-systemd polkitd
    linux-image-cloud-amd64 iproute2 procps kmod util-linux login passwd man-db bc
    openssh-client openssh-server criu power-profiles-daemon upower fuse3 "$@")
# What would run beside the tests and take the CPUs that are emulated.
masked=(apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
    fstrim.timer man-db.timer systemd-timesyncd.service systemd-networkd-wait-online.service)

say() { printf 'system: %s\n' "$*" >&2; }

key=$(printf '%s\n' "${packages[@]}" | cat - "${BASH_SOURCE[0]}" "$here"/guest/*.service |
    sha256sum | cut -c1-16)
image=$cache/guest-$suite-$key
if [ -e "$image/disk" ]; then
    touch "$image"
    echo "$image"
    exit
fi

# Without root mmdebstrap works in a user namespace, whose root has to be able to write here.
work=$(mktemp -d "${TMPDIR:-/tmp}/schedd-image.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 1777 "$work"
mkdir "$work/out"
for file in disk kernel initrd log; do : >"$work/out/$file"; done
chmod 666 "$work"/out/*
cp "$here"/guest/*.service "$work/"
chmod 644 "$work"/*.service

cat >"$work/finish" <<'FINISH'
#!/bin/bash
# Runs in mmdebstrap when the packages are installed: settings, then the file system.
set -euo pipefail
work=$1 root=$2 size=$3
shift 3
echo schedd-guest >"$root/etc/hostname"
printf '127.0.0.1 localhost schedd-guest\n' >"$root/etc/hosts"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
: >"$root/etc/machine-id"
chroot "$root" passwd -q -d root
chroot "$root" useradd -m -s /bin/bash alice
for unit; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
cd "$root/etc/systemd/system"
mkdir -p multi-user.target.wants serial-getty@ttyS0.service.d
cp "$work"/*.service .
ln -sf ../schedd-guest.service multi-user.target.wants/
cat >serial-getty@ttyS0.service.d/50-root.conf <<'GETTY'
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --keep-baud 115200 - $TERM
GETTY
cat "$root"/boot/vmlinuz-* >"$work/out/kernel"
cat "$root"/boot/initrd.img-* >"$work/out/initrd"
# without what is mounted in it while mmdebstrap works
mkdir "$work/copy"
tar -C "$root" --one-file-system --exclude=./dev/* -cf - . | tar -C "$work/copy" -xpf -
# which also forbids services to be started then
rm -f "$work/copy/usr/sbin/policy-rc.d"
if [ -e "$work/copy/sbin/start-stop-daemon.REAL" ]; then
    mv "$work/copy/sbin/start-stop-daemon.REAL" "$work/copy/sbin/start-stop-daemon"
fi
mke2fs -q -F -t ext4 -L schedd-guest -d "$work/copy" "$work/out/disk" "$size"
rm -rf "$work/copy"
FINISH
chmod 755 "$work/finish"

say "making the guest's image, once (two to four minutes): ${#packages[@]} packages from Debian $suite"
include=$(IFS=, && echo "${packages[*]}")
if ! timeout 1200 mmdebstrap --variant=minbase --include="$include" \
    --customize-hook="$work/finish $work \"\$1\" $size ${masked[*]}" \
    "$suite" /dev/null >"$work/out/log" 2>&1; then
    say "the image cannot be made:"
    tail -n 30 "$work/out/log" >&2
    exit 1
fi
mkdir -p "$cache"
rm -rf "$image.new"
cp --sparse=always -r "$work/out" "$image.new"
mv -T "$image.new" "$image"
# One image is kept besides this: another branch's.
find "$cache" -maxdepth 1 -name 'guest-*' -type d -printf '%T@ %p\n' | sort -rn | tail -n +3 |
    cut -d' ' -f2- | while read -r old; do rm -rf "$old"; done
say "the image is in $image"
echo "$image"
