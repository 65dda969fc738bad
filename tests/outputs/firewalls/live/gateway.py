"""What a provisioner forwards that is the gateway of 10.30.0.0/24: `gateway.toml`. The machines there are sent to it; outside
are BMCs (10.30.9.0/24), another network of the cluster (10.30.8.0/24), and in the world clients (10.0.44.0/24), the operator
(10.0.9.9) and strangers, all of whom have a route inside.

Usage: gateway.py ASKER COMMAND FILE, in a network namespace of its own; ASKER is who the world sees: `10.30.0.11`, or
`192.0.2.1` behind a provisioner that masquerades.
"""

import select
import socket
import sys

from machines import OURS, enter, fail, join, listen, load, machine, sh

node, world, bmc, other = machine(), machine(), machine(), machine()
join(node, "eno2", ["10.30.0.1/24"], ["10.30.0.11/24"])
join(world, "eno1", ["192.0.2.1/24"], ["192.0.2.7/24", "10.0.9.9/32", "10.0.44.7/32"])
join(bmc, "eno3", ["10.30.9.1/24"], ["10.30.9.7/24"])
join(other, "eno4", ["10.30.8.1/24"], ["10.30.8.7/24"])
sh("echo 1 > /proc/sys/net/ipv4/ip_forward; ip route add 10.0.0.0/16 via 192.0.2.7")
gateways = {node: "10.30.0.1", world: "192.0.2.1", bmc: "10.30.9.1", other: "10.30.8.1"}
for where, gateway in gateways.items():
    enter(where)
    sh(f"ip route add default via {gateway}")
listeners = {where: listen(where, 22, 2379, 7000, 8080) for where in gateways}

# Source, destination and port, and whether the firewall lets the connection through.
CASES = [
    (node, "10.30.0.11", world, "192.0.2.7", 7000, True),
    (node, "10.30.0.11", other, "10.30.8.7", 7000, True),
    (node, "10.30.0.11", bmc, "10.30.9.7", 7000, False),
    (world, "10.0.9.9", node, "10.30.0.11", 22, True),
    (world, "10.0.44.7", node, "10.30.0.11", 22, False),
    (world, "10.0.44.7", node, "10.30.0.11", 8080, True),
    (world, "10.0.44.7", node, "10.30.0.11", 2379, False),
    (other, "10.30.8.7", node, "10.30.0.11", 2379, True),
    (world, "192.0.2.7", node, "10.30.0.11", 8080, False),
    (world, "192.0.2.7", bmc, "10.30.9.7", 7000, False),
    (bmc, "10.30.9.7", node, "10.30.0.11", 7000, False),
    (bmc, "10.30.9.7", world, "192.0.2.7", 8080, False),
]


def begin(where, source, to, port):
    enter(where)
    client = socket.socket()
    enter(OURS)
    client.bind((source, 0))
    client.setblocking(False)
    client.connect_ex((to, port))
    return client


def check(is_through, asker):
    """Only silence tells that a packet was dropped: it is listened to once all others have been answered."""
    clients = [begin(where, source, to, port) for where, source, _, to, port, _ in CASES]
    silent, expected, seen = [], [], []
    for (where, source, to, address, port, allowed), client in zip(CASES, clients):
        if not is_through(allowed):
            silent.append(client)
            continue
        if not select.select([], [client], [], 60)[1] or client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            fail(f"{source} -> {address}:{port} is not answered")
        expected.append((port, asker if (where, to) == (node, world) else source))
        seen.append((port, listeners[to][port].accept()[1][0]))
    if sorted(seen) != sorted(expected):
        fail(f"asked by {seen}, not {expected}")
    if got_through := select.select([], silent, [], 1)[1]:
        fail(f"these got through: {[CASES[clients.index(client)][1:] for client in got_through]}")
    for client in clients:
        client.close()


check(lambda _: True, "10.30.0.11")
load(sys.argv[2:])
check(lambda allowed: allowed, sys.argv[1])
