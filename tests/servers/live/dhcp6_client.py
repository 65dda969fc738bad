"""A scripted DHCPv6 client (RFC 8415): SOLICIT, ADVERTISE, REQUEST, REPLY.

Usage: dhcp6_client.py INTERFACE < cases.json > answers.json

A case is an object: `mac`; `duid`, `user_class`, `vendor_class` (lists of bytes, the last two or null);
`architecture` (a number or null); `wanted`, the options that it asks for; `silent`, whether no address is expected.
The answer is null, or `advertise` and `reply`: `addresses`, `options` (lists of bytes by number).
"""

import json
import socket
import struct
import subprocess
import sys
import time

PATIENCE = 20  # seconds for an exchange, on a busy machine
SILENCE = 2  # how long a silent case is listened to, in seconds
SOLICIT, ADVERTISE, REQUEST, REPLY = 1, 2, 3, 7
SERVERS = "ff02::1:2"
INTEL = 343  # whose vendor classes UEFI uses


def option(code, data):
    return struct.pack("!HH", code, len(data)) + data


def options(data):
    found = {}
    while data:
        code, length = struct.unpack("!HH", data[:4])
        found.setdefault(code, data[4 : 4 + length])
        data = data[4 + length :]
    return found


def message(case, xid, kind, advertise):
    body = option(1, bytes(case["duid"])) + option(8, bytes(2))
    body += option(6, b"".join(struct.pack("!H", code) for code in case["wanted"]))
    if case["architecture"] is not None:
        body += option(61, struct.pack("!H", case["architecture"])) + option(62, bytes([1, 3, 0]))
    if case["user_class"] is not None:
        body += option(15, struct.pack("!H", len(case["user_class"])) + bytes(case["user_class"]))
    if case["vendor_class"] is not None:
        data = bytes(case["vendor_class"])
        body += option(16, struct.pack("!IH", INTEL, len(data)) + data)
    # A request asks for what was advertised, of the server that did.
    body += option(2, advertise[2]) + option(3, advertise[3]) if advertise else option(3, b"BOOT" + bytes(8))
    return struct.pack("!I", kind << 24 | xid) + body


def link_local(mac):
    octets = bytes.fromhex(mac.replace(":", ""))
    own = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + own)


def readable(found):
    association = options(found.get(3, bytes(12))[12:])
    address = association.get(5)
    return {
        "address": socket.inet_ntop(socket.AF_INET6, address[:16]) if address else None,
        "options": {code: list(data) for code, data in found.items()},
    }


def exchange(own, interface, case, number):
    """The server's two messages, read and readable."""
    heard, answer, kind = {}, {}, SOLICIT
    now = time.monotonic()
    end, again = now + (SILENCE if case["silent"] else PATIENCE), now
    while now < end:
        if now >= again:
            again = now + 1
            own.sendto(message(case, number, kind, heard), (SERVERS, 547, 0, socket.if_nametoindex(interface)))
        own.settimeout(0.1)
        try:
            data = own.recv(4096)
        except socket.timeout:
            data = None
        now = time.monotonic()
        if not data or struct.unpack("!I", data[:4])[0] & 0xFFFFFF != number:
            continue
        found = options(data[4:])
        if (kind, data[0]) == (SOLICIT, ADVERTISE):
            answer["advertise"] = readable(found)
            if answer["advertise"]["address"] is None:
                return None
            heard, kind, again = found, REQUEST, now
        elif (kind, data[0]) == (REQUEST, REPLY):
            answer["reply"] = readable(found)
            return answer
    return answer or None


def run(interface, cases):
    answers = []
    for number, case in enumerate(cases):
        # Firmware speaks from the address that its MAC address makes (RFC 4291 appendix A).
        address = link_local(case["mac"])
        place = [address + "/64", "dev", interface]
        subprocess.run(["ip", "link", "set", interface, "address", case["mac"]], check=True)
        subprocess.run(["ip", "address", "add", *place, "nodad"], check=True)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as own:
            own.bind((address, 546, 0, socket.if_nametoindex(interface)))
            answers.append(exchange(own, interface, case, number + 1))
        subprocess.run(["ip", "address", "delete", *place], check=True)
    return answers


json.dump(run(sys.argv[1], json.load(sys.stdin)), sys.stdout)
