"""What a node of the reference forwards from a tenant's machine in 172.16.0.0/24: `to` says where it may get to, of
`provisioning` (10.0.100.0/24), `management` (10.0.10.0/24) and `cluster` (10.0.200.0/24). The way back is open.

Where the tenant gets to the cluster's network, only the ports for clients answer: a masqueraded packet would seem to come
from the node that forwards it.

Usage: forward.py TO COMMAND FILE, in a network namespace of its own; TO is a list with commas.
"""

import sys

from machines import OURS, connect, enter, fail, join, listen, load, machine, sh

NETWORKS = {"provisioning": "10.0.100", "management": "10.0.10", "cluster": "10.0.200"}
allowed = sys.argv[1].split(",")

tenant, host = machine(), machine()
join(tenant, "tap0", ["172.16.0.1/24"], ["172.16.0.7/24"])
for number, network in enumerate(NETWORKS.values()):
    join(host, f"eth{number}", [f"{network}.50/24"], [f"{network}.7/24"])
sh("echo 1 > /proc/sys/net/ipv4/ip_forward")
enter(tenant)
sh("ip route add default via 172.16.0.1")
enter(host)
sh("ip route add default via 10.0.200.50")
enter(OURS)
(at_host,) = listen(host, 7000).values()
# SSH, Raft, gossip and an API among nodes; APIs for clients.
ports = listen(host, 22, 2379, 2380, 2381, 9091, 8080, 9090)
for_clients = [8080, 9090]
(at_tenant,) = listen(tenant, 7000).values()


def check(allowed, inwards):
    for name, network in NETWORKS.items():
        right = name in allowed
        found = connect(tenant, "172.16.0.7", f"{network}.7", at_host, right) is not None
        if found != right:
            fail(f"the tenant gets to {name}: {found}")
        # Whoever looks after the tenant from there gets his answers.
        found = connect(host, f"{network}.7", "172.16.0.7", at_tenant, inwards) is not None
        if found != inwards:
            fail(f"{name} gets to the tenant: {found}")


def check_ports(is_open):
    for port, listener in ports.items():
        right = is_open(port)
        found = connect(tenant, "172.16.0.7", "10.0.200.7", listener, right) is not None
        if found != right:
            fail(f"the tenant gets to port {port} of the cluster: {found}")


# Nothing hinders it without a firewall; paths are asymmetric, which new namespaces put up with.
check(NETWORKS, True)
check_ports(lambda port: True)
load(sys.argv[2:])
check(allowed, bool(sys.argv[1]))
check_ports(lambda port: "cluster" in allowed and port in for_clients)
