#!/bin/sh
# The first process of a lab: two network namespaces, the provisioner's and its client's, joined by a wire at each of the
# provisioner's interfaces. The first wire is called `wire`, the others after their interface, `wire-INTERFACE`.
# Usage: setup.sh WEB-ROOT INTERFACE ADDRESS/LENGTH ROUTER [--other INTERFACE ADDRESS/LENGTH CLIENT/LENGTH ROUTER]... SUBNET=RELAY...
# All of it is gone when standard input ends, since this process then does.
set -eu
web_root=$1 interface=$2 address=$3 router=$4
shift 4

# What servers write, they write here, into the directories that their packages have made.
for dir in /run /var/lib /var/log; do mount -t tmpfs lab "$dir"; done
mkdir -p /run/kea /run/lock /var/lib/kea /var/lib/misc /var/lib/nginx /var/log/nginx "$web_root/tftp"

# Usage: join INTERFACE ADDRESS/LENGTH WIRE
join() {
  ip link add "$1" type veth peer name "$3" netns client
  ip link set "$1" addrgenmode none
  ip address add "$2" broadcast + dev "$1"
  ip address add fe80::1/64 dev "$1" nodad
  ip link set "$1" up
  ip -n client link set "$3" addrgenmode none
  ip -n client link set "$3" up
}

ip netns add client
ip link set lo up
ip -n client link set lo up
join "$interface" "$address" wire
while [ "${1:-}" = --other ]; do
  join "$2" "$3" "wire-$2"
  # From here, the client's side fetches files as a machine of this network does.
  ip -n client address add "$4" dev "wire-$2"
  # The router of the network may still relay DHCP.
  if [ "$5" != none ]; then ip -n client address add "$5/32" dev "wire-$2"; fi
  shift 5
done

# The client's side is the router of every network.
if [ "$router" != none ]; then ip -n client address add "$router/${address#*/}" dev wire; fi
for relay in "$@"; do
  ip -n client address add "${relay#*=}/32" dev lo
  ip route add "${relay%=*}" via "$router"
done

# The number by which others enter: /proc is still that of the outer namespace.
read -r pid _ </proc/self/stat
echo "$pid"
exec cat
