#!/usr/bin/env bash
# Applies a node's overlay to the installer that it was given to:
#
#   apply.sh OVERLAY ROOT
#
# The host name, the operators' SSH keys, and which card has the inventory's address. Each by itself, so that one which is
# not what plasmagen renders does not cost the others; it is left out and said. Exit 1 where something was left out.
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

# Into the kernel: NixOS has no host name of its own here. One of the command line is there already, and stays.
if [[ " $(<"$root/proc/cmdline")" == *' systemd.hostname='* ]]; then
  echo "plasmagen: the command line names this machine"
elif name=$(text name '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'); then
  printf '%s\n' "$name" >"$root/proc/sys/kernel/hostname"
  echo "plasmagen: this is $name"
else
  left_out "host name: node.json has none"
fi

if mac=$(text mac '[0-9a-f]{2}(:[0-9a-f]{2}){5}'); then
  # Before the configuration of all other cards, after what ip= makes.
  file=$root/run/systemd/network/80-node.network
  # systemd-networkd is not root.
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

# Lines that ssh-keygen takes for public keys, without options: one that is none means that the file is not ours.
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
