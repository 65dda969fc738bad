"""Chainfire, FlareDB and IAM as far as first-boot automation speaks with them: docs/first-boot.md."""

import json
import ssl
import threading

PORTS = {"chainfire": 2379, "flaredb": 2479, "iam": 8080}
LOCK = threading.RLock()


class Cluster:
    def __init__(self, peers, members, leader):
        self.peers, self.members, self.leader = peers, members, leader

    def listed(self):
        return [
            {"id": id, "raft_addr": address, "role": "leader" if id == self.leader else "follower"}
            for id, address in self.members.items()
        ]


class Service:
    """One service of one node. `given` is what the scenario says of it; `world`, all services and the runs."""

    def __init__(self, world, given):
        self.world, self.given = world, given
        self.name, self.node = given["service"], given["node"]
        self.port = PORTS[self.name]
        self.off = given.get("off", False)
        self.down = False
        self.cluster = None
        # It has been told of this cluster, and will know of it when it has been asked `lag` times more.
        self.told, self.lag = None, 0
        self.initialized = given.get("initialized", True)
        self.contexts = {}

    def context(self):
        files = tuple(self.given["certificate"])
        if files not in self.contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files[:2])
            context.load_verify_locations(files[2])
            context.verify_mode = ssl.CERT_REQUIRED
            self.contexts[files] = context
        return self.contexts[files]

    def tell(self, cluster):
        if self.cluster is None and not self.given.get("deaf", False):
            self.told, self.lag = cluster, self.given.get("lag", 2)

    def request(self, client, method, path, body):
        """The answer: status, body, headers; None where there is none."""
        with LOCK:
            asked = f"{method} {path}"
            self.world.requests.append({"from": client, "to": self.node, "service": self.name, "asked": asked, "body": body})
            if self.world.is_killed(client, "before"):
                return None
            answer = self.answer(client, asked, body)
            return None if self.world.is_killed(client, "after") else answer

    def answer(self, client, asked, body):
        fault = self.given.get("answers", {}).get(asked)
        if fault is not None and fault.get("times", 1) > 0:
            fault["times"] = fault.get("times", 1) - 1
            if "leader" in fault:
                self.cluster.leader = fault["leader"]
            self.down = fault.get("down", False)
            if self.down:
                return None
            if "repeat" in fault:
                return fault["status"], b"x" * fault["repeat"], fault.get("headers", {})
            return fault["status"], fault["body"].encode(), fault.get("headers", {})
        handler = {
            "GET /health": self.health,
            "GET /admin/cluster/members": self.members,
            "POST /admin/cluster/init": self.init,
            "POST /admin/member/add": self.add,
            "POST /admin/init": self.set_up,
        }.get(asked)
        return handler(client, body) if handler else (404, {}, {})

    def health(self, *_):
        if self.name == "iam":
            return 200, {"status": "healthy", "database": "connected", "initialized": self.world.iam}, {}
        return 200, {"status": "healthy", "raft": "follower"}, {}

    def members(self, client, _):
        if self.told:
            if self.lag == 0:
                self.cluster, self.told = self.told, None
            self.lag -= 1
        listed = self.cluster.listed() if self.cluster else []
        if self.given.get("stale", 0) > 0:
            # It has yet to hear of whoever was added.
            self.given["stale"] -= 1
            listed = [member for member in listed if member["id"] != client]
        return 200, {"members": listed}, {}

    def init(self, _, body):
        if self.cluster or self.told:
            return 409, {}, {}
        said = json.loads(body)
        names = {peer.split(".")[0]: peer for peer in said["initial_peers"]}
        self.cluster = Cluster(said["initial_peers"], names | {said["id"]: said["raft_addr"]}, said["id"])
        for node in names:
            self.world.service(self.name, node).tell(self.cluster)
        return 200, {}, {}

    def add(self, _, body):
        said = json.loads(body)
        if self.cluster is None:
            return 503, {}, {}
        if self.cluster.leader != self.node:
            return 421, {"leader": self.cluster.leader}, {}
        listed = said["id"] in self.cluster.members
        self.cluster.members[said["id"]] = said["raft_addr"]
        self.world.service(self.name, said["id"]).tell(self.cluster)
        return 409 if listed else 200, {}, {}

    def set_up(self, *_):
        if self.world.iam:
            return 409, {}, {}
        self.world.iam = True
        return 201, {"password": "hunter2"}, {}
