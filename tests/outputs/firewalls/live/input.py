"""What reaches a node of the reference's profile `control-plane`: eth0 in 10.0.100.0/24 (SSH), eth1 in 10.0.200.0/24
(SSH, Raft, APIs), and clients in 10.1.44.0/24 (APIs).

Usage: input.py COMMAND FILE [COMMAND FILE], in a network namespace of its own.
"""

import sys

from machines import OURS, answers_pings, connect, fail, join, listen, load, machine, sh

other = machine()
join(other, "eth0", ["10.0.100.50/24"], ["10.0.100.7/24"])
join(other, "eth1", ["10.0.200.50/24", "fd00::50/64"], ["10.0.200.7/24", "10.1.44.7/32", "fd00::7/64"])
sh("ip route add 10.1.44.0/24 via 10.0.200.7")
listeners = listen(OURS, 22, 2379, 2380, 8080, 9999)

# Source, destination and port, and whether the firewall lets it in.
CASES = [
    ("10.0.100.7", "10.0.100.50", 22, True),
    ("10.0.200.7", "10.0.200.50", 22, True),
    ("10.1.44.7", "10.0.200.50", 22, False),
    ("10.0.200.7", "10.0.200.50", 2379, True),
    ("10.0.200.7", "10.0.200.50", 2380, True),
    ("10.0.100.7", "10.0.100.50", 2379, False),
    ("10.1.44.7", "10.0.200.50", 2380, False),
    ("10.1.44.7", "10.0.200.50", 8080, True),
    ("10.0.200.7", "10.0.200.50", 9999, False),
]


def check(expected):
    for source, to, port, allowed in CASES:
        right = expected(allowed)
        found = connect(other, source, to, listeners[port], right) is not None
        if found != right:
            fail(f"{source} -> {to}:{port}: connected is {found}")


# Without a firewall, everything answers: what is silent later was dropped.
check(lambda _: True)

# An operator who loads it over SSH, from where the new rules would not let him in again: he stays.
client, server = connect(other, "10.1.44.7", "10.0.200.50", listeners[22])
for _ in range(2):
    load(sys.argv[1:])
    # What the command prints, then what he types next.
    for sender, receiver in [(server, client), (client, server)]:
        sender.sendall(b"x")
        if receiver.recv(1) != b"x":
            fail("the established connection is gone")

check(lambda allowed: allowed)

# Errors and echoes of both families come through, and with them the neighbours of IPv6.
for source, to in [("10.1.44.7", "10.0.200.50"), ("fd00::7", "fd00::50")]:
    answers_pings(other, source, to)
