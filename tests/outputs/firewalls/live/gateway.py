"""What a provisioner forwards that is the gateway of 10.30.0.0/24: `gateway.toml`. The machines there are sent to it: a node,
and another router, which has a rack behind itself (10.31.0.0/24). Outside are BMCs (10.30.9.0/24), another network of the
cluster (10.30.8.0/24), and in the world clients (10.0.44.0/24), another network that machines boot in (10.30.7.0/24), the
operator (10.0.9.9) and strangers, all of whom have a route inside.

Usage: gateway.py ASKER COMMAND FILE, in a network namespace of its own; ASKER is who the world sees: `10.30.0.11`, or
`192.0.2.1` behind a provisioner that masquerades.
"""

import os
import select
import socket
import sys

from machines import OURS, enter, fail, join, listen, load, machine, sh

switch, node, router, rack, world, bmc, other = (machine() for _ in range(7))


def plug(where, device, addresses):
    """A cable from the switch to `device` of `where`."""
    enter(switch)
    sh(f"ip link add port{where} type veth peer name {device} netns /proc/{os.getpid()}/fd/{where}")
    sh(f"ip link set port{where} master bridge up")
    enter(where)
    for address in addresses:
        sh(f"ip address add {address} dev {device} {'nodad' if ':' in address else ''}")
    sh(f"ip link set {device} up")
    enter(OURS)


join(switch, "eno2", ["10.30.0.1/24", "fd00:30::1/64"], [])
enter(switch)
sh("ip link add bridge type bridge; ip link set bridge up; ip link set eno2 master bridge")
plug(node, "eth0", ["10.30.0.11/24", "10.30.0.100/24", "fd00:30::11/64"])
plug(router, "eth0", ["10.30.0.2/24"])
join(world, "eno1", ["192.0.2.1/24"], ["192.0.2.7/24", "10.0.9.9/32", "10.0.44.7/32", "10.30.7.7/32"])
join(bmc, "eno3", ["10.30.9.1/24"], ["10.30.9.7/24"])
join(other, "eno4", ["10.30.8.1/24", "fd00:8::1/64"], ["10.30.8.7/24", "fd00:8::7/64"])
enter(router)
sh(f"ip link add rack type veth peer name eth0 netns /proc/{os.getpid()}/fd/{rack}")
sh("ip address add 10.31.0.1/24 dev rack; ip link set rack up; echo 1 > /proc/sys/net/ipv4/ip_forward")
enter(rack)
sh("ip address add 10.31.0.7/24 dev eth0; ip link set eth0 up")
enter(node)
# The gateway tells of the other router; machines need not listen.
sh("for accept in /proc/sys/net/ipv4/conf/*/accept_redirects; do echo 0 > $accept; done")
enter(OURS)
sh("echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
sh("for net in 10.0.0.0/16 10.30.7.0/24; do ip route add $net via 192.0.2.7; done; ip route add 10.31.0.0/24 via 10.30.0.2")
gateways = {node: "10.30.0.1", router: "10.30.0.1", rack: "10.31.0.1"}
gateways |= {world: "192.0.2.1", bmc: "10.30.9.1", other: "10.30.8.1"}
for where, gateway in gateways.items():
    enter(where)
    sh(f"ip route add default via {gateway}")
for where, gateway in [(node, "fd00:30::1"), (other, "fd00:8::1")]:
    enter(where)
    sh(f"ip route add default via {gateway}")
listeners = {where: listen(where, 22, 2379, 7000, 8080) for where in [OURS, *gateways]}
for where in [node, other]:
    enter(where)
    listeners[where][7006] = socket.create_server(("::", 7006), family=socket.AF_INET6)

# Source, destination and port, and whether the firewall lets the connection through.
CASES = [
    (node, "10.30.0.11", world, "192.0.2.7", 7000, True),
    (node, "10.30.0.11", other, "10.30.8.7", 7000, True),
    (node, "10.30.0.11", bmc, "10.30.9.7", 7000, False),
    # A network that machines boot in goes by the sender.
    (node, "10.30.0.11", world, "10.30.7.7", 7000, True),
    (world, "10.0.9.9", node, "10.30.0.11", 22, True),
    (world, "10.0.44.7", node, "10.30.0.11", 22, False),
    (world, "10.0.44.7", node, "10.30.0.11", 8080, True),
    (world, "10.0.44.7", node, "10.30.0.100", 8080, True),
    (world, "10.0.44.7", node, "10.30.0.11", 2379, False),
    # Other machines in the network are no nodes.
    (world, "10.0.9.9", router, "10.30.0.2", 22, False),
    (world, "10.0.44.7", router, "10.30.0.2", 8080, False),
    (other, "10.30.8.7", node, "10.30.0.11", 2379, True),
    (world, "192.0.2.7", node, "10.30.0.11", 8080, False),
    (world, "192.0.2.7", bmc, "10.30.9.7", 7000, False),
    (bmc, "10.30.9.7", node, "10.30.0.11", 7000, False),
    (bmc, "10.30.9.7", world, "192.0.2.7", 8080, False),
    # The gateway sees one half of these connections.
    (rack, "10.31.0.7", node, "10.30.0.11", 7000, True),
    (node, "10.30.0.11", rack, "10.31.0.7", 7000, True),
    # The gateway is reached by its address in the network, not by those that are nobody's business there.
    (node, "10.30.0.11", OURS, "10.30.0.1", 8080, True),
    (node, "10.30.0.11", OURS, "192.0.2.1", 8080, False),
    # The gateway sends with the address that a program asked for.
    (OURS, "10.30.0.1", world, "192.0.2.7", 7000, True),
    (node, "fd00:30::11", other, "fd00:8::7", 7006, True),
    (other, "fd00:8::7", node, "fd00:30::11", 7006, True),
]


def begin(where, source, to, port):
    enter(where)
    client = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET)
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
        expected.append((port, asker if where == node and address == "192.0.2.7" else source))
        listeners[to][port].settimeout(60)
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
