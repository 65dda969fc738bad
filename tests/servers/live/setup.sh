#!/bin/sh
# The first process of a lab: two network namespaces, the provisioner's and its client's, joined by a wire.
# Usage: setup.sh WEB-ROOT INTERFACE ADDRESS/LENGTH ROUTER SUBNET=RELAY...
# All of it is gone when standard input ends, since this process then does.
set -eu
web_root=$1 interface=$2 address=$3 router=$4
shift 4

# What servers write, they write here, into the directories that their packages have made.
for dir in /run /var/lib /var/log; do mount -t tmpfs lab "$dir"; done
mkdir -p /run/kea /run/lock /var/lib/kea /var/lib/misc /var/lib/nginx /var/log/nginx "$web_root/tftp"

ip netns add client
ip link set lo up
ip link add "$interface" type veth peer name wire netns client
ip link set "$interface" addrgenmode none
ip address add "$address" broadcast + dev "$interface"
ip address add fe80::1/64 dev "$interface" nodad
ip link set "$interface" up
ip -n client link set lo up
ip -n client link set wire addrgenmode none
ip -n client link set wire up

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
