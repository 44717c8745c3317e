#!/bin/bash
# Makes this machine one of three: a name, addresses, SSH as root from each to each without a question, and
# the board on which it tells the others where it is. Usage: join.sh NUMBER
set -euo pipefail

number=$1
keys=/run/guest/cluster
name=node$number

hostname "$name"
echo "$name" >/etc/hostname
echo '127.0.0.1 localhost' >/etc/hosts
for other in 1 2 3; do
    printf '%s node%s\n' "10.77.0.$other" "$other" "fd77::$other" "$other"
done >>/etc/hosts

link=$(ip -o link | sed -n 's/^[0-9]*: \(en[^:@]*\|eth[^:@]*\).*/\1/p' | sed q)
echo "$link" >/run/cluster-link
ip addr add "10.77.0.$number/24" dev "$link"
ip addr add "fd77::$number/64" dev "$link" nodad
ip link set "$link" up

install -d -m 700 /root/.ssh
install -m 600 "$keys/root" /root/.ssh/id_ed25519
install -m 600 "$keys/root.pub" /root/.ssh/authorized_keys
install -m 644 "$keys/known_hosts" /root/.ssh/known_hosts
# Emulated cryptography is slow: a connection takes seconds. Whatever would be asked is an error.
cat >/root/.ssh/config <<'END'
BatchMode yes
StrictHostKeyChecking yes
ConnectTimeout 60
ServerAliveInterval 30
IdentityFile /root/.ssh/id_ed25519
IdentitiesOnly yes
END
install -m 600 "$keys/host-$number" /etc/ssh/ssh_host_ed25519_key
install -m 644 "$keys/host-$number.pub" /etc/ssh/ssh_host_ed25519_key.pub
cat >/etc/ssh/sshd_config.d/cluster.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
UseDNS no
LoginGraceTime 300
MaxStartups 50
END
systemctl restart ssh.service

# The board: whoever connects is given the names of all steps that this machine has come to.
: >/run/steps
cat >/run/systemd/system/steps.socket <<'END'
[Socket]
ListenStream=7777
Accept=yes
MaxConnections=100
TriggerLimitIntervalSec=0
END
cat >/run/systemd/system/steps@.service <<'END'
[Service]
ExecStart=/bin/cat /run/steps
StandardInput=socket
StandardOutput=socket
END
systemctl daemon-reload
systemctl start steps.socket
