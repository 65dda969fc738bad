"""The machines of a scenario: each a network namespace in which the addresses of all are its own, so that `localhost` is
itself and every other name reaches the one service that plays it. The services live in this process (services.py).
"""

import http.server
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../outputs/firewalls/live"))
from machines import OURS, enter, machine  # noqa: E402

# Where redirects lead in these tests. Whoever connects is noted.
ELSEWHERE = "10.0.200.66"


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands a request to the service that plays the address it came to."""

    timeout = 30

    def do_GET(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        answer = self.server.service.request(self.server.client, self.command, self.path, body)
        if answer is None:
            return
        code, body, headers = answer
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    """`service` as the machine `client` sees it at `address`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, client, service):
        super().__init__((address, service.port), Handler, bind_and_activate=False)
        self.client, self.service = client, service
        self.server_bind()
        self.server_activate()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def finish_request(self, request, client_address):
        if self.service.down:
            return
        try:
            with self.service.context().wrap_socket(request, server_side=True) as tls:
                super().finish_request(tls, client_address)
        except (OSError, ssl.SSLError):
            # Whoever does not trust the service, or is not trusted.
            pass

    def handle_error(self, *_):
        pass


def elsewhere(found):
    """Notes whoever connects to the place that redirects name."""
    listener = socket.create_server((ELSEWHERE, 443))

    def wait():
        while True:
            connection, _ = listener.accept()
            found.append(connection.getpeername()[0])
            connection.close()

    threading.Thread(target=wait, daemon=True).start()


def boot(nodes, addresses, services, strangers):
    """A namespace for each of `nodes`, with the servers of `services` at all `addresses`, which are by node."""
    namespaces = {}
    for node in nodes:
        namespaces[node] = machine()
        enter(namespaces[node])
        commands = "\n".join(f"address add {address}/32 dev lo" for address in [*addresses.values(), ELSEWHERE])
        subprocess.run(["ip", "-batch", "-"], input=commands, check=True, text=True)
        elsewhere(strangers)
        for service in services:
            # Who is switched off refuses connections, as nobody listens.
            if not service.off:
                for address in [addresses[service.node]] + ["127.0.0.1"] * (service.node == node):
                    Server(address, node, service)
    enter(OURS)
    return namespaces
