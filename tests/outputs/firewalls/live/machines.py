"""Network namespaces as machines, all in one process: a socket stays where it was made."""

import ctypes
import os
import socket
import subprocess
import sys

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def _namespace():
    return os.open("/proc/self/ns/net", os.O_RDONLY)


OURS = _namespace()


def sh(command):
    subprocess.run(command, shell=True, check=True)


def enter(machine):
    if libc.setns(machine, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def machine():
    """Another machine beside ours."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    new = _namespace()
    sh("ip link set lo up")
    enter(OURS)
    return new


def join(other, device, ours, theirs):
    """A cable from `device` of ours to one of the same name of `other`, with lists of addresses for its ends."""
    sh(f"ip link add {device} type veth peer name {device} netns /proc/{os.getpid()}/fd/{other}")
    for where, addresses in [(other, theirs), (OURS, ours)]:
        enter(where)
        # Addresses of IPv6 are not probed for (`nodad`), so that they are there at once.
        for address in addresses:
            sh(f"ip address add {address} dev {device} {'nodad' if ':' in address else ''}")
        sh(f"ip link set {device} up")


def listen(where, *ports):
    enter(where)
    listeners = {port: socket.create_server(("", port)) for port in ports}
    enter(OURS)
    return listeners


def connect(where, source, to, listener, expected=True):
    """A connection from `source`, an address of the machine `where`: both its ends, or None where nobody answers.

    Only silence tells that a packet was dropped. Where that is `expected`, it is listened to for a second: an answer
    takes microseconds here. Where it is not, a busy machine has its time.
    """
    enter(where)
    client = socket.socket()
    enter(OURS)
    client.bind((source, 0))
    client.settimeout(60 if expected else 1)
    try:
        client.connect((to, listener.getsockname()[1]))
    except TimeoutError:
        return None
    server, _ = listener.accept()
    client.settimeout(60)
    server.settimeout(60)
    return client, server


def answers_pings(where, source, to):
    """Whether `to` answers an echo request from `source`, an address of the machine `where`."""
    v6 = ":" in to
    protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
    enter(where)
    pinging = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, protocol)
    enter(OURS)
    pinging.bind((source, 0))
    pinging.settimeout(60)
    # Echo request, no code, checksum, identifier 1, number 1; of ICMPv6 the kernel makes the checksum.
    request = b"\x80\0\0\0\0\1\0\1" if v6 else b"\x08\0\xf7\xfd\0\1\0\1"
    pinging.sendto(request, (to, 0))
    while True:
        packet = pinging.recv(2048)
        kind = packet[0] if v6 else packet[(packet[0] & 15) * 4]
        if kind == (129 if v6 else 0):
            return True


def load(arguments):
    """Loads firewalls: pairs of a command and a file."""
    for command, file in zip(arguments[::2], arguments[1::2]):
        subprocess.run([*command.split(), file], check=True)


def fail(message):
    sys.exit(message)
