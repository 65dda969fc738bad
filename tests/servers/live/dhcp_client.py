"""A scripted DHCP client (RFC 2131): what firmware, iPXE and a relay send, and what a server answers.

Usage: dhcp_client.py < cases.json > answers.json

A case is an object: `mac`; `architectures`, `user_class`, `vendor_class`, `client_id` (numbers and lists of bytes, or
null); `wanted`, the options that it asks for; `broadcast`, whether it wants its answer as one; `wire`, the interface that
it is connected to; `relay` and `server`, two addresses, when a relay speaks for it, else null; `silent`, whether no answer is expected.
The answer is null, or `offer` and `ack`: `yiaddr`, `siaddr`, `file` (bytes), `options` (lists of bytes by number);
and `seconds`, how long both took.

The cases of one MAC address go one after the other, as a machine's do; different ones at once.
"""

import collections
import json
import select
import socket
import struct
import sys
import time

PATIENCE = 20  # seconds for an exchange, on a busy machine
RESEND = 2  # longer than dhcpd's ping of an address that it is about to lease
SILENCE = 3  # how long a silent case is listened to, in seconds
AT_ONCE = 64  # machines; more would overflow the servers' queues
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
COOKIE = bytes([99, 130, 83, 99])


def option(code, data):
    return bytes([code, len(data)]) + data


def message(case, xid, kind, offer):
    """The BOOTP message of `case`; a request answers `offer`."""
    relay = socket.inet_aton(case["relay"] or "0.0.0.0")
    head = struct.pack("!BBBBIHH", 1, 1, 6, 1 if case["relay"] else 0, xid, 0, 0x8000 if case["broadcast"] else 0)
    hardware = bytes.fromhex(case["mac"].replace(":", "")).ljust(16, b"\0")
    options = option(53, bytes([kind])) + option(57, struct.pack("!H", 1472))
    if case["architectures"]:
        numbers = struct.pack(f"!{len(case['architectures'])}H", *case["architectures"])
        options += option(93, numbers) + option(94, bytes([1, 3, 0]))
    for code, key in ((77, "user_class"), (60, "vendor_class"), (61, "client_id")):
        if case[key] is not None:
            options += option(code, bytes(case[key]))
    if offer:
        options += option(50, socket.inet_aton(offer["yiaddr"])) + option(54, bytes(offer["options"][54]))
    options += option(55, bytes(case["wanted"])) + b"\xff"
    return (head + bytes(12) + relay + hardware + bytes(192) + COOKIE + options).ljust(300, b"\0")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def frame(case, payload):
    """An Ethernet frame from a machine that has no address yet."""
    udp = struct.pack("!HHHH", 68, 67, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\xff" * 6 + bytes.fromhex(case["mac"].replace(":", "")) + b"\x08\x00" + ip + udp


def parse(data):
    """A server's message: (xid, kind, answer)."""
    options, at = {}, 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        length = data[at + 1]
        options[data[at]] = list(data[at + 2 : at + 2 + length])
        at += 2 + length
    answer = {
        "yiaddr": socket.inet_ntoa(data[16:20]),
        "siaddr": socket.inet_ntoa(data[20:24]),
        "file": list(data[108:236].split(b"\0")[0]),
        "options": options,
    }
    return struct.unpack("!I", data[4:8])[0], options.get(53, [0])[0], answer


class Wire:
    """The machines' networks, and the relays that speak for machines elsewhere."""

    def __init__(self, cases):
        self.raw = {}
        for interface in {case["wire"] for case in cases}:
            self.raw[interface] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
            self.raw[interface].bind((interface, 0))
        self.patience, self.relays = PATIENCE, {}
        for address in {case["relay"] for case in cases if case["relay"]}:
            self.relays[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.relays[address].bind((address, 67))

    def send(self, case, payload):
        if case["relay"]:
            self.relays[case["relay"]].sendto(payload, (case["server"], 67))
        else:
            self.raw[case["wire"]].send(frame(case, payload))

    def receive(self, seconds):
        """The messages that have come: (the relay or the wire that got it, message)."""
        ready = select.select([*self.raw.values(), *self.relays.values()], [], [], seconds)[0]
        for address, relay in self.relays.items():
            if relay in ready:
                yield address, relay.recv(4096)
        for interface, raw in self.raw.items():
            if raw in ready:
                data = raw.recv(4096)
                start = 14 + (data[14] & 15) * 4
                if data[23] == 17 and struct.unpack("!HH", data[start : start + 4]) == (67, 68):
                    yield interface, data[start + 8 :]


class Exchange:
    """One case on its way: DISCOVER, OFFER, REQUEST, ACK."""

    def __init__(self, wire, case, number):
        self.wire, self.case, self.xid = wire, case, 0x50580000 + number
        self.answer, self.done, self.start = {}, False, time.monotonic()
        self.end = time.monotonic() + (SILENCE if case["silent"] else wire.patience)
        self.say(DISCOVER)

    def say(self, kind):
        self.kind, self.again = kind, time.monotonic() + RESEND
        self.wire.send(self.case, message(self.case, self.xid, kind, self.answer.get("offer")))

    def hear(self, place, kind, answer):
        if place != (self.case["relay"] or self.case["wire"]):
            return
        if (self.kind, kind) == (DISCOVER, OFFER):
            self.answer["offer"] = answer
            self.say(REQUEST)
        elif self.kind == REQUEST and kind in (ACK, NAK):
            self.answer["ack"] = answer if kind == ACK else None
            self.answer["seconds"] = time.monotonic() - self.start
            self.done = True

    def tick(self, now):
        if now > self.end:
            self.done = True
            if not self.case["silent"]:
                self.wire.patience = SILENCE  # it is the server that is broken, not the machine that is slow
        elif now > self.again:
            self.say(self.kind)


def run(cases):
    wire = Wire(cases)
    waiting = collections.defaultdict(collections.deque)
    for number, case in enumerate(cases):
        waiting[case["mac"]].append((number, case))
    active, answers = {}, [None] * len(cases)
    while waiting or active:
        free = [mac for mac in waiting if mac not in active]
        for mac in free[: AT_ONCE - len(active)]:
            number, case = waiting[mac].popleft()
            active[mac] = Exchange(wire, case, number)
            if not waiting[mac]:
                del waiting[mac]
        for place, data in wire.receive(0.05):
            xid, kind, answer = parse(data)
            for own in active.values():
                if own.xid == xid:
                    own.hear(place, kind, answer)
        for mac, own in list(active.items()):
            own.tick(time.monotonic())
            if own.done:
                answers[own.xid - 0x50580000] = own.answer or None
                del active[mac]
    return answers


json.dump(run(json.load(sys.stdin)), sys.stdout)
