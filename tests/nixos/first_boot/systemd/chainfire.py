"""Chainfire of node01, alone on its machine: chainfire.py REPOSITORY."""

import os
import sys
import threading

sys.path.append(os.path.join(sys.argv[1], "tests/nixos/first_boot"))
from network import Server  # noqa: E402
from services import Service  # noqa: E402


class World:
    requests = []

    def is_killed(self, *_):
        return False

    def service(self, *_):
        return service


files = [f"/run/secrets/{name}.pem" for name in ("node01-cert", "node01-key", "ca-cert")]
service = Service(World(), {"service": "chainfire", "node": "node01", "certificate": files})
# Read now: the key is taken away later.
service.context()
Server("127.0.0.1", "node01", service)
threading.Event().wait()
