#!/usr/bin/env bash
# Becomes a guest. Usage: boot.sh IMAGE DRIVE RESULTS CONSOLE; boot.sh --shell IMAGE DRIVE.
# 8 CPUs in 2 memory nodes, software emulation, no network; nothing is written to the image.
# As one of several, with SCHEDD_VM_NODE=1, 2, ... and SCHEDD_VM_PORT: 2 CPUs and 1 GiB, and a network of
# their own, which is datagrams to a group on the loopback interface.
set -euo pipefail

serial=()
words=no_timer_check
case $1 in
--shell)
    image=$2 drive=$3
    serial=(-serial mon:stdio -serial null)
    words+=" schedd.mode=shell"
    ;;
*)
    image=$1 drive=$2
    serial=(-serial "file:$4" -serial "file:$3")
    ;;
esac

# shellcheck disable=SC2054  # the commas are QEMU's
machine=(-m 2G -smp 8,sockets=2,cores=2,threads=2
    -object memory-backend-ram,size=1G,id=m0 -object memory-backend-ram,size=1G,id=m1
    -numa node,nodeid=0,memdev=m0,cpus=0-3 -numa node,nodeid=1,memdev=m1,cpus=4-7 -nic none)
if [ -n "${SCHEDD_VM_NODE:-}" ]; then
    machine=(-m 1G -smp 2 -device "virtio-net-pci,netdev=net,mac=52:54:00:77:00:0$SCHEDD_VM_NODE"
        -netdev "socket,id=net,mcast=239.255.119.1:$SCHEDD_VM_PORT,localaddr=127.0.0.1")
    words+=" schedd.node=$SCHEDD_VM_NODE"
    # else all have that of D-Bus in the image, and are clones
    words+=" systemd.machine_id=$(printf '%024x%08x' "$SCHEDD_VM_PORT" "$SCHEDD_VM_NODE")"
fi

# Nehalem without cx16: with that instruction QEMU 7.2 makes the guest's kernel fail now and then.
# no_timer_check: on a busy machine the kernel's test of its timer fails ("8254 timer not connected to
# IO-APIC"), and what it tries then hangs.
exec qemu-system-x86_64 -machine q35 -cpu Nehalem,-cx16 -accel tcg,thread=multi "${machine[@]}" \
    -kernel "$image/kernel" -initrd "$image/initrd" \
    -append "root=/dev/vda rw console=ttyS0 quiet psi=1 mitigations=off systemd.show_status=0 $words" \
    -drive "file=$image/disk,format=raw,if=virtio,snapshot=on" \
    -drive "file=$drive,format=raw,if=virtio,readonly=on" \
    -display none -no-reboot "${serial[@]}"
