#!/usr/bin/env bash
# Applies a node's overlay to the running installer:
#
#   apply.sh OVERLAY ROOT
#
# The overlay has the host name, the operators' SSH keys, and the MAC address of the interface that has the inventory's
# address. Each part is applied alone: a part that is not as plasmagen renders it is skipped with a message, and the
# others are applied. The exit status is 1 where a part was skipped.
set -euo pipefail
umask 077

export LC_ALL=C
overlay=$1 root=${2%/} status=0
node=$overlay/etc/plasmagen/node.json

left_out() {
  echo "plasmagen: left out the overlay's $1"
  status=1
}

# The text of the key $1 of node.json, if it is one and matches $2.
text() {
  jq --exit-status --slurp --raw-output --arg key "$1" --arg form "\\A(?:$2)\\z" \
    'select(length == 1) | .[0] | select(.schema == 1) | .[$key] | strings | select(test($form))' "$node" 2>/dev/null
}

if [[ ! -f $node ]]; then
  echo "plasmagen: no overlay of a node"
  exit 0
fi

# Sets the host name in the kernel, since the installer's NixOS configuration has none. A host name of the kernel command
# line is set already, and stays.
if [[ " $(<"$root/proc/cmdline")" == *' systemd.hostname='* ]]; then
  echo "plasmagen: the command line names this machine"
elif name=$(text name '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'); then
  printf '%s\n' "$name" >"$root/proc/sys/kernel/hostname"
  echo "plasmagen: this is $name"
else
  left_out "host name: node.json has none"
fi

if mac=$(text mac '[0-9a-f]{2}(:[0-9a-f]{2}){5}'); then
  # The name sorts before the file for all other interfaces, and after the files that ip= makes.
  file=$root/run/systemd/network/80-node.network
  # systemd-networkd does not run as root.
  (umask 022 && mkdir -p "${file%/*}" && cat >"$file") <<EOF
[Match]
MACAddress=$mac
Type=ether

[Network]
DHCP=yes
IPv6AcceptRA=yes

[DHCPv4]
ClientIdentifier=mac
UseHostname=no
RouteMetric=100
EOF
else
  left_out "MAC address: node.json has none"
fi

# Accepts lines that ssh-keygen takes for public keys, without options. Any other line means that plasmagen did not write
# the file.
keys=$overlay/root/.ssh/authorized_keys
key='^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ AAAA[A-Za-z0-9+/]+=*( .*)?$'
are_public() {
  local line count=0
  [[ -f $keys && ! -L $keys ]] || return 1
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ $key ]] || return 1
    ssh-keygen -l -f /dev/stdin <<<"$line" >/dev/null 2>&1 || return 1
    count=$((count + 1))
  done <"$keys"
  ((count > 0))
}
if are_public; then
  mkdir -p "$root/root/.ssh"
  chmod 0700 "$root/root/.ssh"
  cp "$keys" "$root/root/.ssh/authorized_keys"
  chmod 0600 "$root/root/.ssh/authorized_keys"
else
  left_out "authorized_keys: not a public SSH key on every line"
fi
exit "$status"
