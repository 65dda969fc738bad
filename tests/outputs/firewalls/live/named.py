"""What reaches a machine that others are sent to, by TCP and by UDP.

Usage: named.py CASES COMMAND FILE [COMMAND FILE], in a network namespace of its own. CASES is JSON: `links`, lists of a
device, our addresses and the other machine's; `routes`, commands that set the routes of the other machine, where it needs any;
`packets`, lists of protocol, source, destination, port, and whether the firewall lets them in. The protocol is `tcp`, `udp` or
the number of another protocol over IP, whose port is null.
"""

import json
import socket
import sys

from machines import OURS, connect, enter, fail, join, listen, load, machine, sh

cases = json.loads(sys.argv[1])
other = machine()
for device, ours, theirs in cases["links"]:
    join(other, device, ours, theirs)
enter(other)
for command in cases.get("routes", []):
    sh(command)
enter(OURS)
sh("ip link set lo up")
listeners = listen(OURS, *{port for protocol, _, _, port, _ in cases["packets"] if protocol == "tcp"})


def arrives(protocol, source, to, port, expected):
    """Whether a packet without a connection arrives."""
    kind, number = (socket.SOCK_DGRAM, 0) if protocol == "udp" else (socket.SOCK_RAW, int(protocol))
    receiver = socket.socket(socket.AF_INET, kind, number)
    receiver.bind((to, port or 0))
    receiver.settimeout(60 if expected else 1)
    enter(other)
    sender = socket.socket(socket.AF_INET, kind, number)
    enter(OURS)
    sender.bind((source, 0))
    sender.sendto(b"x", (to, port or 0))
    try:
        return receiver.recv(100)[-1:] == b"x"
    except TimeoutError:
        return False


def check(expected):
    for protocol, source, to, port, allowed in cases["packets"]:
        right = expected(allowed)
        if protocol == "tcp":
            found = connect(other, source, to, listeners[port], right) is not None
        else:
            found = arrives(protocol, source, to, port, right)
        if found != right:
            fail(f"{protocol} {source} -> {to}:{port}: arrived is {found}")


# Without a firewall, everything arrives: what is silent later was dropped.
check(lambda _: True)
load(sys.argv[2:])
check(lambda allowed: allowed)
