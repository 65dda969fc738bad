#!/bin/sh
# The script that udhcpc calls with the lease in its environment.
case $1 in
  bound | renew)
    # shellcheck disable=SC2154
    ip address add "$ip/$mask" dev "$interface"
    # The address of the provisioner that machines of this network load from (RFC 2131 section 2, siaddr).
    # shellcheck disable=SC2154
    echo "$siaddr" >/lab/server
    for gateway in ${router:-}; do ip route add default via "$gateway" && break; done
    echo "plasmagen-lab: address $ip" >"$([ -c /dev/ttyAMA0 ] && echo /dev/ttyAMA0 || echo /dev/ttyS0)"
    echo "plasmagen-lab: leased-name ${hostname:-}" >"$([ -c /dev/ttyAMA0 ] && echo /dev/ttyAMA0 || echo /dev/ttyS0)"
    ;;
esac
