"""Fetches files as firmware and iPXE do.

Usage: fetch.py < places.json > files.json

A place is a URL: `http://…`, or `tftp://server/file`. A file is its text, or an object with an `error`.
"""

import json
import socket
import struct
import sys
import urllib.parse
import urllib.request

READ, DATA, ACK, ERROR, OPTIONS = 1, 3, 4, 5, 6
BLOCK = 1468  # what iPXE asks for


def tftp(server, name):
    """RFC 1350, with the options of RFC 2347 to 2349."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(10)
        words = [name, "octet", "blksize", str(BLOCK), "tsize", "0"]
        own.sendto(struct.pack("!H", READ) + b"".join(word.encode() + b"\0" for word in words), (server, 69))
        content, size, block = b"", 512, 0
        while True:
            data, peer = own.recvfrom(65536)
            if peer[0] != server:
                raise OSError(f"the answer comes from {peer[0]}")
            kind, number = struct.unpack("!HH", data[:4])
            if kind == ERROR:
                raise OSError(f"TFTP error {number}: {data[4:-1].decode()}")
            if kind == OPTIONS:
                options = data[2:].lower().split(b"\0")
                size = int(options[options.index(b"blksize") + 1]) if b"blksize" in options else 512
                number = 0
            elif number == (block + 1) & 0xFFFF:
                content, block = content + data[4:], number
            own.sendto(struct.pack("!HH", ACK, number), peer)
            if kind == DATA and len(data) < size + 4:
                return content


def fetch(place):
    url = urllib.parse.urlsplit(place)
    try:
        if url.scheme == "tftp":
            return tftp(url.hostname, url.path.removeprefix("/")).decode()
        with urllib.request.urlopen(place, timeout=10) as answer:
            return answer.read().decode()
    except OSError as error:
        return {"error": str(error)}


json.dump([fetch(place) for place in json.load(sys.stdin)], sys.stdout)
